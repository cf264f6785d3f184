"""The job that makes cases: a month's account-days and rings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.fraud.cases import ecod
from pozytywka_spark.fraud.cases.case_rows import (
    random_days,
    ring_cases,
    rule_cases,
    unknown_cases,
    unruled,
)
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.rules.grammar import Rule
from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.lake.shards import DataFile, batches
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import PLAY
from pozytywka_spark.schemas import CASES

_AT_ONCE = 250_000  # rows of signals that are looked at together
HARM = {"ring": pl.String(), "plays": pl.Int64()}


@dataclass(frozen=True)
class MonthCases:
    """A month's signals, rings and what these have played; `over`: the data reach the month's end."""

    month: date
    signals: tuple[DataFile, ...]
    rings: tuple[DataFile, ...] = ()
    events: tuple[DataFile, ...] = ()
    over: bool = True

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in (*self.signals, *self.rings))


@dataclass(frozen=True)
class MakeCases:
    """Work on `MonthCases`: writes `cases`; tells of the month `days`, `rings`, `cases`, days by rule.

    Farthest days are looked for among months that are over only: else they would be others each day. Beyond
    `most` rows of a month the distributions are those of the `most` rows of lowest dice, all rows are scored.
    """

    rules: tuple[Rule, ...]
    unknown_share: float
    random_share: float
    seed: int
    most: int

    def __call__(self, items: Sequence[MonthCases], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a month."""
        for item in items:
            yield self._of_month(item, files)

    def _of_month(self, item: MonthCases, files: TaskFiles) -> dict[str, Any]:
        reference = self._reference(item, files) if item.over and self.unknown_share else None
        cases, far, random = [], [], []
        days, flagged = 0, dict.fromkeys((rule.name for rule in self.rules), 0)
        for some in batches(item.signals, _AT_ONCE):
            rows = files.read(some, ["user_id", "day", *NAMES])
            days += rows.height
            counts = rows.select(rule.holds().sum().alias(rule.name) for rule in self.rules)
            for name, count in counts.row(0, named=True).items():
                flagged[name] += int(count)
            cases.append(rule_cases(rows, self.rules))
            rest = unruled(rows, self.rules)
            random.append(random_days(rest, self.random_share, self.seed).select("user_id", "day", "plays"))
            if reference is not None:
                scored = rest.with_columns(score=pl.Series(ecod.scores(_matrix(rest), reference)))
                far.append(scored.select("user_id", "day", "plays", "score"))
        if cases:
            nothing = pl.concat(random).clear()
            farthest = _highest(pl.concat(far), days, self.unknown_share) if far else nothing
            cases.append(unknown_cases(farthest, pl.concat(random)))
        rings = files.read(item.rings) if item.rings else None
        if rings is not None:
            cases.append(ring_cases(rings, _harm(rings, item.events, files)))
        made = pl.concat(cases).sort("day", "group", "case_id") if cases else None
        if made is not None:
            files.write(CASES, made, {"month": item.month})
        return {
            "month": item.month.isoformat(),
            "days": days,
            "rings": 0 if rings is None else rings.get_column("ring").n_unique(),
            "cases": 0 if made is None else made.height,
            "flagged": flagged,
        }

    def _reference(self, item: MonthCases, files: TaskFiles) -> ecod.Reference | None:
        total = sum(file.rows for file in item.signals)
        if not total:
            return None
        rows: list[pl.DataFrame] = []
        for some in batches(item.signals, _AT_ONCE):
            rows.append(files.read(some, ["user_id", "day", *NAMES]))
            if total > self.most:  # never more than that and some files' rows
                together = pl.concat(rows)
                thrown = dice(together, self.seed, ("user_id", "day"))
                rows = [together[thrown.arg_sort()[: self.most].sort()]]
        return ecod.reference_of(_matrix(pl.concat(rows)))


def _matrix(rows: pl.DataFrame) -> ecod.Floats:
    return rows.select(pl.col(name).fill_null(float("nan")) for name in NAMES).to_numpy()


def _highest(scored: pl.DataFrame, days: int, share: float) -> pl.DataFrame:
    """The share (at least one) of a month's days that lie farthest, ties by account and day."""
    wanted = max(1, int(share * days))
    return scored.sort("score", "user_id", "day", descending=[True, False, False]).head(wanted)


def _harm(rings: pl.DataFrame, events: Sequence[DataFile], files: TaskFiles) -> dict[str, float]:
    """By ring: PLAYs of its tracks by its accounts in the month."""
    members = rings.select("ring", "user_id")
    tracks = rings.select("ring", track_id="tracks").explode("track_id").unique()
    counted = [pl.DataFrame(schema=HARM)]
    for some in batches(events, 1_000_000):
        plays = files.read(some, ["user_id", "event_type", "track_id"]).filter(pl.col("event_type") == PLAY)
        mine = plays.join(members, on="user_id").join(tracks, on=["ring", "track_id"], how="semi")
        counted.append(mine.group_by("ring").agg(plays=pl.len().cast(pl.Int64)))
    totals = pl.concat(counted).group_by("ring").agg(pl.col("plays").sum())
    return {ring: float(plays) for ring, plays in totals.iter_rows()}
