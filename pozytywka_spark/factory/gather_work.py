"""Cases, what was said of them and what was known at their cut-off, gathered into a parcel a group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.factory.labels import Said, judged_cases
from pozytywka_spark.factory.proof.cases import UNSURE
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard
from pozytywka_spark.lake.tasks import TaskFiles

# kinds of parcels: cases of a group; its accounts' days (`WANTED`, of all groups); signals by group; delays
BASE, WANTED, SIGNALS, PAST = "base", "wanted", "signals", "past"
FOULS, RING_SCORE = "fouls_before", "ring_score"


@dataclass(frozen=True)
class ReadCases:
    """Work on files of `cases`: stages BASE by group, WANTED and PAST, tells each group's number of cases.

    `labelled`: cases that people judged by `said.at`, else all opened from `since` to before `said.at`.
    """

    said: Said
    group: str | None
    labelled: bool
    since: int = 0

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a file."""
        for file in items:
            cases = files.read([file]).with_columns(pl.col("cut_off", "opened_at").dt.epoch("us"))
            opened = cases.filter(pl.col("opened_at") < self.said.at)
            judged = judged_cases(opened, self.said, files)
            files.stage(PAST, _past(judged))
            mine = judged.filter(pl.col("verdict").is_not_null()) if self.labelled else judged
            mine = mine.filter(pl.col("opened_at") >= self.since)
            mine = mine.with_columns(pl.col("verdict").fill_null(UNSURE)).drop("delayed")
            if self.group is not None:
                mine = mine.filter(pl.col("group") == self.group)
            mine = _with_rings(_with_fouls(mine, self.said, files), self.said, files)
            for (name,), rows in mine.partition_by("group", as_dict=True).items():
                files.stage(BASE, rows, (str(name),))
            accounts = mine.select(
                "case_id", "group", pl.col("accounts").alias("user_id"), "day", "cut_off",
                pl.col("ring").is_not_null().alias("is_ring"),
            )  # fmt: skip
            files.stage(WANTED, accounts.explode("user_id"))
            counts = mine.group_by("group").len()
            yield {
                "groups": dict(counts.iter_rows()),
                "months": sorted({str(day)[:7] for day in mine.get_column("day").to_list()}),
            }


def _past(judged: pl.DataFrame) -> pl.DataFrame:
    """How long people took: `group`, `outcome` (a verdict), `opened_at`, `delay`."""
    return judged.filter(pl.col("delayed") >= 0).select(
        "group",
        pl.col("delayed").alias("outcome"),
        "opened_at",
        (pl.col("decided_at") - pl.col("opened_at")).clip(0).alias("delay"),
    )


def _with_fouls(cases: pl.DataFrame, said: Said, files: TaskFiles) -> pl.DataFrame:
    """`fouls_before`: fouls of the case's accounts that were released and recorded by its cut-off."""
    if not said.fouls or not cases.height:
        return cases.with_columns(pl.lit(0.0).alias(FOULS))
    columns = ["user_id", "case_id", "released_at", "recorded_at", "cancelled"]
    fouls = files.shared(said.fouls, columns).rename({"case_id": "of_case"})
    fouls = fouls.with_columns(pl.col("released_at", "recorded_at").dt.epoch("us"))
    accounts = cases.select("case_id", pl.col("accounts").alias("user_id"), "cut_off").explode("user_id")
    known = accounts.join(fouls, on="user_id", how="inner").filter(pl.col("recorded_at") <= pl.col("cut_off"))
    latest = known.sort("recorded_at").group_by("case_id", "user_id", "of_case", maintain_order=True).last()
    held = latest.filter(
        (pl.col("released_at") <= pl.col("cut_off")) & ~pl.col("cancelled").fill_null(value=False)
    )
    counted = held.group_by("case_id").agg(pl.len().cast(pl.Float64).alias(FOULS))
    return cases.join(counted, on="case_id", how="left").with_columns(pl.col(FOULS).fill_null(0.0))


def _with_rings(cases: pl.DataFrame, said: Said, files: TaskFiles) -> pl.DataFrame:
    """`ring_score`: the mean of its accounts' scores, null for a case that is no ring."""
    if not said.rings or not cases.height:
        return cases.with_columns(pl.lit(None, pl.Float64).alias(RING_SCORE))
    rings = files.shared(said.rings, ["month", "ring", "score"])
    scores = rings.group_by("month", "ring").agg(pl.col("score").mean().alias(RING_SCORE))
    dated = cases.with_columns(pl.col("day").dt.truncate("1mo").alias("month"))
    return dated.join(scores, on=["month", "ring"], how="left")


@dataclass(frozen=True)
class ReadSignals:
    """Work on shards of `signals`: stages SIGNALS by group: sums, numbers and maxima of each case's accounts.

    A case of an account has the signals of its day; a ring those of its accounts' days in its month.
    """

    wanted: tuple[Parcel, ...]
    names: tuple[str, ...]

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a shard."""
        wanted = pl.concat([files.shared([parcel]) for parcel in self.wanted])
        for shard in items:
            days = files.read(shard.files, ["user_id", "day", *self.names])
            plain = wanted.filter(~pl.col("is_ring")).join(days, on=["user_id", "day"], how="inner")
            month = pl.col("day").dt.truncate("1mo").alias("month")
            rings = wanted.filter("is_ring").with_columns(month).drop("day")
            in_month = rings.join(days.with_columns(month), on=["user_id", "month"], how="inner")
            in_month = in_month.filter(
                pl.col("day").cast(pl.Datetime("us")).dt.epoch("us") < pl.col("cut_off")
            )
            columns = ["case_id", "group", *self.names]
            both = pl.concat([plain.select(columns), in_month.select(columns)])
            parts = [
                part
                for name in self.names
                for part in (
                    pl.col(name).sum().alias(f"{name}_sum"),
                    pl.col(name).count().alias(f"{name}_count"),
                    pl.col(name).max().alias(f"{name}_max"),
                )
            ]
            for (group,), rows in both.partition_by("group", as_dict=True).items():
                files.stage(SIGNALS, rows.group_by("case_id").agg(parts), (str(group),))
            yield {}


def features_of_lake(names: Sequence[str], *, rings: bool) -> list[str]:
    """A group's features, with those of rings if it has any."""
    of_rings = [*(f"{name}_max" for name in names), FOULS, RING_SCORE]
    return [*names, *(of_rings if rings else [FOULS])]


def as_material(
    base: pl.DataFrame, signals: pl.DataFrame | None, names: Sequence[str]
) -> tuple[pl.DataFrame, list[str]]:
    """A group's rows as `group.build` takes them, and the features' names."""
    has_rings = bool(base.get_column("ring").is_not_null().any())
    features = features_of_lake(names, rings=has_rings)
    if signals is None:
        base = base.with_columns(pl.lit(None, pl.Float64).alias(n) for n in features if n not in base.columns)
        return base, features
    whole = signals.group_by("case_id").agg(
        *(pl.col(f"{name}_sum").sum() / pl.col(f"{name}_count").sum() for name in names),
        *(pl.col(f"{name}_max").max() for name in names),
    )
    whole = whole.rename({f"{name}_sum": name for name in names})
    whole = whole.with_columns(pl.col(list(names)).fill_nan(None))
    return base.join(whole, on="case_id", how="left"), features
