"""What held of one account at a time and why, and who is blocked then, for whoever tells the accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation import rows
from pozytywka_spark.moderation.inputs import cases_of, files_of, settled_until, size_of, slices_of
from pozytywka_spark.moderation.queue import write_lines
from pozytywka_spark.moderation.rows import Files
from pozytywka_spark.moderation.standing import blocked, latest
from pozytywka_spark.moderation.words import APPEAL_DAYS

# told of an account: lists of rows, times in microseconds
FOULS, BLOCKS, APPEALS = "fouls", "blocks", "appeals"
EXPORTED = "exported"
_RULES = pl.Schema({"case_id": pl.String(), "rules": pl.List(pl.String)})


@dataclass(frozen=True)
class Status:
    """One account at a time: rows of its fouls, blocks and appeals, and the end of its block, if one runs.

    `settled`: until when runs have gone (microseconds), what is later isn't known yet.
    """

    user: int
    at: int
    settled: int
    fouls: Sequence[dict[str, Any]]
    blocks: Sequence[dict[str, Any]]
    appeals: Sequence[dict[str, Any]]
    blocked_until: int | None


@dataclass(frozen=True)
class LookAtAccount:
    """Work on one account: tells FOULS, BLOCKS and APPEALS as they were recorded by `known`."""

    fouls: Files
    blocks: Files
    appeals: Files
    cases: Files
    at: int
    known: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line an account."""
        for user in items:
            is_theirs = pl.col("user_id") == user
            fouls, blocks, appeals = (
                each.read(files).filter(is_theirs) for each in (self.fouls, self.blocks, self.appeals)
            )
            held = latest(fouls, self.known)
            mine = self.cases.read(files).filter(
                pl.col("case_id").is_in(held.get_column("case_id").implode())
            )
            told = held.join(mine.unique("case_id"), on="case_id", how="left", maintain_order="left")
            made = appeals.filter(pl.col("recorded_at") <= self.at).sort("appealed_at")
            judged = pl.col("acted_at") <= self.at
            shown = made.with_columns(
                pl.when(judged).then(name).alias(name) for name in ("reviewer", "verdict", "decided_at")
            )
            yield {
                FOULS: told.with_columns(pl.col("day", "month").cast(pl.String)).to_dicts(),
                BLOCKS: latest(blocks, self.known).drop("month").to_dicts(),
                APPEALS: shown.to_dicts(),
                "until": blocked(blocks, self.at, self.known).get_column("blocked_until").max(),
            }


def status_of(lake: Lake, user: int, at: int) -> Status:
    """What held of the account at `at` (microseconds), from what was recorded by then."""
    settled = settled_until(lake)
    known = min(at, settled)
    with lake.tasks() as tasks:
        work = LookAtAccount(
            files_of(lake, tasks, schemas.FOULS.name, rows.FOULS),
            files_of(lake, tasks, schemas.BLOCKS.name, rows.BLOCKS),
            files_of(lake, tasks, schemas.APPEALS.name, rows.APPEALS),
            Files(cases_of(lake, tasks).files, _RULES),
            at,
            known,
        )
        size = size_of(work.fouls, work.blocks, work.appeals, work.cases)
        line = tasks.run([user], work, weight=lambda _: size, named=lambda _: "the account").results[0]
    return Status(user, at, settled, line[FOULS], line[BLOCKS], line[APPEALS], line["until"])


@dataclass(frozen=True)
class ExportBlocked:
    """Work on numbers of slices of accounts: stages EXPORTED, the column `line`, by account."""

    slices: int
    blocks: Files
    at: int
    known: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for number in items:
            users = blocked(self.blocks.of_users(files, number, self.slices), self.at, self.known)
            files.stage(EXPORTED, export_lines(users), (number,))
            yield {}


def export_lines(users: pl.DataFrame) -> pl.DataFrame:
    """Accounts (`user_id`, `blocked_until`) as lines of JSON with a message that names no rule or score."""
    until = pl.col("blocked_until").cast(pl.Datetime("us"))
    message = pl.format(
        "Some of your account's activity wasn't genuine listening, so it is paused until {} UTC. It opens "
        f"again by itself. You may appeal within {APPEAL_DAYS} days; another person will look at it.",
        until.dt.to_string("%Y-%m-%d %H:%M"),
    )
    line = pl.struct(
        "user_id",
        until.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ").alias("blocked_until"),
        message.alias("message"),
    )
    return users.sort("user_id").select(line=line.struct.json_encode())


def export(lake: Lake, at: int, out: str) -> int:
    """Write who is blocked at `at` (microseconds) to the file `out`, JSON Lines; how many accounts."""
    known = min(at, settled_until(lake))
    with lake.tasks() as tasks:
        blocks = files_of(lake, tasks, schemas.BLOCKS.name, rows.BLOCKS)
        slices = slices_of(blocks)
        done = tasks.run(
            range(slices),
            ExportBlocked(slices, blocks, at, known),
            weight=lambda _: size_of(blocks),
            named=lambda number: f"slice {number + 1} of accounts",
        )
        lines = sorted(done.of(EXPORTED), key=lambda parcel: parcel.key)
        write_lines(out, (tasks.fetch([parcel]).get_column("line").to_list() for parcel in lines))
        return sum(parcel.rows for parcel in lines)
