"""Releases, by tasks: a slice of cases' answers, decisions and silences as rows, and events of accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation import rows as tables
from pozytywka_spark.moderation.decided import Decided
from pozytywka_spark.moderation.ladder import APPEALED, CLEARED, RELEASED
from pozytywka_spark.moderation.outcome import late_answers, releases_of
from pozytywka_spark.moderation.rows import Files, as_times, by_month, month_at, month_of
from pozytywka_spark.moderation.words import BAD, MODEL, OK, PERSON, SILENCE, UPHELD
from pozytywka_spark.months import DAY_MICROS

# Kind of parcels, by slice of users: what happens to accounts. `settled`: an earlier run has seen it (an
# appeal). `lone`: the case has no other account
ACCOUNT_EVENTS = "account_events"
EVENT = pl.Schema(
    {
        "user_id": pl.Int64(),
        "case_id": pl.String(),
        "group": pl.String(),
        "day": pl.Int64(),
        "kind": pl.Int32(),
        "at": pl.Int64(),
        "asked_at": pl.Int64(),
        "cause": pl.String(),
        "appealed_at": pl.Int64(),
        "reviewer": pl.String(),
        "settled": pl.Boolean(),
        "lone": pl.Boolean(),
    }
)
# what is told of a slice: new rows, those of a run that broke off, months written, answers too late
NEW, LEFT_OVER, MONTHS, LATE = "new", "left over", "months", "late"


@dataclass(frozen=True)
class ReleaseCases:
    """Work on numbers of slices of cases: writes `releases` and the verdicts of silence, stages
    ACCOUNT_EVENTS; tells NEW, LEFT_OVER, MONTHS and LATE.

    All that is released after `since`, up to and with `until`. Of `releases` the months from that of
    `since` on are written whole; where both are one time nothing is, and LATE is all there is to tell.
    """

    slices: int
    account_slices: int
    cases: Files
    verdicts: Files
    decisions: Decided
    looks: Files
    releases: Files
    appeals: Files
    silence_days: Mapping[str, int]
    since: int
    until: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for number in items:
            parts = [
                each.of_cases(files, number, self.slices)
                for each in (
                    self.cases,
                    self.verdicts,
                    self.decisions,
                    self.looks,
                    self.releases,
                    self.appeals,
                )
            ]
            cases, verdicts, decisions, looks, releases, appeals = parts
            settled = releases.filter(pl.col("released_at") <= self.since)
            before = settled.sort("released_at").unique("case_id", keep="last").select("case_id", "verdict")
            new = releases_of(
                cases, verdicts, decisions, looks, before, self.silence_days, self.since, self.until
            )
            happened = pl.concat([_of_releases(new), self._of_appeals(appeals, verdicts)])
            months = []
            if self.until > self.since:
                self._write_silences(new, verdicts, files)
                self._stage_events(cases, happened, files)
                months = self._write(settled, new, files)
            after = pl.concat([before, new.select("case_id", "verdict")])
            known = verdicts.join(cases, on="case_id", how="semi")
            yield {
                NEW: new.height,
                LEFT_OVER: releases.height - settled.height,
                MONTHS: months,
                LATE: late_answers(known, decisions, after, self.until) + self._late_appeals(appeals),
            }

    def _late_appeals(self, appeals: pl.DataFrame) -> int:
        """How many upheld appeals came in after all up to their own time was settled."""
        late = (pl.col("decided_at") <= self.until) & (self.until < pl.col("acted_at"))
        return appeals.filter((pl.col("verdict") == UPHELD) & late).height

    def _write(self, settled: pl.DataFrame, new: pl.DataFrame, files: TaskFiles) -> list[str]:
        fresh = new.with_columns(month_of("released_at")).select(tables.RELEASES.names())
        kept = settled.filter(pl.col("month") >= month_at(self.since))
        months = []
        for month, part in by_month(pl.concat([kept, fresh])):
            ordered = part.sort("case_id", "released_at")
            files.write(schemas.RELEASES, as_times(ordered, "released_at"), {"month": month})
            months.append(month.isoformat())
        return months

    def _write_silences(self, new: pl.DataFrame, verdicts: pl.DataFrame, files: TaskFiles) -> None:
        held = verdicts.filter(pl.col("source") == SILENCE)
        silent = new.filter(pl.col("cause") == SILENCE).join(held, on="case_id", how="anti")
        rows = silent.select(
            "case_id",
            reviewer=pl.lit(SILENCE),
            verdict=pl.lit(OK),
            decided_at="asked_at",
            source=pl.lit(SILENCE),
        )
        files.write(schemas.VERDICTS, as_times(rows.sort("case_id"), "decided_at"))

    def _of_appeals(self, appeals: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
        """Upheld appeals whose judge isn't one who had said bad."""
        accusers = verdicts.filter(pl.col("verdict") == BAD).select(
            "case_id", "reviewer", accused_at="decided_at"
        )
        due = appeals.filter((pl.col("verdict") == UPHELD) & (pl.col("decided_at") <= self.until))
        judged = due.join(accusers, on=["case_id", "reviewer"], how="left").filter(
            pl.col("accused_at").is_null() | (pl.col("accused_at") > pl.col("decided_at"))
        )
        return judged.unique(tables.APPEALS.names()).select(
            "user_id",
            "case_id",
            kind=pl.lit(APPEALED, pl.Int32),
            at=pl.max_horizontal("decided_at", pl.lit(self.since + 1)),
            asked_at="decided_at",
            cause=pl.lit("", pl.String),
            appealed_at="appealed_at",
            reviewer="reviewer",
            settled=pl.col("decided_at") <= self.since,
        )

    def _stage_events(self, cases: pl.DataFrame, events: pl.DataFrame, files: TaskFiles) -> None:
        known = cases.select(
            "case_id",
            "group",
            accounts=pl.col("accounts").list.unique(maintain_order=True),
            day=pl.col("day").cast(pl.Int32).cast(pl.Int64) * DAY_MICROS,
        ).unique("case_id")
        # one may appeal against a foul of a case that a later scan has dropped
        whole = events.join(known, on="case_id", how="left").with_columns(
            pl.col("group").fill_null(""),
            pl.col("day").fill_null(0),
            lone=(pl.col("accounts").list.len() == 1).fill_null(value=False),
        )
        of_users = whole.filter(pl.col("user_id").is_not_null()).drop("accounts")
        of_cases = whole.filter(pl.col("user_id").is_null()).drop("user_id")
        each = of_cases.rename({"accounts": "user_id"}).explode("user_id").drop_nulls("user_id")
        rows = tables.concat([of_users, each], EVENT)
        for (number,), part in rows.group_by(slice_of("user_id", self.account_slices), maintain_order=True):
            assert isinstance(number, int)
            files.stage(ACCOUNT_EVENTS, part, (number,))


def _of_releases(new: pl.DataFrame) -> pl.DataFrame:
    """Events of all accounts of the cases released, `user_id` null yet."""
    is_model = pl.col("cause") == MODEL
    return new.select(
        pl.lit(None, pl.Int64).alias("user_id"),
        "case_id",
        kind=pl.when(pl.col("verdict") == BAD).then(RELEASED).otherwise(CLEARED).cast(pl.Int32),
        at="released_at",
        asked_at="asked_at",
        cause=pl.when(is_model).then(pl.lit(MODEL)).otherwise(pl.lit(PERSON)),
        appealed_at=pl.lit(0, pl.Int64),
        reviewer=pl.lit(None, pl.String),
        settled=pl.lit(False),
    )
