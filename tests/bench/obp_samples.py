"""Samples of the Open Bandit Dataset (Saito et al. 2021, CC BY 4.0), as logs: never kept, downloaded anew."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

CAMPAIGNS = ("women", "men", "all")
COLUMNS = ["timestamp", "item_id", "position", "click", "propensity_score"]


def samples() -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """Of each campaign its name, the log of Thompson sampling and that of the uniform policy."""
    with tempfile.TemporaryDirectory() as folder:
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "obp==0.4.1", "-d", folder]
        subprocess.run(fetch, check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            for campaign in CAMPAIGNS:
                thompson, uniform = (_log(wheel, policy, campaign) for policy in ("bts", "random"))
                yield campaign, thompson, uniform


def _log(wheel: zipfile.ZipFile, policy: str, campaign: str) -> pl.DataFrame:
    """Its decisions: the place on the page is the group, all items are eligible, users aren't told apart."""
    text = wheel.read(f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv")
    rows = pl.read_csv(io.BytesIO(text), columns=COLUMNS)
    return rows.select(
        user_id=pl.int_range(pl.len(), dtype=pl.Int64),
        decided_at=pl.col("timestamp").str.slice(0, 19).str.to_datetime("%Y-%m-%d %H:%M:%S", time_zone="UTC"),
        group=pl.col("position").cast(pl.String),
        chosen=pl.col("item_id").cast(pl.String),
        probability="propensity_score",
        reward=pl.col("click").cast(pl.Float64),
    )
