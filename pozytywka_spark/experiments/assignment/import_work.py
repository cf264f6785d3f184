"""Groups and exposures that were decided elsewhere, looked at and written by tasks. No Spark here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.experiments.assignment.definition import Definition
from pozytywka_spark.experiments.assignment.enrol_work import KNOWN, NEW, PREMIUM, Premium, write_assignments
from pozytywka_spark.experiments.assignment.groups import ASSIGNED, current
from pozytywka_spark.experiments.slices import Slice
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import EXPOSURES

GROUPS = pl.Schema({"user_id": pl.Int64(), "group": pl.String()})
TIMES = pl.Schema({"user_id": pl.Int64(), "exposed_at": pl.Datetime("us", "UTC")})
NAMES_TOLD = 50  # groups of a file, however many it has


@dataclass(frozen=True)
class CheckRows:
    """Work on files of rows that were taken in: tells `lacking`, rows that lack any of `required`, and the
    `groups` that they name, if they do.
    """

    required: tuple[str, ...]

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a file."""
        for file in items:
            rows = files.read([file])
            lacking = rows.select(pl.any_horizontal(pl.col(*self.required).is_null()).sum()).item()
            groups: list[str | None] = []
            if "group" in rows.columns:
                groups = rows.get_column("group").unique().head(NAMES_TOLD).to_list()
            yield {"lacking": lacking, "groups": groups}


@dataclass(frozen=True)
class ImportGroups:
    """Work on slices of users: writes the groups of those who have none and no premium, tells `fates`, users
    of `several` groups and users whose group `changed`.
    """

    definition: Definition
    groups: tuple[DataFile, ...]
    premium: Premium
    assigned: tuple[DataFile, ...]

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for item in items:
            rows = item.read(self.groups, GROUPS, files).unique().sort("user_id", "group")
            before = current(item.read(self.assigned, ASSIGNED, files))
            marked = rows.join(
                before.select("user_id", pl.col("group").alias("before")), on="user_id", how="left"
            ).join(self.premium.of(item, files).with_columns(premium=True), on="user_id", how="left")
            is_known, is_premium = pl.col("before").is_not_null(), pl.col("premium").is_not_null()
            fresh = marked.filter(~is_known & ~is_premium).sort("user_id")
            named = fresh.select("user_id", "group", pl.lit(None, pl.Int32).alias("bucket"))
            write_assignments(files, named, self.definition, self.premium.at)
            yield {
                "fates": {
                    NEW: fresh.height,
                    KNOWN: marked.filter(is_known).height,
                    PREMIUM: marked.filter(~is_known & is_premium).height,
                },
                "several": rows.group_by("user_id").len().filter(pl.col("len") > 1).height,
                "changed": marked.filter(is_known & (pl.col("before") != pl.col("group"))).height,
            }


@dataclass(frozen=True)
class ImportExposures:
    """Work on slices of users: writes exposures that aren't stored yet, tells how many are `fresh`."""

    experiment: str
    times: tuple[DataFile, ...]
    stored: tuple[DataFile, ...]

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for item in items:
            rows = item.read(self.times, TIMES, files).unique().sort(TIMES.names())
            stored = item.read(self.stored, TIMES, files)
            fresh = rows.join(stored, on=TIMES.names(), how="anti", maintain_order="left")
            files.write(EXPOSURES, fresh, {"experiment": self.experiment})
            yield {"fresh": fresh.height}
