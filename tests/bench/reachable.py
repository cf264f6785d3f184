"""How well the truth that made the purchases ranks the test rows: no model that sees the past does better."""

from __future__ import annotations

from pathlib import Path

import duckdb
from deltalake import DeltaTable
from sklearn.metrics import roc_auc_score

from tests.bench.plain_models import split_of
from tests.bench.plain_script import HORIZON_DAYS


def reachable_roc_auc(raw: Path, lake: Path) -> float:
    """ROC AUC of the true probabilities beside `raw`, of the rows of the lake's test months.

    Raises `ValueError` if a row has no probability, or if truth and lake disagree on who bought.
    """
    con = duckdb.connect()
    con.read_parquet(DeltaTable(str(lake / "labels")).file_uris(), hive_partitioning=True).create_view(
        "labels"
    )
    con.read_parquet(f"{raw}_truth/purchases_{HORIZON_DAYS}_days/*.parquet").create_view("truth")
    months = [row[0] for row in con.execute("select distinct month from labels where mature").fetchall()]
    test = ", ".join(f"date '{month}'" for month in split_of(months, HORIZON_DAYS).test)
    rows = con.execute(
        f"select buys_within_{HORIZON_DAYS}_days as label, probability, bought::int as bought "
        f"from labels left join truth using (user_id, month) where month in ({test})"
    ).df()
    if rows["probability"].isna().any() or (rows["bought"] != rows["label"]).any():
        raise ValueError(f"the truth beside {raw} isn't that of the lake {lake}")
    return float(roc_auc_score(rows["label"], rows["probability"]))
