"""Ladders, by tasks: a slice of accounts' events and what they went through become rows of fouls and blocks.

Accounts to which nothing happened since the last run aren't looked at; of those with bad cases, few, each
goes through its own events in plain Python (`ladder`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation import rows as tables
from pozytywka_spark.moderation.ladder import APPEALED, Account, Event, Foul, FoulRow, is_in_time
from pozytywka_spark.moderation.release_work import EVENT, LEFT_OVER, MONTHS, NEW
from pozytywka_spark.moderation.rows import Files, as_times, by_month, month_at, month_of
from pozytywka_spark.moderation.words import APPEAL, OK
from pozytywka_spark.months import DAY_MICROS
from pozytywka_spark.schemas import Table

CANCELLED = "cancelled"  # told beside those of `release_work`: fouls that were taken back
_EVENT = ("at", "asked_at", "kind", "day", "case_id", "group", "cause", "appealed_at")
_FOUL = ("case_id", "group", "day", "released_at", "cause", "step", "belongs_to", "cancelled", "ends_at")
_TIMES = {
    "fouls": ("released_at", "recorded_at"),
    "blocks": ("starts_at", "ends_at", "recorded_at"),
}


@dataclass(frozen=True)
class WalkLadders:
    """Work on numbers of slices of accounts: writes `fouls`, `blocks` and the verdicts of appeals; tells of
    each table NEW, LEFT_OVER and MONTHS, and CANCELLED.

    `rungs`: the ladder in microseconds. Of both tables the months from that of `since` on are written whole.
    """

    slices: int
    events: tuple[Parcel, ...]
    fouls: Files
    blocks: Files
    verdicts: Files
    rungs: tuple[int, ...]
    since: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for number in items:
            mine = [parcel for parcel in self.events if parcel.key == (number,)]
            events = tables.concat([files.read(mine)] if mine else [], EVENT)
            fouls, blocks = (each.of_users(files, number, self.slices) for each in (self.fouls, self.blocks))
            held = [rows.filter(pl.col("recorded_at") <= self.since) for rows in (fouls, blocks)]
            walked, cleared = walk(events, held[0], held[1], self.rungs)
            self._write_cleared(cleared, files)
            new = {"fouls": _foul_rows(walked), "blocks": _block_rows(walked)}
            told: dict[str, Any] = {CANCELLED: sum(row.foul.cancelled for _, row in walked)}
            for table, stored, kept in zip(
                (schemas.FOULS, schemas.BLOCKS), (fouls, blocks), held, strict=True
            ):
                rows = new[table.name]
                told[table.name] = {
                    NEW: rows.height,
                    LEFT_OVER: stored.height - kept.height,
                    MONTHS: self._write(table, kept, rows, files),
                }
            yield told

    def _write(self, table: Table, kept: pl.DataFrame, new: pl.DataFrame, files: TaskFiles) -> list[str]:
        rows = pl.concat([kept.filter(pl.col("month") >= month_at(self.since)), new.select(kept.columns)])
        months = []
        for month, part in by_month(rows):
            ordered = part.sort("user_id", "recorded_at", "case_id")
            files.write(table, as_times(ordered, *_TIMES[table.name]), {"month": month})
            months.append(month.isoformat())
        return months

    def _write_cleared(self, cleared: pl.DataFrame, files: TaskFiles) -> None:
        if cleared.height:
            held = self.verdicts.read(files).filter(pl.col("source") == APPEAL)
            rows = cleared.join(held, on="case_id", how="anti")
            files.write(schemas.VERDICTS, as_times(rows, "decided_at"))


def walk(
    events: pl.DataFrame, fouls: pl.DataFrame, blocks: pl.DataFrame, rungs: Sequence[int]
) -> tuple[list[tuple[int, FoulRow]], pl.DataFrame]:
    """What changes for each account with events (EVENT), given its rows of `fouls` and `blocks` so far.

    Rows by account, and the verdicts of appeals that cleared the only account of a case.
    """
    users = events.get_column("user_id").unique()
    standing = _standing(fouls.filter(pl.col("user_id").is_in(users.implode())), blocks)
    held: dict[int, dict[str, Foul]] = {}
    for user, *values in standing.select("user_id", *_FOUL).iter_rows():
        held.setdefault(user, {})[values[0]] = Foul(*values)
    walked: list[tuple[int, FoulRow]] = []
    cleared: dict[str, tuple[str, int]] = {}
    for (user,), part in events.sort("user_id", "at", "asked_at").group_by("user_id", maintain_order=True):
        assert isinstance(user, int)
        account = Account(rungs, held.get(user, {}))
        _note_final(account, part)
        happened = [Event(*values) for values in part.select(_EVENT).iter_rows()]
        walked += [(user, row) for row in account.replay(happened)]
        appeals = part.filter((pl.col("kind") == APPEALED) & pl.col("lone"))
        for case_id, judge, decided_at in appeals.select("case_id", "reviewer", "asked_at").iter_rows():
            if case_id in account.fouls and account.fouls[case_id].final:
                cleared.setdefault(case_id, (judge, decided_at))
    rows = [
        (case_id, judge, OK, decided_at, APPEAL) for case_id, (judge, decided_at) in sorted(cleared.items())
    ]
    schema = {**tables.VERDICTS, "decided_at": pl.Int64()}
    return walked, pl.DataFrame(rows, schema=schema, orient="row")


def _note_final(account: Account, events: pl.DataFrame) -> None:
    """Fouls that an appeal took back in an earlier run stay so."""
    seen = events.filter((pl.col("kind") == APPEALED) & pl.col("settled"))
    for case_id, appealed_at in seen.select("case_id", "appealed_at").iter_rows():
        foul = account.fouls.get(case_id)
        if foul is not None and foul.cancelled and is_in_time(foul.released_at, appealed_at):
            foul.final = True


def _standing(fouls: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    """Each foul as it was recorded last, with the end of its block."""
    keys = ["user_id", "case_id"]
    latest = fouls.sort("recorded_at").unique(keys, keep="last")
    # of a case that was released anew an older block isn't this foul's
    ends = blocks.sort("recorded_at").unique(keys, keep="last")
    joined = latest.join(
        ends.select(*keys, "ends_at", released_at="starts_at"), on=[*keys, "released_at"], how="left"
    )
    return joined.with_columns(day=pl.col("day").cast(pl.Int32).cast(pl.Int64) * DAY_MICROS)


def _foul_rows(walked: Sequence[tuple[int, FoulRow]]) -> pl.DataFrame:
    rows = [
        (user, *(getattr(row.foul, name) for name in _FOUL if name != "ends_at"), row.recorded_at)
        for user, row in walked
    ]
    frame = _framed(rows, tables.FOULS)
    return frame.with_columns(day=(pl.col("day") // DAY_MICROS).cast(pl.Int32).cast(pl.Date))


def _block_rows(walked: Sequence[tuple[int, FoulRow]]) -> pl.DataFrame:
    rows = [
        (user, row.foul.case_id, row.foul.released_at, row.foul.ends_at, row.foul.step, row.recorded_at)
        for user, row in walked
        if row.has_block
    ]
    return _framed(rows, tables.BLOCKS)


def _framed(rows: Sequence[tuple[Any, ...]], schema: pl.Schema) -> pl.DataFrame:
    """Rows without their month, times and days in microseconds, with the month that they were recorded in."""
    whole = {
        name: pl.Int64() if isinstance(kind, pl.Datetime | pl.Date) else kind
        for name, kind in schema.items()
        if name != "month"
    }
    return pl.DataFrame(rows, schema=whole, orient="row").with_columns(month_of("recorded_at"))
