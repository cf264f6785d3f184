"""A log on its way into `slot_decisions`: judged by tasks, what was taken before found, the rest written.

Three jobs: files of the log are judged and their rows put down by slice of `decision_id`; files of the table
are searched for those ids; each slice is brought together, twins removed, and written. No Spark here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_spark.bandits.judge import REASON, TWO_CONTENTS, content_of, judged
from pozytywka_spark.bandits.log_lines import NO_ROW, PLACE, SAID, TEXT, as_text, read_log, without_user
from pozytywka_spark.bandits.slots import SlotPlan
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import SLOT_DECISIONS, SLOT_DECISIONS_ASIDE

SOUND, ASIDE, IDS, BEFORE = "sound", "aside", "ids", "before"  # kinds of parcels
TAKEN, DUPLICATES, REFUSED, DAYS, ROWS = "taken", "duplicates", "refused", "days", "rows"
_TEXT_KEPT = 2000  # characters of a line that couldn't be taken
_IDS = pl.Schema({"decision_id": pl.String()})
_BEFORE = pl.Schema({"decision_id": pl.String(), "content": pl.String()})


@dataclass(frozen=True)
class LogFile:
    """A file of the log and its number among them."""

    path: str
    number: int
    size: int


@dataclass(frozen=True)
class JudgeFiles:
    """Work on files of the log: stages SOUND rows and their IDS by slice, ASIDE those that can't be taken;
    tells ROWS by file and DAYS, sound rows by day.
    """

    slots: Mapping[str, SlotPlan]
    slices: int

    def __call__(self, items: Sequence[LogFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a file."""
        for item in items:
            rows, days = 0, dict[str, int]()
            for chunk in read_log(item.path, item.number):
                told = judged(chunk, self.slots)
                rows += told.height
                sound = told.filter(pl.col(REASON).is_null())
                files.stage(ASIDE, as_aside(told.filter(pl.col(REASON).is_not_null()), item.path))
                by_day = sound.group_by(pl.col("decided_at").dt.date().cast(pl.String)).len()
                for day, count in by_day.iter_rows():
                    days[day] = days.get(day, 0) + count
                for number, mine in self._sliced(sound):
                    files.stage(SOUND, mine, (number,))
                    files.stage(IDS, mine.select("decision_id"))
            yield {"path": item.path, ROWS: rows, DAYS: days}

    def _sliced(self, sound: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
        rows = sound.select(*SAID, PLACE)
        if self.slices == 1:
            yield 0, rows
            return
        # stable within a release of Polars, and so within a run, for which alone slices are made
        slices = rows.get_column("decision_id").hash(seed=0) % self.slices
        for (number,), mine in rows.with_columns(slices.alias("slice")).group_by("slice"):
            assert isinstance(number, int)
            yield number, mine.drop("slice")


@dataclass(frozen=True)
class FindBefore:
    """Work on files of `slot_decisions`: stages BEFORE, what those of the log's ids said that are there."""

    ids: tuple[Parcel, ...]

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        ids = files.shared(self.ids)
        for file in items:
            there = files.read([file], ["decision_id"]).get_column("decision_id")
            if there.is_in(ids.get_column("decision_id").implode()).any():
                rows = files.read([file], list(SAID)).join(ids.unique(), on="decision_id", how="semi")
                files.stage(BEFORE, rows.select("decision_id", content_of()))
        yield from ()


@dataclass(frozen=True)
class WriteSlices:
    """Work on numbers of slices: writes what is new to `slot_decisions`, stages ASIDE what contradicts it."""

    sound: Mapping[int, tuple[Parcel, ...]]
    before: tuple[Parcel, ...]
    buckets: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        before = files.shared(self.before) if self.before else _BEFORE.to_frame()
        for number in items:
            rows = files.read(self.sound[number]).sort(PLACE)
            fresh, contradicting = without_twins(rows, before)
            files.stage(ASIDE, as_aside(contradicting, "log"))
            table = fresh.with_columns(
                pl.col("decided_at").dt.date().alias("day"),
                user_bucket(pl.col("user_id"), self.buckets).alias("user_bucket"),
            )
            for (day, bucket), mine in table.group_by("day", "user_bucket"):
                ordered = mine.sort("slot", "user_id", "decided_at", "decision_id")
                files.write(SLOT_DECISIONS, ordered, {"day": day, "user_bucket": bucket})
            yield {TAKEN: fresh.height, DUPLICATES: rows.height - fresh.height - contradicting.height}


@dataclass(frozen=True)
class WriteAside:
    """Work on one list of parcels of ASIDE: writes those that aren't aside yet, tells REFUSED by reason."""

    there: tuple[DataFile, ...]

    def __call__(self, items: Sequence[tuple[Parcel, ...]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line."""
        keys = ["content", "reason"]
        for parcels in items:
            rows = files.read(parcels).unique(keys, keep="first", maintain_order=True)
            if self.there:
                rows = rows.join(files.read(self.there, keys), on=keys, how="anti", maintain_order="left")
            files.write(SLOT_DECISIONS_ASIDE, rows.sort(keys))
            yield {REFUSED: dict(rows.group_by("reason").len().iter_rows())}


def without_twins(rows: pl.DataFrame, before: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is new of sound rows in their order, and what contradicts one that came before under its id.

    `before`: `decision_id`, `content` of what the table has. Whatever is in neither is there already.
    """
    keys = ["decision_id", "content"]
    spelt = rows.with_columns(content_of()).unique(keys, keep="first", maintain_order=True)
    known = spelt.join(
        before.select("decision_id", pl.col("content").alias("said")).unique("decision_id"),
        on="decision_id",
        how="left",
        maintain_order="left",
    )
    is_first = pl.int_range(pl.len()).over("decision_id") == 0
    is_new = pl.col("said").is_null() & is_first
    is_same = (pl.col("said") == pl.col("content")).fill_null(value=False)
    columns = [*rows.columns]
    return (
        known.filter(is_new).select(columns),
        known.filter(~is_new & ~is_same)
        .select(columns)
        .with_columns(pl.lit(TWO_CONTENTS).alias(REASON), pl.lit(None, pl.String).alias(TEXT)),
    )


def as_aside(rows: pl.DataFrame, source: str) -> pl.DataFrame:
    """Rows of SLOT_DECISIONS_ASIDE. `content` names a row by all it says, their user too; `text` has none."""
    lines: list[list[str | None]] = []
    for row in rows.select(*SAID, TEXT, REASON).iter_rows(named=True):
        text = row.pop(TEXT)
        reason = row.pop(REASON)
        # as it was read, so that a line is the same whatever its spaces; what can't be read as it stands
        said = as_text(row) if reason != NO_ROW or text is None else text
        content = sha256(said.encode()).hexdigest()
        shown = as_text({key: value for key, value in row.items() if key != "user_id"})
        kept = without_user(text) if reason == NO_ROW and text is not None else shown
        lines.append([content, row["decision_id"], row["slot"], reason, kept[:_TEXT_KEPT], Path(source).name])
    names = list(SLOT_DECISIONS_ASIDE.columns)
    return pl.DataFrame(lines, schema=dict.fromkeys(names, pl.String), orient="row")


def buckets_for(decisions: int) -> int:
    """Buckets of users of a new log: a power of two, by the decisions of its fullest day.

    >>> buckets_for(1_000_000), buckets_for(10)
    (8, 1)
    """
    needed = -(-decisions // _ROWS_OF_BUCKET)
    return min(_MOST_BUCKETS, 1 << max(0, needed - 1).bit_length())


_ROWS_OF_BUCKET, _MOST_BUCKETS = 150_000, 256
