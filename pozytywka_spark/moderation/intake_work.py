"""What people hand in, by tasks: a slice of cases' new rows, judged beside what the tables hold of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.hashing.slices import text_slice
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation import rows as tables
from pozytywka_spark.moderation.answers import judge
from pozytywka_spark.moderation.appeals import judge_appeals
from pozytywka_spark.moderation.rows import Files, as_times
from pozytywka_spark.moderation.words import CHARGEBACK, PERSON

# what is told of a slice: counts, and refused rows by reason with a few of their cases
TAKEN, DUPLICATES, TRIED, FOUND, CHANGED, REFUSED = (
    "taken",
    "duplicates",
    "tried",
    "found",
    "changed",
    "refused",
)
_SHOWN = 3


@dataclass(frozen=True)
class TakeAnswers:
    """Work on numbers of slices: writes new rows of `verdicts` and all of `verdicts_aside`."""

    slices: int
    came: Files
    cases: Files
    verdicts: Files
    aside: Files

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for number in items:
            came, cases, verdicts, aside = (
                each.of_cases(files, number, self.slices)
                for each in (self.came, self.cases, self.verdicts, self.aside)
            )
            people = verdicts.filter(pl.col("source").is_in([PERSON, CHARGEBACK]))
            judged = judge(came, cases.select("case_id", "cut_off"), people, aside)
            files.write(schemas.VERDICTS, as_times(judged.taken, "decided_at"))
            files.write(schemas.VERDICTS_ASIDE, as_times(judged.aside, "decided_at"))
            yield {
                TAKEN: judged.taken_new,
                DUPLICATES: judged.duplicates,
                TRIED: judged.tried,
                FOUND: judged.found,
                CHANGED: not judged.aside.equals(
                    aside.select(judged.aside.columns).sort(judged.aside.columns)
                ),
                REFUSED: reasons_of(judged.refused),
            }


@dataclass(frozen=True)
class TakeAppeals:
    """Work on numbers of slices: writes all of `appeals`."""

    slices: int
    came: Files
    cases: Files
    verdicts: Files
    fouls: Files
    appeals: Files
    settled: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for number in items:
            came, cases, verdicts, fouls, appeals = (
                each.of_cases(files, number, self.slices)
                for each in (self.came, self.cases, self.verdicts, self.fouls, self.appeals)
            )
            latest = fouls.sort("recorded_at").unique(["user_id", "case_id"], keep="last")
            released = latest.select("user_id", "case_id", "released_at")
            judged = judge_appeals(came, cases, verdicts, released, appeals)
            known = with_recorded(judged.appeals, appeals, self.settled)
            times = ("appealed_at", "decided_at", "recorded_at", "acted_at")
            files.write(schemas.APPEALS, as_times(known, *times))
            yield {
                TAKEN: judged.taken,
                DUPLICATES: judged.duplicates,
                REFUSED: reasons_of(judged.refused),
            }


def with_recorded(appeals: pl.DataFrame, before: pl.DataFrame, settled: int) -> pl.DataFrame:
    """With `recorded_at` and `acted_at` as they were, of what is new the instant after `settled` at least."""
    keys = ["user_id", "case_id", "appealed_at"]
    joined = appeals.join(before.select(*keys, "recorded_at", "acted_at"), on=keys, how="left")
    later = pl.lit(settled + 1)
    acted = pl.coalesce("acted_at", pl.max_horizontal("decided_at", later))
    return joined.with_columns(
        pl.coalesce("recorded_at", pl.max_horizontal("appealed_at", later)).alias("recorded_at"),
        pl.when(pl.col("verdict").is_not_null()).then(acted).alias("acted_at"),
    )


def reasons_of(refused: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """By reason: how many rows, and the first few of their cases."""
    grouped = refused.group_by("reason").agg(
        pl.len().alias("rows"), pl.col("case_id").drop_nulls().unique().sort().head(_SHOWN).alias("cases")
    )
    return {row["reason"]: {"rows": row["rows"], "cases": row["cases"]} for row in grouped.to_dicts()}


def by_case(rows: pl.DataFrame, slices: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Rows that came in, by slice of their case."""
    number = text_slice(rows.get_column("case_id").fill_null(""), slices).alias("slice")
    for (place,), part in rows.with_columns(number).group_by("slice", maintain_order=True):
        assert isinstance(place, int)
        yield place, part.drop("slice")


CAME_ANSWERS = pl.Schema(
    {
        "case_id": pl.String(),
        "reviewer": pl.String(),
        "verdict": pl.String(),
        "decided_at": pl.Int64(),
        "trouble": pl.String(),
    }
)
CAME_APPEALS = pl.Schema(
    {
        "user_id": pl.Int64(),
        "case_id": pl.String(),
        "appealed_at": pl.Int64(),
        "reviewer": pl.String(),
        "verdict": pl.String(),
        "decided_at": pl.Int64(),
        "trouble": pl.String(),
        "bad_time": pl.Boolean(),
    }
)
ACCOUNTS = pl.Schema({name: tables.CASES[name] for name in ("case_id", "accounts")})
CASE_DAYS = pl.Schema({name: tables.CASES[name] for name in ("case_id", "accounts", "day")})
CUT_OFFS = pl.Schema({name: tables.CASES[name] for name in ("case_id", "cut_off")})
LATEST_FOULS = pl.Schema(
    {name: tables.FOULS[name] for name in ("user_id", "case_id", "released_at", "recorded_at")}
)
