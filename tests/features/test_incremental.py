"""Months are built again when what they rest on has changed, and the result is that of a full build."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.inputs import MonthEvents, MonthInputs, choose_months, month_range
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.features.silver import events_of, write_silver

MONTHS = [date(2023, month, 1) for month in (1, 2, 3)]
ORDERS = 30
FIRST_MONTHS = [date(2023, month, 1) for month in (1, 1, 3, 2, 4)]  # what each delivery begins with
TABLES = ("first_likes", "artist_debuts", "user_debuts", "track_plays", "user_month", "features", "labels")


def inputs_of(*fingerprints: str) -> list[MonthInputs]:
    return [
        MonthInputs(MonthEvents(month, 1, "", 0, "", (1,)), text)
        for month, text in zip(MONTHS, fingerprints, strict=False)
    ]


def test_only_stale_months_are_chosen() -> None:
    current = inputs_of("a", "b2", "c2")
    built = dict(zip(MONTHS, ("a", "b", "c"), strict=True))
    assert choose_months(current, built, None, full=False) == MONTHS[1:]
    assert choose_months(current, dict(zip(MONTHS, ("a", "b2", "c2"), strict=True)), None, full=False) == []
    outdated_ends = {MONTHS[0]: "older", MONTHS[1]: "b2", MONTHS[2]: "older"}
    assert choose_months(current, outdated_ends, None, full=False) == MONTHS  # and what lies between
    assert choose_months(current, outdated_ends | {MONTHS[2]: "c2"}, None, full=False) == MONTHS[:1]
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


def content(df: DataFrame) -> list[tuple]:
    return sorted((tuple(row) for row in df.select(*sorted(df.columns)).collect()), key=repr)


def histories(spark: SparkSession, orders: int) -> tuple[dict[str, DataFrame], list[DataFrame]]:
    """Thirty little worlds in one lake, and its deliveries, in which each world's events come in an order
    of its own.

    A world has three users and tracks that no other world plays, so that nothing of one reaches another.
    The month a delivery begins with differs, so that each rests on more or less of what was built before.
    """
    dice = random.Random(11)
    rows: list[list[tuple]] = [[] for _ in FIRST_MONTHS]
    for world in range(orders):
        for session in range(dice.randint(6, 14)):
            user, day, minute = world * 10 + dice.randint(0, 2), dice.randint(0, 118), dice.randint(0, 1380)
            start = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=minute)
            open_to = [i for i, month in enumerate(FIRST_MONTHS) if start.date().replace(day=1) >= month]
            arrives = dice.choice(open_to)
            for step in range(dice.randint(1, 6)):
                late = dice.random() < 0.1  # an event that arrives apart from its session
                kind = dice.choices(
                    ["PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"], [9, 3, 3, 3, 0.3]
                )[0]
                track = None if kind in ("ADVERTISEMENT", "BUY_PREMIUM") else f"t{world}-{dice.randint(0, 4)}"
                at = start + timedelta(seconds=step * 70)
                rows[dice.choice(open_to) if late else arrives].append(
                    (at.replace(tzinfo=None).isoformat(), user, track, kind, world * 1000 + session)
                )
    known = pd.DataFrame([(f"t{w}-{i}", f"a{w}-{i % 3}") for w in range(orders) for i in range(5)])
    silver = {
        "users": spark.createDataFrame([(u, "x", ["g0"]) for u in range(orders * 10)],
                                       "user_id long, city string, favourite_genres array<string>")
                      .withColumn("premium_user", F.lit(False)),
        "artists": spark.createDataFrame([(a, a, [f"g{i % 2}"]) for i, a in enumerate(sorted(set(known[1])))],
                                         "id string, name string, genres array<string>"),
        "tracks": blank(spark, schemas.TRACKS, [{"id": t, "name": t, "id_artist": a, "duration_ms": 60_000}
                                                for t, a in known.itertuples(index=False)]),
        "track_storage": blank(spark, schemas.TRACK_STORAGE, []),
    }  # fmt: skip
    ddl = "timestamp string, user_id bigint, track_id string, event_type string, session_id bigint"
    return silver, [schemas.EVENTS.conform(events_of(spark.createDataFrame(part, ddl))) for part in rows]


def blank(spark: SparkSession, table: schemas.Table, rows: list[dict]) -> DataFrame:
    """Rows of a table, null where nothing is said."""
    values = [tuple(row.get(name) for name in table.schema.names) for row in rows]
    return spark.createDataFrame(values, table.schema)


def some_features() -> list[Feature]:
    """Of each kind some: the machinery is the same for all, and the test a fraction of the time."""
    wide = ("6_month", "12_month", "average_a", "average_e", "average_i", "average_l", "average_v", "storage")
    return [feature for feature in CATALOGUE if not any(part in feature.name for part in wide)]


def prepared(spark: SparkSession, home: Path) -> tuple[Settings, Lake]:
    settings = load_settings(
        "local", [f"home={home}", "spark.master=local[2]", "spark.shuffle_partitions=2",
                  "guards.perturbation=false"],
    )  # fmt: skip
    return settings, open_lake(settings, spark)


def test_incremental_equals_full_after_thirty_orders_of_delivery(spark: SparkSession, tmp_path: Path) -> None:
    few, (silver, deliveries) = some_features(), histories(spark, ORDERS)
    settings, lake = prepared(spark, tmp_path / "torn")
    for number, events in enumerate(deliveries):
        if number == 0:
            write_silver(lake, {**silver, "events": events})
        else:
            lake.append(events, schemas.EVENTS)
        report = build_features(spark, settings, lake, features=few)
        assert (report.months[0], report.stale) == (FIRST_MONTHS[number], [])
    settings, whole = prepared(spark, tmp_path / "whole")
    together = reduce(DataFrame.unionByName, deliveries)
    write_silver(whole, {**silver, "events": together})
    assert len(build_features(spark, settings, whole, full=True, features=few).months) == 4
    for name in TABLES:
        assert content(lake.read(name)) == content(whole.read(name)), name
    fingerprints = [
        content(each.read("feature_builds").select("month", "inputs", "event_hash")) for each in (lake, whole)
    ]
    assert fingerprints[0] == fingerprints[1]


class Breaking:
    """A lake that dies right after a write."""

    def __init__(self, lake: Lake, after: int) -> None:
        self.lake, self.left = lake, after

    def __getattr__(self, name: str) -> object:
        attribute = getattr(self.lake, name)
        if name not in ("overwrite", "replace_partitions"):
            return attribute

        def write(*args: object, **kwargs: object) -> object:
            done = attribute(*args, **kwargs)
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return done

        return write


def test_a_run_broken_anywhere_leaves_whole_tables_and_is_repeated(
    spark: SparkSession, tmp_path: Path
) -> None:
    """Each table is as before or as after, every month of it; the next run does the rest."""
    few, (silver, deliveries) = some_features()[:30], histories(spark, 4)
    settings, lake = prepared(spark, tmp_path / "broken")
    write_silver(lake, {**silver, "events": deliveries[0]})
    build_features(spark, settings, lake, features=few)
    before = {name: content(lake.read(name)) for name in TABLES}
    lake.append(deliveries[2], schemas.EVENTS)
    versions = {name: lake.version(name) for name in TABLES}
    after: dict[str, list] = {}
    for writes in (2, 5, 6):  # in the state, after user_month, after features
        with pytest.raises(KeyboardInterrupt):
            build_features(spark, settings, Breaking(lake, writes), features=few)  # type: ignore[arg-type]  # a stand-in
        changed = [name for name in TABLES if lake.version(name) != versions[name]]
        assert changed == list(TABLES[: max(writes, len(changed))])
        for name in TABLES:
            if name in changed:
                assert content(lake.read(name)) == after.setdefault(name, content(lake.read(name))), name
            else:
                assert content(lake.read(name)) == before[name], name
    report = build_features(spark, settings, lake, features=few)
    assert report.months == [MONTHS[2], date(2023, 4, 1)]
    assert all(content(lake.read(name)) == rows for name, rows in after.items())
    assert build_features(spark, settings, lake, features=few).months == []
