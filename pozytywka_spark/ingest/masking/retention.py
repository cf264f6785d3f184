"""Texts are deleted once they are older than `feedback.retention_months`, by the data's time."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.ingest.intake.lock import only_ingest
from pozytywka_spark.ingest.masking.text_files import rewrite_shards, shards_of, written_anew
from pozytywka_spark.ingest.resolve.new_texts import without_old_texts, write_texts
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.event_days import INGEST, recorded_span
from pozytywka_spark.lake.layout import buckets_of
from pozytywka_spark.lake.shards import DataFile, Shard
from pozytywka_spark.lake.tasks import Result, TaskFiles, Tasks
from pozytywka_spark.months import month_at, number_of
from pozytywka_spark.schemas import FEEDBACK

_EPOCH, _MICRO = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def texts_from(settings: Settings, lake: Lake, tasks: Tasks) -> datetime | None:
    """From when on texts are within their retention; None where nothing tells where the data end.

    That is where events end, strays left out (see `lake.data_span`); without events, behind the last text.
    """
    span = recorded_span(lake, settings.data, INGEST)
    end = span.end if span is not None else _last_text(lake, tasks)
    return None if end is None else months_before(end, settings.feedback.retention_months)


def months_before(moment: datetime, months: int) -> datetime:
    """The same day and time so many months before; the month's last day where it has no such day.

    >>> months_before(datetime(2024, 2, 29, 12), 12).isoformat()
    '2023-02-28T12:00:00'
    """
    month = month_at(number_of(moment.date()) - months)
    day = min(moment.day, calendar.monthrange(month.year, month.month)[1])
    return moment.replace(year=month.year, month=month.month, day=day)


def delete_old_texts(settings: Settings, lake: Lake, tasks: Tasks) -> None:
    """Delete texts that are over their retention, and files of the table that no longer belong to it."""
    if not lake.exists(FEEDBACK.name):
        return
    since, shards = texts_from(settings, lake, tasks), shards_of(lake, tasks)
    buckets = buckets_of(lake)
    if buckets > 1 and not any(shard.partition["user_bucket"] for shard in shards):  # texts before events
        place_texts(lake, tasks, buckets)
        shards = shards_of(lake, tasks)
    if since is not None:
        shards = [shard for shard in shards if shard.partition["feedback_month"] <= since.date()]
        rewrite_shards(lake, tasks, shards, DeleteTexts(since))


def tidy_texts(settings: Settings, lake: Lake) -> None:
    """`delete_old_texts` by itself: as long as it lasts no ingest is at work."""
    if not lake.exists(FEEDBACK.name):
        return
    with only_ingest(lake.root, settings.ingest), lake.tasks() as tasks:
        delete_old_texts(settings, lake, tasks)


def place_texts(lake: Lake, tasks: Tasks, buckets: int) -> None:
    """Lay the texts of users who are in another bucket of so many where they belong."""
    work = PlaceTexts(buckets)
    files = data_files(lake, tasks, FEEDBACK.name)
    done = tasks.run(files, work, weight=lambda file: file.rows, named=lambda file: file.place)
    if done.written:
        lake.upsert(done.written, FEEDBACK)


@dataclass(frozen=True)
class PlaceTexts:
    """Work on files of `feedback`: writes the rows of users who belong into another bucket of so many."""

    buckets: int

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[Result]:
        """Tells nothing."""
        belongs = user_bucket(pl.col("user_id"), self.buckets)
        for file in items:
            rows = files.read([file]).filter(belongs != pl.col("user_bucket"))
            write_texts(rows.with_columns(belongs.alias("user_bucket")), files)
        yield from ()


@dataclass(frozen=True)
class DeleteTexts:
    """Work on shards of `feedback`: writes those anew that have a text from before `since`, without it."""

    since: datetime

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[Result]:
        """Facts of each shard that changed."""
        for shard in items:
            rows = [files.read([file]) for file in shard.files]
            left = [without_old_texts(each, self.since) for each in rows]
            if _texts(left) < _texts(rows):
                yield written_anew(shard, left, files)


def _texts(frames: Sequence[pl.DataFrame]) -> int:
    return sum(frame.get_column("text").count() for frame in frames)


def last_times(items: Sequence[DataFile], files: TaskFiles) -> Iterator[Result]:
    """Work on files of `feedback`: the time of each one's last text, in microseconds since 1970."""
    for file in items:
        times = files.read([file], ["feedback_time"]).get_column("feedback_time")
        yield {"last": times.dt.epoch("us").max()}


def _last_text(lake: Lake, tasks: Tasks) -> datetime | None:
    shards = shards_of(lake, tasks)
    month = max((shard.partition["feedback_month"] for shard in shards), default=None)
    files = [file for shard in shards if shard.partition["feedback_month"] == month for file in shard.files]
    done = tasks.run(files, last_times, weight=lambda file: file.rows, named=lambda file: file.place)
    last = max((facts["last"] for facts in done.results), default=None)
    return None if last is None else _EPOCH + last * _MICRO + _MICRO
