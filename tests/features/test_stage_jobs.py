"""What a run asks of Spark and of the lake: three jobs and a commit a table, however many months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.features import stage
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.lake import run_tasks
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.table_files import TableFiles
from tests.worlds.histories import (
    MONTHS,
    TABLES,
    deliver,
    histories,
    prepared,
    some_features,
    write_catalogue,
)

FEW = some_features()[:20]
JOBS = ["FirstJob", "MeasureMonths", "MakeFeatures"]
GUARDS = ["CheckRows", "SingleFeatures"]
RECORD = ("feature_builds", "data_span")


class Counting:
    """A lake that notes the work that its tasks are given."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.works = lake, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lake, name)

    @contextmanager
    def tasks(self) -> Iterator[Any]:
        with self.lake.tasks() as tasks:
            yield _Noting(tasks, self.works)


class _Noting:
    def __init__(self, tasks: Any, works: list[str]) -> None:
        self.within, self.works = tasks, works

    def __getattr__(self, name: str) -> Any:
        return getattr(self.within, name)

    def run(self, items: Sequence[Any], work: Any, **how: Any) -> Any:
        if items:
            self.works.append(type(work).__name__)
        return self.within.run(items, work, **how)


@contextmanager
def spark_jobs(spark: SparkSession) -> Iterator[list[int]]:
    """The jobs and stages that Spark was given inside, once the block is over."""
    tracker, counted = spark.sparkContext.statusTracker(), []
    before = set(tracker.getJobIdsForGroup(None))
    yield counted
    jobs = set(tracker.getJobIdsForGroup(None)) - before
    counted += [len(jobs), sum(len(tracker.getJobInfo(job).stageIds) for job in jobs)]


@pytest.fixture
def always_in_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No work is so small that the process does it by itself; workers aren't started in advance."""
    monkeypatch.setattr(run_tasks, "INLINE_BYTES", -1)
    monkeypatch.setattr(stage, "workers_awake", lambda *_: nullcontext())


@pytest.mark.usefixtures("always_in_tasks")
def test_a_build_is_three_jobs_and_a_commit_a_table(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(6)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, [event for event in worlds.events if event["event_time"].month < 4], noted=False)
    for months, more in ((MONTHS[:3], GUARDS), (MONTHS[3:], GUARDS), ([], [])):
        counting = Counting(lake)
        versions = {name: lake.version(name) if lake.exists(name) else -1 for name in (*TABLES, *RECORD)}
        with spark_jobs(spark) as counted:
            report = build_features(spark, settings, counting, features=FEW)  # type: ignore[arg-type]  # a stand-in
        assert report.months == months
        jobs = [*JOBS, *more] if months else []
        assert (counting.works, counted) == (jobs, [len(jobs), len(jobs)])
        grown = 1 if months else 0
        assert {name: lake.version(name) - versions[name] for name in versions} == dict.fromkeys(
            versions, grown
        )
        if months == MONTHS[:3]:
            deliver(lake, [event for event in worlds.events if event["event_time"].month == 4])


def test_nothing_new_opens_no_file_of_rows(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = histories(2)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    first = build_features(spark, settings, lake, features=FEW)
    opened: list[str] = []
    read = TableFiles.read

    def noting(files: TableFiles, file: DataFile, columns: Sequence[str] | None = None) -> Any:
        opened.append(file.place.removeprefix(f"{lake.root}/").partition("/")[0])
        return read(files, file, columns)

    monkeypatch.setattr(TableFiles, "read", noting)
    monkeypatch.setattr("pyarrow.parquet.read_metadata", lambda *_, **__: pytest.fail("a footer was read"))
    with spark_jobs(spark) as counted:
        again = build_features(spark, settings, lake, features=FEW)
    assert (again.months, counted) == ([], [0, 0])
    assert set(opened) == set(RECORD)
    assert (again.labels, again.rows, again.span) == (first.labels, first.rows, first.span)


def test_guards_that_fail_leave_the_lake_as_it_was(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(2)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, worlds.catalogue)
    deliver(lake, worlds.events)
    build_features(spark, settings, lake, features=FEW)
    versions = {name: lake.version(name) for name in (*TABLES, *RECORD)}
    deliver(lake, [worlds.events[0] | {"session_id": 7, "event_type": "BUY_PREMIUM", "track_id": None}])

    def refuse(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stage, "run_guards", refuse)
        with pytest.raises(KeyboardInterrupt):
            build_features(spark, settings, lake, features=FEW)
    assert {name: lake.version(name) for name in versions} == versions
    assert build_features(spark, settings, lake, features=FEW, commit=False).months != []
    assert {name: lake.version(name) for name in versions} == versions
