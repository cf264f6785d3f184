"""Jobs beside each other: results in order, an error of one is the error of all."""

import threading

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.beside import beside
from pozytywka_spark.kept import keeping


def test_two_run_at_once_and_results_keep_their_order(spark: SparkSession) -> None:
    both = threading.Barrier(2, timeout=60)

    def work(number: int) -> int:
        both.wait()  # alone, it would wait in vain
        return spark.range(number).count()

    assert beside(spark, work, [3, 1, 4, 2]) == [3, 1, 4, 2]


def test_what_one_raises_is_raised(spark: SparkSession) -> None:
    with pytest.raises(ZeroDivisionError):
        beside(spark, lambda number: 1 // number, [1, 0])


def test_frames_kept_at_once_are_not_mixed_up(spark: SparkSession) -> None:
    with keeping() as keep:
        kept = beside(spark, lambda n: keep(spark.range(1).select(F.lit(n).alias("n"))), range(20), threads=4)
        assert [frame.first()["n"] for frame in kept] == list(range(20))
