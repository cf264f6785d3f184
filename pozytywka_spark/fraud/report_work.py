"""The job of the page: what a month's cases are, by rule, and a sample of its signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.fraud.cases.judged import judged
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.rules.backtest import MonthDays
from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.lake.shards import DataFile, batches
from pozytywka_spark.lake.tasks import TaskFiles

# Account-days drawn for the distributions: signals, and `flagged`: some rule holds; key: (YYYY-MM-DD,)
SAMPLE = "sample"
_AT_ONCE = 250_000
_CASES = ["case_id", "group", "accounts", "day", "rules", "ring", "harm"]


@dataclass(frozen=True)
class SumUpMonth:
    """Work on `MonthDays`: stages SAMPLE, the `sample` rows of lowest dice; tells counts of cases.

    A line a month, group and rule with `cases`, `harm`, and of those that people answered `bad` and `ok`;
    a line a month and pair of rules that hold of one account's day, with `both`.
    """

    verdicts: tuple[DataFile, ...]
    sample: int
    seed: int

    def __call__(self, items: Sequence[MonthDays], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """All lines."""
        for item in items:
            month = item.month.isoformat()
            cases = files.read(item.cases, _CASES) if item.cases else None
            if cases is not None:
                said = cases.join(judged(self.verdicts, files), on="case_id", how="left")
                yield from ({"month": month, **line} for line in by_rule(said).to_dicts())
                yield from ({"month": month, **line} for line in in_common(cases).to_dicts())
            self._sample(item, cases, files)

    def _sample(self, item: MonthDays, cases: pl.DataFrame | None, files: TaskFiles) -> None:
        drawn: list[pl.DataFrame] = []
        for some in batches(item.signals, _AT_ONCE):
            drawn.append(files.read(some, ["user_id", "day", *NAMES]))
            rows = pl.concat(drawn)
            drawn = [rows[dice(rows, self.seed, ("user_id", "day")).arg_sort()[: self.sample]]]
        if drawn:
            days = _account_days(cases) if cases is not None else drawn[0].select("user_id", "day").clear()
            flagged = days.unique().with_columns(flagged=pl.lit(value=True))
            joined = drawn[0].join(flagged, on=["user_id", "day"], how="left")
            rows = joined.select(*NAMES, pl.col("flagged").fill_null(value=False))
            files.stage(SAMPLE, rows, (item.month.isoformat(),))


def by_rule(cases: pl.DataFrame) -> pl.DataFrame:
    """`group`, `rule`, `cases`, `harm`, `bad`, `ok` from cases with `is_bad` (null: no answer)."""
    return (
        cases.explode("rules")
        .group_by("group", pl.col("rules").alias("rule"))
        .agg(
            cases=pl.len().cast(pl.Int64),
            harm=pl.col("harm").sum(),
            bad=pl.col("is_bad").sum().cast(pl.Int64),
            ok=(~pl.col("is_bad")).sum().cast(pl.Int64),
        )
        .sort("group", "rule")
    )


def in_common(cases: pl.DataFrame) -> pl.DataFrame:
    """`one`, `other` (by name) and `both`: how many account-days both rules hold of."""
    held = _account_days(cases).select("user_id", "day", "rules").explode("rules").unique()
    pairs = held.join(held, on=["user_id", "day"], suffix="_other")
    apart = pairs.filter(pl.col("rules") < pl.col("rules_other"))
    return (
        apart.group_by(one="rules", other="rules_other")
        .agg(both=pl.len().cast(pl.Int64))
        .sort("one", "other")
    )


def _account_days(cases: pl.DataFrame) -> pl.DataFrame:
    """Cases of rules, by account and day; what was asked for being odd or at random has no rule."""
    mine = cases.filter(pl.col("ring").is_null() & (pl.col("group") != "unknown"))
    return mine.explode("accounts").select(pl.col("accounts").alias("user_id"), "day", "rules")
