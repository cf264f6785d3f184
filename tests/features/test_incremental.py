"""Months are built again when what they rest on has changed, and the result is that of a full build."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.features import stage
from pozytywka_spark.features.build import build_months
from pozytywka_spark.features.build import prepared as prepared_stage
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.listening import plays, skips
from pozytywka_spark.features.declared.values import Value
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake.api import Lake
from tests.worlds.histories import (
    FIRST_MONTHS,
    MONTHS,
    TABLES,
    content,
    contents,
    deliver,
    histories,
    prepared,
    some_features,
    write_catalogue,
)

ORDERS = 30
FEW = some_features()


def entry(name: str, value: Value) -> Feature:
    return Feature(name=name, meaning="", unit="1", kind="count", null="", value=value)


def fingerprints(lake: Lake) -> pl.DataFrame:
    rows = pl.DataFrame(pl.from_arrow(lake.rows("feature_builds")))
    return rows.select("month", "inputs", "event_count", "event_hash", "last_event", "days", "labels").sort(
        "month"
    )


@pytest.fixture(scope="module")
def whole(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """All deliveries of all orders, built at once."""
    worlds = histories(ORDERS)
    settings, lake = prepared(spark, tmp_path_factory.mktemp("whole"))
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    assert len(build_features(spark, settings, lake, full=True, features=FEW).months) == 4
    return lake


def test_incremental_equals_full_after_thirty_orders_of_delivery(
    spark: SparkSession, tmp_path: Path, whole: Lake
) -> None:
    """Deliveries with notes in their files and without, in turn; three buckets where the whole has one."""
    worlds = histories(ORDERS)
    settings, lake = prepared(spark, tmp_path / "torn")
    write_catalogue(lake, worlds.catalogue)
    for number, events in enumerate(worlds.deliveries):
        deliver(lake, events, noted=number % 2 == 0, buckets=3)
        report = build_features(spark, settings, lake, features=FEW)
        assert (report.months[0], report.stale) == (FIRST_MONTHS[number], [])
    for name in TABLES:
        assert content(lake, name) == content(whole, name), name
    assert fingerprints(lake).equals(fingerprints(whole))


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
    few, worlds = FEW[:30], histories(4)
    settings, lake = prepared(spark, tmp_path / "broken")
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.deliveries[0])
    build_features(spark, settings, lake, features=few)
    before = contents(lake)
    deliver(lake, worlds.deliveries[2])
    versions = {name: lake.version(name) for name in TABLES}
    after: dict[str, list] = {}
    with pytest.raises(KeyboardInterrupt):  # right after the record that months are being rewritten
        build_features(spark, settings, Breaking(lake, 1), features=few)  # type: ignore[arg-type]  # a stand-in
    assert {name: lake.version(name) for name in TABLES} == versions
    for writes in range(1, len(TABLES) + 1):
        with pytest.raises(KeyboardInterrupt):
            build_features(spark, settings, Breaking(lake, writes), features=few)  # type: ignore[arg-type]  # a stand-in
        changed = [name for name in TABLES if lake.version(name) != versions[name]]
        assert changed == list(TABLES[:writes])
        for name in TABLES:
            found = content(lake, name)
            assert found == (after.setdefault(name, found) if name in changed else before[name]), name
    report = build_features(spark, settings, lake, features=few)
    assert report.months == [date(2023, 3, 1), date(2023, 4, 1)]
    assert all(content(lake, name) == rows for name, rows in after.items())
    assert build_features(spark, settings, lake, features=few).months == []


def test_what_a_broken_run_wrote_is_not_taken_for_what_was_there_before(
    spark: SparkSession, tmp_path: Path
) -> None:
    """Arithmetic is changed, the run dies before its record, the change is taken back."""
    worlds = histories(2)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    own = entry("own", skips)
    other = replace(own, value=skips + 1)
    build_features(spark, settings, lake, features=[own])
    before = contents(lake)
    with pytest.raises(KeyboardInterrupt):  # the first write is the record, the last one the labels
        build_features(spark, settings, Breaking(lake, len(TABLES)), features=[other])  # type: ignore[arg-type]  # a stand-in
    assert content(lake, "features") != before["features"]
    assert build_features(spark, settings, lake, features=[own]).months == MONTHS
    assert contents(lake) == before


@pytest.fixture(scope="module")
def first_and_all(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, list], dict[str, list]]:
    """A lake with the first delivery built and all others to build; what it holds, and what it would then."""
    worlds, homes = histories(2), [tmp_path_factory.mktemp(name) for name in ("first", "all")]
    found = []
    for home, built in zip(homes, (worlds.deliveries[0], worlds.events), strict=True):
        settings, lake = prepared(spark, home)
        write_catalogue(lake, worlds.catalogue)
        deliver(lake, built)
        build_features(spark, settings, lake, features=FEW[:30])
        found.append(contents(lake))
    _, first = prepared(spark, homes[0])
    for events in worlds.deliveries[1:]:
        deliver(first, events)
    return homes[0], found[0], found[1]


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (prepared_stage, "run_first"),
        (build_months, "measure_months"),
        (build_months, "make_features"),
        (stage, "run_guards"),
    ],
    ids=["first pass", "second pass", "third pass", "guards"],
)
def test_a_run_broken_after_a_pass_has_committed_nothing_and_is_repeated(
    spark: SparkSession,
    first_and_all: tuple[Path, dict[str, list], dict[str, list]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    step: str,
) -> None:
    """What tasks wrote is in no table: files that no commit names, and nothing left in the staging folder."""
    home, before, undisturbed = first_and_all
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    settings, lake = prepared(spark, tmp_path)
    whole = getattr(module, step)

    def broken(*args: object, **more: object) -> None:
        whole(*args, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, step, broken)
        with pytest.raises(KeyboardInterrupt):
            build_features(spark, settings, lake, features=FEW[:30])
    assert contents(lake) == before
    assert list(Path(lake.root, "_staging").iterdir()) == []
    build_features(spark, settings, lake, features=FEW[:30])
    assert contents(lake) == undisturbed


def test_another_catalogue_for_some_months_is_one_for_all(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(2)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    january = (date(2023, 1, 1), date(2023, 1, 1))
    build_features(spark, settings, lake, features=FEW[:5])
    report = build_features(spark, settings, lake, features=FEW[:6], months=january)
    assert (len(report.months), report.stale) == (4, [])
    told = "the table of features has other columns than the catalogue: all months are built"
    assert report.whole_because == told
    assert build_features(spark, settings, lake, features=FEW[:7]).whole_because is None, "all were stale"
    assert build_features(spark, settings, lake, features=FEW[:7], months=january).months == [january[0]]


def test_a_month_that_is_gone_makes_some_months_all(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(2)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    build_features(spark, settings, lake, features=FEW[:5])
    lake.replace_partitions([], schemas.EVENTS, [{"event_month": MONTHS[1]}])
    report = build_features(spark, settings, lake, features=FEW[:5], months=(MONTHS[0], MONTHS[0]))
    assert report.months == [MONTHS[0], *MONTHS[2:]]
    told = "2023-02 is none of the data's any more: all months are built"
    assert report.whole_because == told
    kept = pl.DataFrame(pl.from_arrow(lake.rows("labels", ["month"])))
    assert kept["month"].unique().sort().to_list() == report.months


def test_another_measure_of_the_same_feature_for_some_months_is_one_for_all(
    spark: SparkSession, tmp_path: Path
) -> None:
    """The table of measures gets another column where the table of features has the same ones."""
    worlds = histories(2)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    others = [replace(skips, name="jumps"), plays]
    own = [entry(f"of_{i}", skips) for i in "ab"]
    build_features(spark, settings, lake, features=own)
    anew = [replace(one, value=other) for one, other in zip(own, others, strict=True)]
    report = build_features(spark, settings, lake, features=anew, months=(MONTHS[0], MONTHS[0]))
    assert (report.months, report.stale) == (MONTHS, [])
    told = "the table of measures has other columns than the catalogue: all months are built"
    assert report.whole_because == told


def test_what_features_read_of_the_catalogue_makes_all_months_stale(
    spark: SparkSession, tmp_path: Path
) -> None:
    worlds = histories(2)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    build_features(spark, settings, lake, features=FEW[:5])
    moved = [user | {"city": "Radom", "premium_user": True} for user in worlds.catalogue["users"]]
    write_catalogue(lake, {**worlds.catalogue, "users": moved})
    versions = {name: lake.version(name) for name in TABLES}
    report = build_features(spark, settings, lake, features=FEW[:5])
    assert (report.months, report.stale) == ([], []), "who lives where, and who has bought, is no feature"
    assert {name: lake.version(name) for name in TABLES} == versions
    others = [user | {"favourite_genres": ["g1"]} for user in moved]
    write_catalogue(lake, {**worlds.catalogue, "users": others})
    assert len(build_features(spark, settings, lake, features=FEW[:5]).months) == 4
