"""Guard 1: it finds every planted leak by name, and nothing in the clean catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.activity import filter_free, first_purchases
from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.features.perturbation import check_perturbation, delete_future, scramble_future
from pozytywka_spark.features.recipe import dimensions_of, features_from_events
from pozytywka_spark.kept import keeping
from tests.features.leaks import leaky_columns, with_leaks
from tests.features.silver import silver_of

JANUARY, FEBRUARY, MARCH = (date(2023, month, 1) for month in (1, 2, 3))
SEEDS = 20


@pytest.fixture(scope="module")
def silver(spark: SparkSession, sample: Path) -> Iterator[dict[str, DataFrame]]:
    tables = silver_of(spark, sample)
    with keeping() as keep:
        yield {name: keep(table) for name, table in tables.items()}


def rows_until(own: DataFrame, month: date) -> DataFrame:
    """User-months that exist, without the package's help beyond who is free."""
    dated = own.withColumnRenamed("event_month", "month")
    free = filter_free(dated, first_purchases(own))
    return free.where(F.col("month") <= F.lit(month)).select("user_id", "month").distinct()


def test_twenty_eight_planted_leaks_are_each_named(silver: dict[str, DataFrame]) -> None:
    events = silver["events"]

    def leaky(own: DataFrame, everyones: DataFrame) -> DataFrame:
        return with_leaks(rows_until(own, FEBRUARY), own, everyones)

    with pytest.raises(GuardError) as caught:
        check_perturbation(leaky, events, events, leaky(events, events), month=FEBRUARY, seed=7)
    message = str(caught.value)
    assert len(leaky_columns()) == 28
    assert [name for name in leaky_columns() if name not in message] == []
    assert message.startswith("guard perturbation: feature ")
    assert "month 2023-0" in message


def test_a_leak_beside_clean_columns_is_told_apart(silver: dict[str, DataFrame]) -> None:
    events = silver["events"]

    def half_leaky(own: DataFrame, everyones: DataFrame) -> DataFrame:
        frame = with_leaks(rows_until(own, JANUARY), own, everyones)
        return frame.select("user_id", "month", F.lit(1.0).alias("clean"), "next_months_plays")

    with pytest.raises(
        GuardError, match=r"feature next_months_plays of user \d+, month 2023-01 changes"
    ) as caught:
        check_perturbation(half_leaky, events, events, half_leaky(events, events), month=JANUARY, seed=7)
    assert "clean" not in str(caught.value)


def test_the_catalogue_raises_no_false_alarm_over_twenty_seeds(silver: dict[str, DataFrame]) -> None:
    """Twenty copies of eight users, whose futures are scrambled each in its own way, in one run."""
    everyones = silver["events"]
    copy = F.explode(F.sequence(F.lit(1), F.lit(SEEDS)))
    own = (
        everyones.where("user_id in (101, 103, 105, 108, 110, 112, 115, 117)")
        .withColumn("copy", copy)
        .withColumns(
            {
                "user_id": F.col("user_id") + F.col("copy") * 1_000,
                "event_id": F.concat("event_id", F.encode(F.col("copy").cast("string"), "UTF-8")),
            }
        )
        .drop("copy")
    )
    users = silver["users"].withColumn("copy", copy)
    users = users.withColumn("user_id", F.col("user_id") + F.col("copy") * 1_000).drop("copy")
    dimensions = dimensions_of({**silver, "users": users})
    months = [JANUARY, FEBRUARY, MARCH]
    with keeping() as keep:
        own, dimensions = keep(own), dimensions.map(lambda _, df: keep(df))
        known = features_from_events(own, everyones, dimensions, CATALOGUE, months)
        result = check_perturbation(
            lambda mine, theirs: features_from_events(mine, theirs, dimensions, CATALOGUE, months),
            own,
            everyones,
            known,
            month=FEBRUARY,
            seed=7,
        )
    assert result.guard == "perturbation"
    assert result.seconds > 0


def test_the_cut_off_itself_is_the_future(spark: SparkSession) -> None:
    from datetime import UTC, datetime

    cut_off = datetime(2023, 2, 1, tzinfo=UTC)
    events = spark.createDataFrame(
        [
            ("a", "2023-01-31 23:59:59.999999"),
            ("b", "2023-02-01 00:00:00"),
            ("c", "2023-02-01 00:00:00.000001"),
        ],
        "event_id string, at string",
    ).select(
        F.encode("event_id", "UTF-8").alias("event_id"),
        F.to_timestamp("at").alias("event_time"),
        F.lit("PLAY").alias("event_type"),
        F.lit(1).alias("user_id"),
        F.lit(date(2023, 1, 1)).alias("event_month"),
    )
    assert [bytes(row.event_id) for row in delete_future(events, cut_off).collect()] == [b"a"]
    scrambled = scramble_future(events, cut_off, seed=1)
    invented = scrambled.where(F.col("event_id").startswith(F.lit(b"invented")))
    assert [bytes(row.event_id) for row in invented.collect()] == [b"invented-a"]
    assert invented.where(F.col("event_time") < F.lit(cut_off)).count() == 0
