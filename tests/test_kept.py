"""What is kept is read from where it is stored, by a short plan, and let go of in the end."""

import pytest
from chispa import assert_df_equality
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.kept import keeping, read_stored

ENCODED = "spark.sql.inMemoryColumnarStorage.compressed"


def doubled(df: DataFrame) -> DataFrame:
    return df.union(df.select((F.col("id") + 1).alias("id")))


def nodes(df: DataFrame) -> int:
    return df._jdf.queryExecution().analyzed().collectLeaves().length()


def test_a_plan_starts_anew_where_a_frame_is_kept(spark: SparkSession) -> None:
    df = doubled(doubled(doubled(spark.range(2))))
    with keeping() as keep:
        kept = keep(df)
        assert (nodes(doubled(df)), nodes(doubled(kept))) == (16, 2)
        assert_df_equality(doubled(kept), doubled(df), ignore_row_order=True)
        met = kept.alias("a").join(kept.alias("b"), "id")
        assert met.count() == df.alias("a").join(df.alias("b"), "id").count()


def test_rows_are_made_once(spark: SparkSession) -> None:
    made = spark.sparkContext.accumulator(0)

    def count(batches):  # type: ignore[no-untyped-def]
        for batch in batches:
            made.add(batch.num_rows)
            yield batch

    with keeping(StorageLevel.DISK_ONLY, encoded=False) as keep:
        kept = keep(spark.range(5).mapInArrow(count, "id bigint"))
        assert [kept.count(), doubled(kept).count()] == [5, 10]
    assert made.value == 5


def test_what_is_kept_is_let_go_of_whatever_happens(spark: SparkSession) -> None:
    before = spark.conf.get(ENCODED)
    df = spark.range(3)

    def work() -> None:
        with keeping(encoded=False) as keep:
            keep(df)
            assert df.storageLevel == StorageLevel.MEMORY_AND_DISK_DESER
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert df.storageLevel == StorageLevel.NONE
    assert spark.conf.get(ENCODED) == before


def test_what_is_not_stored_is_read_as_it_was(spark: SparkSession) -> None:
    df = spark.range(3)
    assert read_stored(df) is df
