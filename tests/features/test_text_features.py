"""Features of texts: as an oracle has them, incremental as full, guarded, there only where texts are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.texts import text_rows
from pozytywka_spark.features.declared.catalogue import CATALOGUE, catalogue_hash, catalogue_of
from pozytywka_spark.features.declared.texts import FEATURES
from pozytywka_spark.features.guards.invent import texts_in
from pozytywka_spark.features.guards.worlds import World
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake.api import Lake
from tests.features.in_kernels import QUEUES, build, table_rows
from tests.features.texts_oracle import text_features
from tests.worlds.histories import (
    MONTHS,
    TABLES,
    Rows,
    as_events,
    content,
    contents,
    deliver,
    histories,
    prepared,
    write_catalogue,
)

NAMES = [feature.name for feature in FEATURES]


def signals_of(worlds: int, seed: int = 5, start: date = date(2022, 1, 20), days: int = 480) -> Rows:
    """Texts before, within and after the months with events, by users with events and others."""
    dice = random.Random(seed)
    first = datetime(start.year, start.month, start.day, tzinfo=UTC)
    return [
        {
            "feedback_id": f"f{number}",
            "feedback_time": first + timedelta(hours=dice.randint(0, days * 24)),
            "user_id": dice.randint(0, worlds) * 10 + dice.randint(0, 3),
            "sentiment": dice.choice([None, dice.uniform(-1, 1), 0.25]),
            "queue_best": dice.choice([None, "payment", "adverts", "playback"]),
            "spam": dice.choice([None, False, True]),
        }
        for number in range(worlds * 40)
    ]


def write_signals(lake: Lake, rows: Sequence[dict[str, Any]], buckets: int = 1) -> None:
    """In files of so many buckets, whatever the events lie in."""
    made = table_rows(schemas.FEEDBACK_SIGNALS, rows).with_columns(
        feedback_month=pl.col("feedback_time").dt.date().dt.month_start(),
        user_bucket=user_bucket(pl.col("user_id"), buckets),
    )
    lake.overwrite(made.to_arrow().cast(lake_schema()), schemas.FEEDBACK_SIGNALS)


def lake_schema() -> Any:
    from pozytywka_spark.lake.casting import arrow_schema

    return arrow_schema(schemas.FEEDBACK_SIGNALS.schema)


def test_they_equal_the_oracle() -> None:
    worlds, signals = histories(40), signals_of(40)
    tables = {
        **worlds.catalogue,
        "events": as_events(worlds.events, 1).to_dicts(),
        "feedback_signals": signals,
    }
    made = build(tables, FEATURES).features
    wanted = text_features(signals, made.select("user_id", "month").rows())
    assert made.height > 200
    for row in made.iter_rows(named=True):
        expected = wanted[row["user_id"], row["month"]]
        assert {name: row[name] for name in NAMES} == pytest.approx(expected, abs=1e-6), row
    assert {name for name in NAMES if made[name].n_unique() < 3} == set(), "each is tried"


def test_texts_of_a_month_without_events_are_heard_later() -> None:
    events = [
        {"event_time": datetime(2023, month, 5, tzinfo=UTC), "event_type": kind, "user_id": 1,
         "session_id": 1, "track_id": "t0-0"}
        for month in (1, 3)
        for kind in ("PLAY", "LIKE")
    ]  # fmt: skip
    february = {"user_id": 1, "feedback_time": datetime(2023, 2, 1, tzinfo=UTC), "queue_best": "payment"}
    april = {"user_id": 1, "feedback_time": datetime(2023, 4, 1, tzinfo=UTC), "queue_best": "payment"}
    tables = {**histories(1).catalogue, "events": as_events(events, 1).to_dicts()}
    made = build({**tables, "feedback_signals": [february, april]}, FEATURES).features
    assert made["asked_about_price_last_3_months"].to_list() == [0, 1]
    assert made["worst_sentiment_last_3_months"].to_list() == [None, None]


@pytest.fixture(scope="module")
def whole(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """All texts and events, built at once."""
    worlds = histories(10)
    settings, lake = prepared(spark, tmp_path_factory.mktemp("whole"))
    write_catalogue(lake, worlds.catalogue)
    write_signals(lake, signals_of(10), 2)
    deliver(lake, worlds.events)
    build_features(spark, settings, lake, full=True, features=FEATURES)
    return lake


def test_incremental_equals_full_and_texts_that_come_late_make_their_months_stale(
    spark: SparkSession, tmp_path: Path, whole: Lake
) -> None:
    """Events and some of the texts in three buckets, where the whole has its events in one."""
    worlds, signals = histories(10), signals_of(10)
    settings, lake = prepared(spark, tmp_path / "torn")
    write_catalogue(lake, worlds.catalogue)
    early = [row for row in signals if row["feedback_time"] < datetime(2023, 3, 1, tzinfo=UTC)]
    march = [row for row in signals if row["feedback_time"] < datetime(2023, 4, 1, tzinfo=UTC)]
    deliver(lake, worlds.events, buckets=3)
    write_signals(lake, early)
    assert build_features(spark, settings, lake, features=FEATURES).months == MONTHS
    write_signals(lake, march, 3)
    assert build_features(spark, settings, lake, features=FEATURES).months == MONTHS[2:]
    write_signals(lake, signals)
    assert build_features(spark, settings, lake, features=FEATURES).months == MONTHS[3:]
    write_signals(lake, signals[::-1], 3)
    assert build_features(spark, settings, lake, features=FEATURES).months == [], "the same in other files"
    for name in TABLES:
        assert content(lake, name) == content(whole, name), name


def test_they_come_with_their_table_and_go_with_it_and_queues_decide_them(
    spark: SparkSession, tmp_path: Path
) -> None:
    worlds, signals = histories(2), signals_of(2)
    settings, lake = prepared(spark, tmp_path, "guards.perturbation=true")
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    build_features(spark, settings, lake)
    plain = contents(lake)
    assert not set(NAMES) & set(lake.schema("features").names)
    assert catalogue_hash(settings) == catalogue_hash(settings, CATALOGUE)

    write_signals(lake, signals)
    report = build_features(spark, settings, lake)
    assert (report.months, report.guards[-1].guard) == (MONTHS, "perturbation")
    assert set(NAMES) <= set(lake.schema("features").names)
    entries = catalogue_of(settings, ["feedback_signals"])
    assert [feature.name for feature in entries][len(CATALOGUE) :] == NAMES
    asked = content(lake, "features")
    other, _ = prepared(spark, tmp_path, "feedback.price_queues=[playback]")
    assert build_features(spark, other, lake).months == MONTHS
    assert content(lake, "features") != asked

    (tmp_path / "gone").mkdir()
    without, bare = prepared(spark, tmp_path / "gone")
    write_catalogue(bare, worlds.catalogue)
    deliver(bare, worlds.events)
    build_features(spark, without, bare)
    assert contents(bare) == plain


def test_a_leak_through_texts_is_caught(spark: SparkSession, tmp_path: Path) -> None:
    """A count of texts that sees the user's next month."""
    worlds = histories(10)
    settings, lake = prepared(spark, tmp_path, "guards.perturbation=true")
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    write_signals(lake, signals_of(10))
    ahead = pl.col("texts_in_3").shift(-1).over("user_id", order_by="month").fill_null(0)
    honest = FEATURES[0]
    leaky = replace(honest, value=replace(honest.value.as_formula(), expression=lambda: ahead))
    with pytest.raises(GuardError, match="guard perturbation: feature texts_written_last_3_months of user"):
        build_features(spark, settings, lake, features=[leaky])


