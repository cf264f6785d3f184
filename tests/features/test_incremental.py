"""Months are built again when what they rest on has changed, and the result is that of a full build."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.features.firsts import firsts_of, merge_firsts
from pozytywka_spark.features.inputs import MonthInputs, choose_months, month_range
from pozytywka_spark.features.kinds import kind_of
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake import open_lake
from tests.features.silver import silver_of, write_silver

MONTHS = [date(2023, month, 1) for month in (1, 2, 3)]
ORDERS = 30


def inputs_of(*fingerprints: str) -> list[MonthInputs]:
    return [MonthInputs(month, 1, "", text) for month, text in zip(MONTHS, fingerprints, strict=False)]


def test_only_stale_months_are_chosen() -> None:
    current = inputs_of("a", "b2", "c2")
    built = dict(zip(MONTHS, ("a", "b", "c"), strict=True))
    assert choose_months(current, built, None, full=False) == MONTHS[1:]
    assert choose_months(current, dict(zip(MONTHS, ("a", "b2", "c2"), strict=True)), None, full=False) == []
    assert choose_months(current, built, None, full=True) == MONTHS
    assert choose_months(current, built, (MONTHS[1], MONTHS[1]), full=False) == [MONTHS[1]]
    assert choose_months(current[:2], built, None, full=False) == MONTHS[:2]  # March is gone: all anew


def test_months_that_rest_on_stale_ones_are_refused() -> None:
    with pytest.raises(DataError, match="rests on 2023-02"):
        choose_months(inputs_of("a", "b2", "c2"), {MONTHS[0]: "a"}, (MONTHS[2], MONTHS[2]), full=False)
    with pytest.raises(DataError, match="no events there"):
        choose_months(inputs_of("a"), {}, (date(2024, 1, 1), date(2024, 2, 1)), full=False)


@pytest.mark.parametrize("text", ["2023", "2023-13", "2023-02..2023-01", "x..y", ""])
def test_month_ranges_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--months"):
        month_range(text)


def test_firsts_do_not_depend_on_the_order_of_deliveries(spark: SparkSession) -> None:
    """Thirty random histories, a user each, cut at random: the earlier part merged with the later one."""
    dice = random.Random(11)
    events = []
    for user in range(ORDERS):
        for _ in range(dice.randint(1, 40)):
            day = dice.randint(0, 80)
            kind = dice.choice(["PLAY", "LIKE", "SKIP"])
            events.append((user, day, kind, f"t{dice.randint(0, 4)}"))
    free = spark.createDataFrame(
        events, "user_id bigint, day int, event_type string, track_id string"
    ).select(
        "user_id",
        F.timestamp_seconds(F.lit(1672531200) + F.col("day") * 86400).alias("event_time"),
        kind_of(F.col("event_type")).alias("kind"),
        "track_id",
    )
    free = free.withColumn("month", schemas.month_of(F.col("event_time")))
    artist_of = spark.createDataFrame(
        [(f"t{i}", f"a{i % 3}") for i in range(5)], "track_id string, artist_id string"
    )
    cut = (F.col("user_id") % 3 + 1).cast("int")
    early, late = free.where(F.month("month") < cut), free.where(F.month("month") >= cut)
    whole = firsts_of(free, artist_of)
    merged = merge_firsts(firsts_of(early, artist_of), firsts_of(late, artist_of))
    for one, other in (
        (whole.likes, merged.likes),
        (whole.artists, merged.artists),
        (whole.users, merged.users),
    ):
        assert sorted(map(tuple, one.collect())) == sorted(map(tuple, other.select(*one.columns).collect()))


def content(df: DataFrame) -> list[tuple]:
    return sorted((tuple(row) for row in df.collect()), key=repr)


def test_incremental_equals_full_after_deliveries_in_any_order(
    spark: SparkSession, sample: Path, tmp_path: Path
) -> None:
    """Three deliveries, months torn apart and out of order, built after each; against one full build."""
    names = ("user_month", "features", "labels", "first_likes", "artist_debuts", "user_debuts", "track_plays")
    # two features a window: the machinery is the same for all, and the test a fraction of the time
    few = [
        feature for feature in CATALOGUE if "12_month" not in feature.name and "6_month" not in feature.name
    ][:60]
    silver = silver_of(spark, sample)
    part = F.pmod(F.xxhash64("session_id"), F.lit(3))
    results = []
    for home, order in (("torn", [2, 0, 1]), ("whole", None)):
        settings = load_settings(
            "local",
            [
                f"home={tmp_path / home}",
                "spark.master=local[2]",
                "spark.shuffle_partitions=2",
                "guards.perturbation=false",
            ],
        )
        lake = open_lake(settings, spark)
        deliveries = (
            [silver["events"]] if order is None else [silver["events"].where(part == i) for i in order]
        )
        for number, events in enumerate(deliveries):
            if number == 0:
                write_silver(lake, {**silver, "events": events})
            else:
                lake.append(events, schemas.EVENTS)
            report = build_features(spark, settings, lake, features=few)
            assert report.stale == []
        if order is not None:
            march = events.where("event_month = '2023-03-01'").limit(1).withColumn("event_id", F.lit("late"))
            lake.append(schemas.EVENTS.conform(march), schemas.EVENTS)
            report = build_features(spark, settings, lake, features=few)
            assert report.months == [MONTHS[2]]
        else:
            lake.append(schemas.EVENTS.conform(march), schemas.EVENTS)
            report = build_features(spark, settings, lake, full=True, features=few)
            assert report.months == MONTHS
        results.append({name: content(lake.read(name)) for name in names})
    for name in names:
        assert results[0][name] == results[1][name], name
