"""The scan over a lake: incremental equals full, killed and repeated, what other rules would find."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.errors import DataError
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.report import make_page
from pozytywka_spark.fraud.rules.backtest import backtest
from pozytywka_spark.fraud.rules.grammar import parse_rules
from pozytywka_spark.fraud.stage import scan
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from tests.fraud.oracle import signals_by_sql
from tests.worlds.histories import MONTHS, content, deliver, histories, prepared, write_catalogue

TABLES = ("signals", "rings", "cases")
RULES = """
- name: many
  group: bots
  meaning: many plays
  conditions: [plays >= 5]
- name: skips
  group: skimmers
  meaning: skips a lot
  conditions: [skip_share >= 0.9, plays >= 2]
"""


def lake_of(spark: SparkSession, home: Path, *given: str) -> tuple[Any, Lake]:
    home.mkdir(parents=True, exist_ok=True)
    rules = home / "rules.yaml"
    rules.write_text(RULES)
    return prepared(spark, home, f"fraud.rules={rules}", "guards.perturbation=true", *given)


def contents(lake: Lake) -> dict[str, list[tuple[Any, ...]]]:
    return {name: content(lake, name) for name in TABLES}


def test_incremental_equals_full_and_the_other_engine(spark: SparkSession, tmp_path: Path) -> None:
    """In three buckets of users as in one."""
    worlds = histories(12)
    settings, lake = lake_of(spark, tmp_path / "torn")
    write_catalogue(lake, worlds.catalogue)
    for number, events in enumerate(worlds.deliveries):
        deliver(lake, events, noted=number % 2 == 0, buckets=3)
        report = scan(spark, settings, lake)
        assert report.signals
        assert report.compared
        assert scan(spark, settings, lake).unchanged
    settings, whole = lake_of(spark, tmp_path / "whole")
    write_catalogue(whole, worlds.catalogue)
    deliver(whole, worlds.events)
    full = scan(spark, settings, whole, full=True)
    assert (full.signals, full.months) == (tuple(MONTHS), tuple(MONTHS))
    assert contents(lake) == contents(whole)
    assert full.cases == len(content(whole, "cases")) > 0
    events = pl.DataFrame(pl.from_arrow(whole.rows("events")))
    artists = pl.from_arrow(whole.rows("tracks", ["id", "id_artist"])).rename(
        {"id": "track_id", "id_artist": "artist_id"}
    )  # type: ignore[union-attr]
    theirs = signals_by_sql(events, artists).drop("gap_deviation")
    mine = pl.DataFrame(pl.from_arrow(whole.rows("signals"))).select(theirs.columns).sort("user_id", "day")
    assert_frame_equal(mine, theirs, rel_tol=1e-12, abs_tol=1e-12)


class Breaking:
    """A lake that dies right after a write."""

    def __init__(self, lake: Lake, after: int) -> None:
        self.lake, self.left, self.last = lake, after, ""

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.lake, name)
        if name not in ("overwrite", "replace_partitions"):
            return attribute

        def write(*args: Any, **kwargs: Any) -> Any:
            done = attribute(*args, **kwargs)
            self.left, self.last = self.left - 1, args[1].name
            if self.left == 0:
                raise KeyboardInterrupt
            return done

        return write


def test_a_scan_broken_after_any_commit_is_repeated(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(4)
    settings, lake = lake_of(spark, tmp_path / "broken")
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.deliveries[0])
    scan(spark, settings, lake)
    before = contents(lake)
    deliver(lake, worlds.deliveries[2])
    # the record forgets the months once: from the second time on the first write is that of the signals
    for number, writes in enumerate((1, 1, 2, 3)):
        with pytest.raises(KeyboardInterrupt):
            scan(spark, settings, Breaking(lake, writes))  # type: ignore[arg-type]  # a stand-in
        same = [name for name in TABLES if content(lake, name) == before[name]]
        assert ("signals" in same) == (number == 0)
    report = scan(spark, settings, lake)
    assert report.signals == (date(2023, 3, 1), date(2023, 4, 1))
    settings, whole = lake_of(spark, tmp_path / "whole")
    write_catalogue(whole, worlds.catalogue)
    deliver(whole, [*worlds.deliveries[0], *worlds.deliveries[2]])
    scan(spark, settings, whole)
    assert contents(lake) == contents(whole)
    assert scan(spark, settings, lake).unchanged


def test_a_scan_broken_after_its_record_is_done(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(4)
    settings, lake = lake_of(spark, tmp_path / "broken")
    other, whole = lake_of(spark, tmp_path / "whole")
    for each in (lake, whole):
        write_catalogue(each, worlds.catalogue)
    # signals, rings, cases, the record; from the second time on the record first forgets the months
    for events, writes in ((worlds.deliveries[0], 4), (worlds.deliveries[2], 5)):
        for each in (lake, whole):
            deliver(each, events)
        breaking = Breaking(lake, writes)
        with pytest.raises(KeyboardInterrupt):
            scan(spark, settings, breaking)  # type: ignore[arg-type]  # a stand-in
        assert breaking.last == "fraud_scans"
        scan(spark, other, whole)
        record = content(lake, "fraud_scans")
        assert scan(spark, settings, lake).unchanged
        assert content(lake, "fraud_scans") == record
        assert contents(lake) == contents(whole)


def test_other_rules_make_cases_anew_and_no_signal(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(6)
    settings, lake = lake_of(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    scan(spark, settings, lake)
    before, version = contents(lake), lake.version("signals")
    (tmp_path / "rules.yaml").write_text(RULES.replace("plays >= 5", "plays >= 9"))
    report = scan(spark, settings, lake)
    assert (report.signals, report.months) == ((), tuple(MONTHS))
    assert lake.version("signals") == version
    assert content(lake, "cases") != before["cases"]
    (tmp_path / "rules.yaml").write_text(RULES)
    scan(spark, settings, lake, months=(MONTHS[0], MONTHS[-1]))
    assert contents(lake) == before


def test_months_rest_on_those_before(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(3)
    settings, lake = lake_of(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    with pytest.raises(DataError, match="rests on 2023-01"):
        scan(spark, settings, lake, months=(MONTHS[2], MONTHS[3]))
    scan(spark, settings, lake)
    before = contents(lake)
    report = scan(spark, settings, lake, months=(MONTHS[2], MONTHS[2]))
    assert (report.signals, report.months) == ((MONTHS[2],), (MONTHS[2],))
    assert contents(lake) == before


def test_a_rule_that_flags_half_of_all_days_commits_nothing(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(6)
    settings, lake = lake_of(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    (tmp_path / "rules.yaml").write_text(RULES.replace("plays >= 5", "plays >= 0"))
    with pytest.raises(DataError, match="rule many flags"):
        scan(spark, settings, lake)
    assert not any(lake.exists(name) for name in (*TABLES, "fraud_scans"))


def test_no_events(spark: SparkSession, tmp_path: Path) -> None:
    settings, lake = lake_of(spark, tmp_path)
    with pytest.raises(DataError, match="table events is not in"):
        scan(spark, settings, lake)
    with pytest.raises(DataError, match="run fraud scan first"):
        make_page(settings, lake)
    with pytest.raises(DataError, match="run fraud scan first"):
        backtest(lake, (), (), None)


def test_rules_that_are_tried_and_the_page(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(10)
    settings, lake = lake_of(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    scan(spark, settings, lake)
    days = pl.DataFrame(pl.from_arrow(lake.rows("signals")))
    cases = pl.DataFrame(pl.from_arrow(lake.rows("cases")))
    bots = cases.filter(pl.col("group") == "bots").sort("case_id")
    said = [
        {
            "case_id": case,
            "reviewer": "r",
            "verdict": "bad" if number % 3 else "ok",
            "decided_at": when,
            "source": "person",
        }
        for number, (case, when) in enumerate(bots.select("case_id", "cut_off").iter_rows())
    ]
    lake.overwrite(pa.Table.from_pylist(said, arrow_schema(schemas.VERDICTS.schema)), schemas.VERDICTS)
    versions = {name: lake.version(name) for name in (*TABLES, "fraud_scans", "verdicts")}
    present = parse_rules(RULES, "rules.yaml", NAMES)
    tried = parse_rules(RULES.replace("many", "fewer").replace("plays >= 5", "plays >= 4"), "try.yaml", NAMES)
    done = backtest(lake, tried, present, None)
    fewer = done.rules[0]
    assert (done.days, done.months) == (days.height, 4)
    assert fewer.days == days.filter(pl.col("plays") >= 4).height
    assert fewer.harm == days.filter(pl.col("plays") >= 4).get_column("plays").sum()
    assert fewer.overlap["many"] == days.filter(pl.col("plays") >= 5).height == bots.height
    assert (fewer.bad, fewer.ok) == (
        sum(row["verdict"] == "bad" for row in said),
        sum(row["verdict"] == "ok" for row in said),
    )
    part = backtest(lake, tried, present, (MONTHS[1], MONTHS[1]))
    assert part.days == days.filter(pl.col("day").dt.month() == 2).height
    page = make_page(settings, lake)
    assert page == make_page(settings, lake)
    for words in (
        "many",
        "skimmers",
        "plays_before_purchase",
        f"{bots.height}",
        "No month scanned has a ring",
    ):
        assert words in page
    assert {name: lake.version(name) for name in versions} == versions
