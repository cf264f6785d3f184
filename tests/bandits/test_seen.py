"""Buckets of days since an arm was shown."""

import polars as pl

from pozytywka_spark.bandits.seen import bucket, seen_bucket


def test_frames_and_plain_python_have_the_same_buckets():
    days = [None, 0.0, 0.99, 1.0, 2.0, 3.9, 4.0, 5.99, 6.0, 8.0, 9.0, 13.5, 14.0, 20.0, 21.0, 34.9, 35.0, 1e6]
    expected = [-1, 0, 0, 1, 2, 3, 4, 4, 6, 6, 9, 9, 14, 14, 21, 21, 35, 35]
    frame = pl.DataFrame({"days": [*days, float("nan")]})
    assert frame.select(seen_bucket(pl.col("days"))).to_series().to_list() == [*expected, -1]
    assert [bucket(each) for each in days] == expected
