"""Decisions that may be carried out: not those of a side that was stopped by the time of their release."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation.rows import Files
from pozytywka_spark.moderation.words import STOPPED

_SIDE = ["build_id", "group", "side"]


@dataclass(frozen=True)
class Decided:
    """The files of `decisions` and of `factory_models`, read as `Files` are.

    `known`: microseconds, of stops the ones up to then count; None for all.
    """

    decisions: Files
    models: Files
    known: int | None = None

    def of_cases(self, files: TaskFiles, number: int, slices: int) -> pl.DataFrame:
        """Rows of decisions about a slice of cases, without those that a stop held back."""
        models = self.models.read(files)
        if self.known is not None:
            models = models.filter(pl.col("effective_at") <= self.known)
        return not_held_back(self.decisions.of_cases(files, number, slices), models)

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return self.decisions.size + self.models.size

    @property
    def rows(self) -> int:
        """How many decisions there are."""
        return self.decisions.rows


def not_held_back(decisions: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Decisions but for those whose build's side was stopped before, or as, they were to be released.

    `decisions`: `case_id`, `group`, `build_id`, `decision`, `mode`, `release_at`; `models`: `build_id`,
    `group`, `side`, `state`, `effective_at` (microseconds). A side that was stopped stays so.
    """
    stopped = models.filter(pl.col("state") == STOPPED)
    since = stopped.group_by(_SIDE).agg(pl.col("effective_at").min().alias("stopped_at"))
    by_side = decisions.join(
        since, left_on=["build_id", "group", "decision"], right_on=_SIDE, how="left", maintain_order="left"
    )
    is_due = pl.col("stopped_at").is_null() | (pl.col("release_at") < pl.col("stopped_at"))
    return by_side.filter(is_due.fill_null(value=True)).drop("stopped_at")
