"""Counts for the page, by tasks: of slices of cases and of accounts; only small counts come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation.decided import Decided
from pozytywka_spark.moderation.queue_work import open_cases
from pozytywka_spark.moderation.rows import Files
from pozytywka_spark.moderation.standing import latest
from pozytywka_spark.moderation.words import CHARGEBACK, PERSON
from pozytywka_spark.months import DAY_MICROS

# what is counted, each by its own columns
AGES, ANSWERS, RELEASES = "ages", "answers", "releases"
FOULS, STARTS, ENDS, APPEALS = "fouls", "starts", "ends", "appeals"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    AGES: ("group", "days"),
    ANSWERS: ("reviewer", "group", "verdict"),
    RELEASES: ("group", "cause", "verdict"),
    FOULS: ("group", "cause", "month", "step", "cancelled"),
    STARTS: ("day", "step"),
    ENDS: ("day", "step"),
    APPEALS: ("group", "verdict"),
}
AGE_DAYS = (1, 3, 7, 14, 30, 90)  # bounds between ages of open cases
Counts = dict[str, Counter[tuple[Any, ...]]]


@dataclass(frozen=True)
class CountCases:
    """Work on numbers of slices of cases: tells AGES of open cases, ANSWERS, RELEASES, as of `at`.

    `known`: releases recorded up to then count.
    """

    slices: int
    cases: Files
    verdicts: Files
    decisions: Decided
    looks: Files
    releases: Files
    at: int
    known: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for number in items:
            cases, verdicts, decisions, looks, releases = (
                each.of_cases(files, number, self.slices)
                for each in (self.cases, self.verdicts, self.decisions, self.looks, self.releases)
            )
            told = verdicts.filter(pl.col("decided_at") <= self.at)
            asked = looks.filter(pl.col("requested_at") <= self.at)
            opened = open_cases(cases, told, decisions, asked).filter(pl.col("opened_at") <= self.at)
            days = (self.at - pl.col("opened_at")) // DAY_MICROS
            answers = told.filter(pl.col("source").is_in([PERSON, CHARGEBACK])).join(
                cases.unique("case_id").select("case_id", "group"), on="case_id"
            )
            known = releases.filter(pl.col("released_at") <= self.known)
            last = known.sort("released_at").unique("case_id", keep="last")
            yield {
                AGES: _counted(opened.with_columns(days=_age(days)), AGES),
                ANSWERS: _counted(answers, ANSWERS),
                RELEASES: _counted(last, RELEASES),
            }


@dataclass(frozen=True)
class CountAccounts:
    """Work on numbers of slices of accounts: tells FOULS, STARTS and ENDS of blocks by day, APPEALS."""

    slices: int
    fouls: Files
    blocks: Files
    appeals: Files
    at: int
    known: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for number in items:
            fouls, blocks, appeals = (
                each.of_users(files, number, self.slices) for each in (self.fouls, self.blocks, self.appeals)
            )
            held, run = latest(fouls, self.known), latest(blocks, self.known)
            month = pl.col("released_at").cast(pl.Datetime("us")).dt.strftime("%Y-%m")
            groups = held.select("user_id", "case_id", "group")
            made = appeals.filter(pl.col("recorded_at") <= self.at).join(
                groups, on=["user_id", "case_id"], how="left"
            )
            judged = pl.when(pl.col("acted_at") <= self.at).then("verdict").fill_null("waiting")
            yield {
                FOULS: _counted(held.with_columns(month=month), FOULS),
                STARTS: _counted(run.with_columns(day=pl.col("starts_at") // DAY_MICROS), STARTS),
                ENDS: _counted(run.with_columns(day=pl.col("ends_at") // DAY_MICROS), ENDS),
                APPEALS: _counted(made.with_columns(verdict=judged), APPEALS),
            }


def added(told: Sequence[Mapping[str, Any]]) -> Counts:
    """Counts of all slices."""
    whole: Counts = {name: Counter() for name in COLUMNS}
    for line in told:
        for name, counts in line.items():
            for *key, count in counts:
                whole[name][tuple(key)] += count
    return whole


def _age(days: pl.Expr) -> pl.Expr:
    """The place among AGE_DAYS of an age in days."""
    return sum(((days >= bound).cast(pl.Int32) for bound in AGE_DAYS), pl.lit(0))


def _counted(rows: pl.DataFrame, name: str) -> list[list[Any]]:
    return [[*row] for row in rows.group_by(COLUMNS[name]).len().sort(COLUMNS[name], nulls_last=True).rows()]
