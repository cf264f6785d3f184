"""Entries that need a table: there where the lake has it, stale when it says something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.dataset.prepare import pin
from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.declared.catalogue import (
    CATALOGUE,
    catalogue_hash,
    catalogue_of,
    declared_for,
    feature_order,
    tables_needed,
)
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.lake_catalogue import built_catalogue, entries_to_build
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from tests.features.needy_features import FEATURES
from tests.worlds.histories import MONTHS, contents, deliver, histories, prepared, write_catalogue

OWN = "features.extra=[tests.features.needy_features]"
NEEDY = FEATURES[0].name


def replaced(settings: Settings, drop: tuple[str, ...]) -> Settings:
    return settings.model_copy(update={"features": settings.features.model_copy(update={"drop": drop})})


def write_groups(lake: Lake, group: str, fit: str = "f1") -> None:
    rows = [{"id": "a0-0", "group_id": group, "subgroup_id": "s", "share": 1.0, "fit_id": fit}]
    lake.overwrite(as_table(rows, schemas.ARTIST_GROUPS), schemas.ARTIST_GROUPS)


def test_an_entry_is_there_where_its_tables_are() -> None:
    settings = load_settings("local", [OWN])
    assert catalogue_of(settings) == CATALOGUE
    assert catalogue_of(settings, ["artist_groups"]) == (*CATALOGUE, *FEATURES)
    assert catalogue_hash(settings) == catalogue_hash()
    assert catalogue_hash(settings, (*CATALOGUE, *FEATURES)) != catalogue_hash()
    assert tables_needed(FEATURES) == ("artist_groups",)
    assert declared_for(settings)[-1:] == FEATURES


def test_what_brings_nothing_is_given_to_models_only_where_it_is_asked_for() -> None:
    def given(*settings: str, entry: Feature) -> tuple[str, ...]:
        return feature_order(load_settings("local", [OWN, *settings]), (*CATALOGUE, entry))

    dull = replace(FEATURES[0], by_default=False)
    take, drop = f"features.take=[{NEEDY}]", f"features.drop=[{NEEDY}]"
    assert given(entry=FEATURES[0]) == given(take, entry=dull) == (*feature_order(), NEEDY)
    assert given(entry=dull) == given(take, drop, entry=dull) == given(drop, entry=dull) == feature_order()


@pytest.mark.parametrize("setting", ["drop", "take"])
def test_what_is_dropped_or_taken_has_to_be_an_entry_of_some_lake(setting: str) -> None:
    assert feature_order(load_settings("local", [OWN, f"features.{setting}=[{NEEDY}]"])) == feature_order()
    with pytest.raises(UsageError, match=rf"features.{setting}: no such feature: nothing"):
        feature_order(load_settings("local", [f"features.{setting}=[nothing]"]))


def test_an_entry_comes_with_its_table_and_what_it_says_makes_months_stale(
    spark: SparkSession, tmp_path: Path
) -> None:
    settings, lake = prepared(spark, tmp_path, OWN, "features.drop=[tenure_days]")
    worlds = histories(2)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    build_features(spark, settings, lake)
    plain = contents(lake)
    assert built_catalogue(settings, lake).order == feature_order(settings)

    write_groups(lake, "metal")
    there = entries_to_build(settings, lake)
    assert [feature.name for feature in there][-1] == NEEDY
    before = built_catalogue(settings, lake)
    assert (before.order, before.tables) == (feature_order(settings), ()), "until the next build"
    assert build_features(spark, settings, lake).months == MONTHS
    assert built_catalogue(settings, lake).order == (*feature_order(settings), NEEDY)
    assert built_catalogue(settings, lake).tables == ("artist_groups",)
    assert "artist_groups" in pin(settings, lake).versions, "part of a model's lineage"
    assert "artist_groups" not in pin(replaced(settings, drop=(NEEDY,)), lake).versions
    assert built_catalogue(settings, lake, version=0).order == feature_order(settings)
    assert built_catalogue(settings, lake).hash == catalogue_hash(settings, there) != before.hash

    write_groups(lake, "metal", fit="f2")
    assert build_features(spark, settings, lake).months == [], "another fit that says the same"
    write_groups(lake, "samba")
    assert build_features(spark, settings, lake).months == MONTHS, "a refit that moves an artist"
    assert build_features(spark, settings, lake).months == []

    without, _ = prepared(spark, tmp_path, "features.drop=[tenure_days]")
    assert build_features(spark, without, lake).months == MONTHS
    assert contents(lake) == plain
    assert build_features(spark, without, lake).months == []
