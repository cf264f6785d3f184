"""Ranks over all rows of a frame, against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.experiments.uplift.rank import with_rank


@pytest.mark.parametrize("rows_a_bucket", [7, 1000])
def test_ranks_equal_pandas_in_any_number_of_buckets(spark: SparkSession, rows_a_bucket: int) -> None:
    drawn = np.random.default_rng(1)
    frame = pd.DataFrame({"who": drawn.permutation(97), "odds": drawn.integers(0, 20, 97) / 10})
    found = (
        spark.createDataFrame(frame.to_records(index=False).tolist(), "who bigint, odds double")
        .transform(with_rank, "odds", "who", 97, rows_a_bucket)
        .toPandas()
        .sort_values("rank")
        .reset_index(drop=True)
    )
    expected = frame.sort_values(["odds", "who"], ascending=[False, True]).reset_index(drop=True)
    assert found["who"].tolist() == expected["who"].tolist()
    assert found["rank"].tolist() == list(range(1, 98))
    assert found["decile"].tolist() == [int(10 * place / 97) + 1 for place in range(97)]
