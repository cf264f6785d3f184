"""Features of groups and languages: as an oracle has them, incremental as full, guarded, anew by a refit."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import GuardError, UsageError
from pozytywka_spark.features.declared.catalogue import CATALOGUE, catalogue_of, tables_needed
from pozytywka_spark.features.declared.extra import extra_features
from pozytywka_spark.features.declared.groups import FEATURES as OPTIONAL
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from tests.features.groups_oracle import group_features
from tests.features.in_kernels import build
from tests.worlds.histories import (
    FIRST_MONTHS,
    TABLES,
    Histories,
    Rows,
    as_events,
    content,
    deliver,
    histories,
    prepared,
    write_catalogue,
)

NAMES = [feature.name for feature in OPTIONAL]
TOPICS = (schemas.GENRE_GROUPS, schemas.ARTIST_GROUPS, schemas.TRACK_LANGUAGES)
GROUPS = [f"group {number}" for number in range(70)]  # more than a word of a mask has bits


def grouped(worlds: int, seed: int = 3) -> tuple[Histories, dict[str, Rows]]:
    """Little worlds whose artists, genres and tracks have groups and languages, or none."""
    dice, plain = random.Random(seed), histories(worlds)
    genres = [f"g{number}" for number in range(140)]
    few = dice.sample(GROUPS, 12)
    topics: dict[str, Rows] = {
        "genre_groups": [
            {"genre": genre, "group_id": dice.choice([*few, *GROUPS, "other"])} for genre in genres[:-5]
        ],
        "artist_groups": [
            {"id": row["id"], "group_id": dice.choice([None, "other", *few]),
             "language": dice.choice([None, "pl", "en", "pt"])}
            for row in plain.catalogue["artists"]
            if dice.random() < 0.95
        ],
        "track_languages": [
            {"id": row["id"], "language": dice.choice(["pl", "tr"])}
            for row in plain.catalogue["tracks"]
            if dice.random() < 0.3
        ],
    }  # fmt: skip
    users = [
        row
        | {
            "favourite_genres": dice.choice(
                [None, [], [None], dice.sample(genres, 25), dice.sample(genres, 60)]
            )
        }
        for row in plain.catalogue["users"][:-3]
    ]
    return Histories({**plain.catalogue, "users": users}, plain.deliveries), topics


def write_topics(lake: Lake, topics: Mapping[str, Rows]) -> None:
    for table in TOPICS:
        lake.overwrite(as_table(topics[table.name], table), table)


def free_rows(events: Rows) -> list[dict[str, Any]]:
    """Events of users up to the end of the month before they buy: what features are made of."""
    bought = {}
    for event in sorted(events, key=lambda each: each["event_time"]):
        if event["event_type"] == "BUY_PREMIUM":
            bought.setdefault(event["user_id"], event["event_time"].date().replace(day=1))
    return [
        event
        for event in events
        if event["event_time"].date().replace(day=1) < bought.get(event["user_id"], date.max)
    ]


def test_they_equal_the_oracle() -> None:
    worlds, topics = grouped(60)
    tables = {**worlds.catalogue, **topics, "events": as_events(worlds.events, 1).to_dicts()}
    made = build(tables, OPTIONAL).features
    wanted = group_features(tables, free_rows(worlds.events))
    assert made.height == len(wanted) > 300
    for row in made.iter_rows(named=True):
        expected = wanted[row["user_id"], row["month"]]
        assert {name: row[name] for name in NAMES} == pytest.approx(expected, abs=1e-10), row
    assert {name for name in NAMES if made[name].n_unique() < 3} == set(), "each is tried"


@pytest.fixture(scope="module")
def built(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a lake with all deliveries built at once."""
    worlds, topics = grouped(12)
    home = tmp_path_factory.mktemp("whole")
    settings, lake = prepared(spark, home)
    write_catalogue(lake, worlds.catalogue)
    write_topics(lake, topics)
    deliver(lake, worlds.events)
    build_features(spark, settings, lake, full=True, features=OPTIONAL)
    return home


@pytest.fixture
def whole(spark: SparkSession, built: Path) -> Lake:
    """All deliveries built at once, to be read only."""
    return prepared(spark, built)[1]


def test_incremental_equals_full(spark: SparkSession, tmp_path: Path, whole: Lake) -> None:
    """In three buckets, where the whole has one."""
    worlds, topics = grouped(12)
    settings, lake = prepared(spark, tmp_path / "torn")
    write_catalogue(lake, worlds.catalogue)
    write_topics(lake, topics)
    for number, events in enumerate(worlds.deliveries):
        deliver(lake, events, buckets=3)
        report = build_features(spark, settings, lake, features=OPTIONAL)
        assert report.months[0] == FIRST_MONTHS[number]
    for name in TABLES:
        assert content(lake, name) == content(whole, name), name


def test_a_refit_rebuilds_what_rests_on_it_under_the_guards(
    spark: SparkSession, tmp_path: Path, built: Path
) -> None:
    """After it all is as in a lake that never knew another fit, and no feature looks ahead."""
    worlds, _ = grouped(12)
    _, refitted = grouped(12, seed=4)
    shutil.copytree(built, tmp_path / "refit")
    settings, lake = prepared(spark, tmp_path / "refit", "guards.perturbation=true")
    before = content(lake, "features")
    write_topics(lake, refitted)
    report = build_features(spark, settings, lake, features=OPTIONAL)
    assert (len(report.months), report.stale) == (4, [])
    assert report.guards[-1].checked.startswith("all ")
    assert build_features(spark, settings, lake, features=OPTIONAL).months == []
    settings, other = prepared(spark, tmp_path / "other")
    write_catalogue(other, worlds.catalogue)
    write_topics(other, refitted)
    deliver(other, worlds.events)
    build_features(spark, settings, other, features=OPTIONAL)
    assert content(lake, "features") == content(other, "features") != before


def test_a_leak_through_groups_is_caught(spark: SparkSession, tmp_path: Path) -> None:
    """A count of groups that sees the user's next month."""
    worlds, topics = grouped(12)
    settings, lake = prepared(spark, tmp_path, "guards.perturbation=true")
    write_catalogue(lake, worlds.catalogue)
    write_topics(lake, topics)
    deliver(lake, worlds.events)
    ahead = pl.col("groups").shift(-1).over("user_id", order_by="month").fill_null(0)
    honest = next(feature for feature in OPTIONAL if feature.name == "groups_listened")
    leaky = replace(honest, value=replace(honest.value.as_formula(), expression=lambda: ahead))
    with pytest.raises(GuardError, match="guard perturbation: feature groups_listened of user"):
        build_features(spark, settings, lake, features=[leaky])


def test_they_are_there_only_with_all_their_tables() -> None:
    settings = load_settings("local", [])
    needed = {table.name for table in TOPICS}
    assert tables_needed(OPTIONAL) == tuple(sorted(needed))
    assert catalogue_of(settings) == CATALOGUE
    assert catalogue_of(settings, needed) == (*CATALOGUE, *OPTIONAL)
    without = catalogue_of(settings, needed - {"track_languages"})
    assert [feature.name for feature in without[len(CATALOGUE) :]] == NAMES[:7]


def test_an_entry_of_ones_own_says_which_tables_its_level_needs() -> None:
    told = "forgetful is made of the level group: its `needs` lacks genre_groups"
    with pytest.raises(UsageError, match=told):
        extra_features(["tests.features.forgetful_features"], CATALOGUE)
