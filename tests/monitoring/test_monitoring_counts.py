"""All features' bins in one aggregation, against pandas."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

from pozytywka_spark.monitoring.counts import FINE, as_cells, by_subject, count_cells, edges_of

MAY, JUNE = date(2023, 5, 1), date(2023, 6, 1)


def test_bins_equal_those_of_pandas_with_ties_nulls_and_values_never_seen(spark: SparkSession) -> None:
    drawn = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "user_id": np.arange(900),
            "month": [MAY] * 600 + [JUNE] * 300,
            "smooth": drawn.normal(size=900),
            "tied": drawn.poisson(2.0, 900).astype(float),
            "unseen": [None] * 600 + [1.0] * 300,
        }
    )
    rows.loc[drawn.random(900) < 0.1, "smooth"] = None
    rows.loc[600:620, "tied"] = 99.0
    names = ["smooth", "tied", "unseen"]
    frame = spark.createDataFrame(
        rows.astype(object).where(rows.notna(), None).to_records(index=False).tolist(),
        "user_id bigint, month date, smooth double, tied double, unseen double",
    )
    cells = as_cells(frame, names)
    edges = edges_of(cells.where(cells["month"] == MAY))
    found = by_subject(count_cells(cells, edges, JUNE), names)
    for name in names:
        before, now = (rows.loc[rows["month"] == month, name].astype(float) for month in (MAY, JUNE))
        cuts = _quantiles(before.dropna().to_numpy())
        for side, values in zip(found[name], (before, now), strict=True):
            expected = np.bincount(np.searchsorted(cuts, values.dropna(), "left"), minlength=FINE)
            np.testing.assert_array_equal(side.bins, expected, err_msg=name)
            assert side.nulls == values.isna().sum()
    assert found["tied"][1].bins[-1] >= 21  # beyond all that was seen: the last bin


def _quantiles(values: np.ndarray) -> np.ndarray:
    """Spark's: the least value that at least the share of the values is at or below."""
    shares = np.arange(1, FINE) / FINE
    return np.quantile(values, shares, method="inverted_cdf") if len(values) else np.zeros(0)


def test_not_a_number_is_a_null(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(1, MAY, float("nan")), (2, MAY, 1.0)], "user_id bigint, month date, x double"
    )
    cells = as_cells(frame, ["x"])
    reference, month = by_subject(count_cells(cells, edges_of(cells), JUNE), ["x"])["x"]
    assert (reference.known, reference.nulls, month.rows) == (1.0, 1.0, 0.0)