def test_a_guards_future_begins_at_the_cut_off_and_says_the_opposite() -> None:
    texts = text_rows(table_rows(schemas.FEEDBACK_SIGNALS, signals_of(40)), QUEUES)
    month = date(2023, 2, 1)
    cut_off = pl.lit(datetime(2023, 3, 1)).dt.epoch("us")
    past = texts.filter(pl.col("at") < cut_off)
    assert texts_in(World(month, "deleted"), texts).equals(past)
    scrambled = texts_in(World(month, "scrambled"), texts)
    future = scrambled.filter(pl.col("at") >= cut_off)
    assert scrambled.height == 2 * past.height
    assert scrambled.filter(pl.col("at") < cut_off).equals(past)
    assert future.filter(pl.col("at") == cut_off).height > 0.15 * future.height
    assert future["price"].sum() == past.height - past["price"].sum()
    assert texts_in(World(month, "deleted"), None) is None


def test_spam_says_nothing_and_an_unknown_queue_asks_nothing() -> None:
    at = datetime(2023, 1, 1, tzinfo=UTC)
    rows = [
        {"user_id": 1, "feedback_time": at, "sentiment": -0.5, "queue_best": "payment", "spam": None},
        {"user_id": 2, "feedback_time": at, "sentiment": None, "queue_best": None, "spam": False},
        {"user_id": 3, "feedback_time": at, "sentiment": 0.1, "queue_best": "adverts", "spam": True},
    ]
    made = text_rows(table_rows(schemas.FEEDBACK_SIGNALS, rows), QUEUES)
    assert made.drop("at").rows() == [(1, -500_000, 1, 0), (2, None, 0, 0)]


def test_settings_name_the_queues() -> None:
    settings = load_settings("local", ["feedback.price_queues=[billing, offers]"])
    assert settings.feedback.price_queues == ("billing", "offers")
