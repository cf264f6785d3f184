"""Evaluate: a day's feed by the days after it, beside simpler rankings, into `feed_evaluations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.evaluate_work import KNOWN, ROWS, TALLY, AddTallies, JudgePages, MakeKnown
from pozytywka_spark.feed.inputs import check_day
from pozytywka_spark.feed.model import WEIGHTS, connected, weights_of_file
from pozytywka_spark.feed.prepare import Prepared, listeners_until, prepare, slice_events
from pozytywka_spark.feed.prepare_work import LISTENERS, SliceRows
from pozytywka_spark.feed.stage import by_slice, stages_of
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.tracking.plain_models import load_files

FORMAT = 1
_PAGE = ("user_id", "position", "track_id")


@dataclass(frozen=True)
class EvaluateReport:
    """Rows of `feed_evaluations`; `unchanged`: the same inputs had been evaluated before."""

    day: date
    rows: Sequence[Mapping[str, Any]]
    unchanged: bool


def evaluate(settings: Settings, lake: Lake, day: date) -> EvaluateReport:
    """Replace the day's evaluations; done again on the same inputs it leaves them alone.

    Raises `UsageError` if the days after it aren't over, `DataError` if the day was never ranked.
    """
    days = settings.feed.horizon_days
    check_day(settings, lake, day, days_after=days)
    stages = stages_of(lake, day)
    if not stages:
        raise DataError(f"there is no feed of {day} in {lake.root}: run feed rank --at {day} first")
    partition, table = [{"feed_date": day}], schemas.FEED_EVALUATIONS
    with lake.tasks() as tasks:
        sliced = slice_events(lake, tasks, day + timedelta(days=days))
        inputs = fingerprint_of([FORMAT, stages[0]["feed_id"], sliced.content, days])
        there = lake.rows(table.name, partitions=partition).to_pylist() if lake.exists(table.name) else []
        if there and {row["inputs"] for row in there} == {inputs}:
            return EvaluateReport(day, there, unchanged=True)
        prepared = prepare(settings, tasks, sliced, day)
        after = listeners_until(tasks, sliced, day + timedelta(days=days)).of(LISTENERS)
        pages = data_files(lake, tasks, schemas.FEED.name, None, partition)
        feed = by_slice(tasks, pages, SliceRows("pages", _PAGE, len(sliced.slices)))
        rows = _judged(settings, tasks, stages[0]["model_version"], prepared, after, feed)
        named = [{"feed_date": day, **row, "inputs": inputs} for row in rows]
        lake.replace_partitions(as_table(named, table), table, partition)
    return EvaluateReport(day, named, unchanged=False)


def _judged(
    settings: Settings,
    tasks: Tasks,
    version: str,
    prepared: Prepared,
    after: Sequence[Parcel],
    feed: Mapping[int, tuple[Parcel, ...]],
) -> list[dict[str, Any]]:
    known = tasks.run(
        [0],
        MakeKnown(prepared.listeners, prepared.tracks, prepared.farmed),
        weight=lambda _: sum(parcel.size for parcel in prepared.listeners),
        named=lambda _: "the simpler rankings",
    )
    tracking = connected(settings)
    weights = weights_of_file(load_files(tracking, int(version))[WEIGHTS]).values
    work = JudgePages(
        {int(parcel.key[0]): parcel for parcel in after},
        feed,
        blobs.one_of(known.of(KNOWN)),
        prepared.tracks,
        weights,
        settings.feed.horizon_days,
    )
    judged = tasks.run(
        prepared.listeners,
        work,
        weight=lambda parcel: 16 * parcel.size,
        named=lambda parcel: f"pages of slice {parcel.key[0]} of users",
    )
    told = tasks.run(
        [0],
        AddTallies(tuple(judged.of(TALLY)), prepared.tracks),
        weight=lambda _: 1,
        named=lambda _: "all pages",
    )
    names = ("ranking", "metric", "slice", "value", "low", "high", "users")
    return [dict(zip(names, row, strict=True)) for row in told.results[0][ROWS]]
