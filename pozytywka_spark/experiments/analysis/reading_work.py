"""What a reading is made of, by tasks: users who take part become sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.experiments.analysis.participants import (
    NONE,
    Past,
    as_outcomes,
    with_past,
    without_past,
)
from pozytywka_spark.experiments.assignment.allocation import CONTROL
from pozytywka_spark.experiments.assignment.groups import ASSIGNED, current
from pozytywka_spark.experiments.purchases import NOBODY
from pozytywka_spark.experiments.slices import Slice
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import start_micros
from pozytywka_spark.names import SUBGROUPS, TOP_GROUP

# Sums of whole numbers are the same in whatever order rows arrive. With 4 digits a squared logarithm of a
# count up to 10^9 leaves room in 64 bits for 10^7 users of a cell.
UNIT = 10.0**4
KEYS = ("group", "revision", "entered", "bought")
# what is told of a slice of users, each a list of rows
CELLS, COUNTS, MUDDIED, ELSEWHERE = "cells", "counts", "muddied", "elsewhere"
MOVED, EARLY = "moved into treatment later", "bought before entry, left out"
EXPOSED, MISSED = "exposed although control", "never exposed although treated"


@dataclass(frozen=True)
class ReadUsers:
    """Work on slices of users: tells CELLS, COUNTS, MUDDIED and ELSEWHERE of each.

    `assigned`: files of `assignments` of the experiment, `elsewhere` those of others that ran beside it.
    `exposures`: files of the experiment's, None if nobody logged any. `until`: the end of what is read.
    """

    assigned: tuple[DataFile, ...]
    bought: tuple[Parcel, ...]
    past: Past | None
    elsewhere: tuple[DataFile, ...]
    exposures: tuple[DataFile, ...] | None
    until: date

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for item in items:
            users = self._users(item, files)
            yield {
                CELLS: cells_of(users, len(self.past.measures) + 1 if self.past else 0).to_dicts(),
                COUNTS: counts_of(users).to_dicts() if self.past else [],
                MUDDIED: self._muddied(users, files).to_dicts(),
                ELSEWHERE: self._elsewhere(users, files).to_dicts(),
            }

    def _users(self, item: Slice, files: TaskFiles) -> pl.DataFrame:
        rows = item.read(self.assigned, ASSIGNED, files)
        entered = current(rows).filter(pl.col("entered_at") < start_micros(self.until))
        users = as_outcomes(entered, item.read(self.bought, NOBODY, files), self.until)
        return without_past(users) if self.past is None else with_past(users, self.past, files)

    def _muddied(self, users: pl.DataFrame, files: TaskFiles) -> pl.DataFrame:
        """A row a group: how many users aren't what it is named, by way."""
        ways = [pl.col("moved").sum().alias(MOVED), pl.col("early").sum().alias(EARLY)]
        if self.exposures is not None:
            logged = files.read(self.exposures, ["user_id", "exposed_at"])
            met = logged.filter(pl.col("exposed_at").dt.epoch("us") < start_micros(self.until))
            seen = pl.col("user_id").is_in(met.get_column("user_id").unique().implode())
            control = pl.col("group") == CONTROL
            ways += [(control & ~pl.col("moved") & seen).sum().alias(EXPOSED)]
            ways += [(~control & ~seen).sum().alias(MISSED)]
        return users.group_by("group").agg(way.cast(pl.Int64) for way in ways)

    def _elsewhere(self, users: pl.DataFrame, files: TaskFiles) -> pl.DataFrame:
        """A row a group and other experiment: users whom that treated too."""
        if not self.elsewhere:
            return pl.DataFrame()
        rows = files.read(self.elsewhere, ["experiment", "user_id", "group", "assigned_at"])
        in_time = pl.col("assigned_at").dt.epoch("us") < start_micros(self.until)
        treated = rows.filter((pl.col("group") != CONTROL) & in_time).select("user_id", "experiment").unique()
        shared = users.select("user_id", "group").join(treated, on="user_id", how="inner")
        return shared.group_by("group", "experiment").agg(pl.len().cast(pl.Int64).alias("users"))


def cells_of(users: pl.DataFrame, covariates: int) -> pl.DataFrame:
    """Sums of users (columns as of `with_past`) by KEYS: `users`, `moved`, of covariates `x…` and `x…_…`."""
    values = [(pl.col(f"x{i}") * UNIT).round(0).cast(pl.Int64) for i in range(covariates)]
    sums = [pl.len().cast(pl.Int64).alias("users"), pl.col("moved").sum().cast(pl.Int64)]
    sums += [value.sum().alias(f"x{i}") for i, value in enumerate(values)]
    sums += [
        (values[i] * values[j]).sum().alias(f"x{i}_{j}")
        for i in range(covariates)
        for j in range(i, covariates)
    ]
    return users.filter(~pl.col("early")).group_by(KEYS).agg(sums)


def counts_of(users: pl.DataFrame) -> pl.DataFrame:
    """`users` and `buyers` who take part, by `segment`, `value`, `group`, `revision`; all cities by name."""
    taking_part = users.filter(~pl.col("early"))
    counted = [pl.len().cast(pl.Int64).alias("users")]
    counted += [(pl.col("bought") != NONE).sum().cast(pl.Int64).alias("buyers")]
    return (
        pl.concat(
            taking_part.select(
                "group", "revision", "bought", pl.lit(name).alias("segment"), pl.col(name).alias("value")
            )
            for name in (*SUBGROUPS, *([TOP_GROUP] if TOP_GROUP in users.columns else []))
        )
        .group_by("segment", "value", "group", "revision")
        .agg(counted)
    )
