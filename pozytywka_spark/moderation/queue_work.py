"""The queue, by tasks: open cases, what their accounts did, and lines in order of harm.

Blind: a line has what the case is, never what a model thinks of it, who answered before, or why it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.lake.shards import Parcel, Shard
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation.decided import Decided
from pozytywka_spark.moderation.rows import Files, in_micros
from pozytywka_spark.moderation.words import APPEAL, APPROVE, LIVE, PERSON, REFUSE

# Kinds of parcels: open cases by month of their day and bin of harm; sums of signals by bin; lines by bin
OPEN, SIGNALS, LINES = "open", "signals", "lines"
BINS = "bins"  # told: open cases by month and bin
KEYS = ("user_id", "day", "month", "user_bucket")  # what of the table `signals` is no signal
_SUM, _COUNT = "sum ", "count "


@dataclass(frozen=True)
class FindOpen:
    """Work on numbers of slices of cases: stages OPEN, tells BINS.

    `opened_until`: microseconds, or None for all. `reviewer`: whose own answers leave a case out.
    """

    slices: int
    cases: Files
    verdicts: Files
    decisions: Decided
    looks: Files
    opened_until: int | None
    reviewer: str | None

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for number in items:
            parts = [
                each.of_cases(files, number, self.slices)
                for each in (self.cases, self.verdicts, self.decisions, self.looks)
            ]
            rows = open_cases(*parts)
            if self.opened_until is not None:
                rows = rows.filter(pl.col("opened_at") <= self.opened_until)
            if self.reviewer is not None:
                mine = parts[1].filter(pl.col("reviewer") == self.reviewer)
                rows = rows.join(mine, on="case_id", how="anti")
            bins: dict[str, dict[int, int]] = {}
            rows = rows.with_columns(month=pl.col("day").dt.truncate("1mo"), bin=harm_bin())
            for (month, place), part in rows.group_by("month", "bin", maintain_order=True):
                name = str(month)
                assert isinstance(place, int)
                files.stage(OPEN, part, (name, place))
                bins.setdefault(name, {})[place] = part.height
            yield {BINS: bins}


def harm_bin() -> pl.Expr:
    """Which power of two the harm is below: cases of a lower bin come after those of a higher one."""
    harm = pl.col("harm").fill_null(0).clip(lower_bound=0)
    return (harm + 1).log(2).floor().cast(pl.Int64)


def open_cases(
    cases: pl.DataFrame, verdicts: pl.DataFrame, decisions: pl.DataFrame, looks: pl.DataFrame
) -> pl.DataFrame:
    """The rows of cases without an answer or a live decision, or of which second looks are wanted."""
    live = decisions.filter((pl.col("mode") == LIVE) & pl.col("decision").is_in([REFUSE, APPROVE]))
    settled = pl.concat([verdicts.select("case_id"), live.select("case_id")]).unique()
    people = verdicts.filter(pl.col("source") == PERSON).group_by("case_id").agg(pl.len().alias("answers"))
    wanted = (
        looks.group_by("case_id")
        .agg(pl.col("looks").max())
        .join(people, on="case_id", how="left")
        .filter(pl.col("answers").fill_null(0) < pl.col("looks"))
        # an appeal has settled it for good
        .join(verdicts.filter(pl.col("source") == APPEAL), on="case_id", how="anti")
    )
    unanswered = cases.unique("case_id").select("case_id").join(settled, on="case_id", how="anti")
    asked = pl.concat([unanswered, wanted.select("case_id")]).unique()
    return cases.unique("case_id").join(asked, on="case_id", how="semi")


@dataclass(frozen=True)
class SumSignals:
    """Work on shards of `signals`: stages SIGNALS, sums over the account-days of each open case."""

    names: tuple[str, ...]
    opened: tuple[Parcel, ...]

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a shard."""
        for shard in items:
            month = shard.partition["month"].isoformat()
            mine = [parcel for parcel in self.opened if parcel.key[0] == month]
            if mine:
                cases = files.read(mine, ["case_id", "accounts", "day", "ring", "bin"])
                signals = files.read(shard.files, ["user_id", "day", *self.names])
                for (place,), part in summed(cases, signals, self.names).group_by("bin", maintain_order=True):
                    assert isinstance(place, int)
                    files.stage(SIGNALS, part, (place,))
            yield {}


def summed(cases: pl.DataFrame, signals: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """A row a case: sum and count of each signal over its account's day, of a ring its accounts' month."""
    each = cases.explode("accounts").rename({"accounts": "user_id"})
    days = each.filter(pl.col("ring").is_null()).join(signals, on=["user_id", "day"])
    months = each.filter(pl.col("ring").is_not_null()).drop("day").join(signals, on="user_id")
    rows = pl.concat([days.drop("day"), months.drop("day")], how="diagonal").sort("case_id", "user_id")
    sums = [pl.col(name).cast(pl.Float64).sum().alias(_SUM + name) for name in names]
    counts = [pl.col(name).count().cast(pl.Int64).alias(_COUNT + name) for name in names]
    return rows.group_by("case_id", "bin", maintain_order=True).agg(*sums, *counts)


@dataclass(frozen=True)
class WriteLines:
    """Work on bins of harm: stages LINES, the column `line` in order, most harm first."""

    names: tuple[str, ...]
    opened: tuple[Parcel, ...]
    summed: tuple[Parcel, ...]

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a bin."""
        for place in items:
            cases = files.read([parcel for parcel in self.opened if parcel.key[1] == place])
            mine = [parcel for parcel in self.summed if parcel.key == (place,)]
            sums = files.read(mine) if mine else None
            files.stage(LINES, queue_lines(in_micros(cases), sums, self.names), (place,))
            yield {}


def queue_lines(cases: pl.DataFrame, sums: pl.DataFrame | None, names: Sequence[str]) -> pl.DataFrame:
    """Each case as a line of JSON, most harm first, then the oldest; `signals` is null if none are known."""
    if sums is None or not names:
        told = cases.with_columns(signals=pl.lit(None, pl.String))
    else:
        whole = sums.drop("bin").group_by("case_id").sum()
        means = [_finite(pl.col(_SUM + n) / pl.col(_COUNT + n)).alias(n) for n in names]
        encoded = whole.select("case_id", signals=pl.struct(means))
        told = cases.join(encoded, on="case_id", how="left", maintain_order="left")
    ordered = told.with_columns(pl.col("harm").fill_null(0)).sort(
        "harm", "opened_at", "case_id", descending=[True, False, False]
    )
    line = pl.struct(
        "case_id",
        "group",
        "accounts",
        pl.col("day").dt.to_string("%Y-%m-%d").alias("day"),
        *(_time(name) for name in ("cut_off", "opened_at")),
        "rules",
        "signals",
    )
    return ordered.select(line=line.struct.json_encode())


def _finite(value: pl.Expr) -> pl.Expr:
    """JSON has no words for what isn't: null instead."""
    return pl.when(value.is_finite()).then(value)


def _time(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Datetime("us")).dt.to_string("%Y-%m-%dT%H:%M:%SZ").alias(name)


def slice_name(number: int) -> str:
    """What a slice is called in an error."""
    return f"slice {number + 1} of cases"
