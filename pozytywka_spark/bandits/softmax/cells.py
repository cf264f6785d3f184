"""Sums of `bandit_days` as arrays: day × arm × group × bucket of days since the arm was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.bandits.seen import EDGES, NEVER
from pozytywka_spark.errors import DataError

Floats = npt.NDArray[np.float64]
BUCKETS = (NEVER, *EDGES)
SUMS = (
    "rounds",
    "chosen_weight",
    "chosen_reward",
    "chosen_square",
    "other_weight",
    "other_reward",
    "other_square",
)


@dataclass(frozen=True)
class Weighted:
    """Σw, Σwr and Σw² of rounds."""

    weight: Floats
    reward: Floats
    square: Floats

    def over(self, *axes: int) -> Weighted:
        """Added up over axes."""
        return Weighted(self.weight.sum(axes), self.reward.sum(axes), self.square.sum(axes))

    @property
    def mean(self) -> Floats:
        """Σwr / Σw; 0 where there is no round."""
        return divided(self.reward, self.weight)

    @property
    def effective(self) -> Floats:
        """Kish's effective size, (Σw)² / Σw²; 0 where there is no round."""
        return divided(self.weight**2, self.square)


@dataclass(frozen=True)
class Cells:
    """The sums of a slot. `chosen`: rounds in which the arm was chosen; `other`: in which another was."""

    days: tuple[date, ...]
    arms: tuple[str, ...]
    groups: tuple[str, ...]
    rounds: Floats
    chosen: Weighted
    other: Weighted

    def latest(self, days: int) -> Cells:
        """Of the latest days alone."""
        kept = slice(max(len(self.days) - days, 0), None)
        return Cells(
            self.days[kept],
            self.arms,
            self.groups,
            self.rounds[kept],
            *(
                Weighted(of.weight[kept], of.reward[kept], of.square[kept])
                for of in (self.chosen, self.other)
            ),
        )


def cells_of(sums: pl.DataFrame, arms: Sequence[str] = ()) -> Cells:
    """The rows of `bandit_days` of one slot. `arms`: those that there are, also if never logged; none: those
    that were.

    Raises `DataError` if there are no rows, or one of an arm that isn't among `arms`.
    """
    if sums.is_empty():
        raise DataError("no mature decision with `probabilities` to learn from; expected some in bandit_days")
    logged = sums.get_column("arm").unique().sort().to_list()
    unknown = sorted(set(logged) - set(arms)) if arms else []
    if unknown:
        raise DataError(f"bandit_days has the arm {unknown[0]!r}; expected one of {', '.join(arms)}")
    days = sums.get_column("day").unique().sort().to_list()
    names = tuple(arms or logged)
    sums = sums.with_columns(pl.col("group").fill_null(""))
    groups = sums.get_column("group").unique().sort().to_list()
    shape = (len(days), len(names), len(groups), len(BUCKETS))
    at = tuple(
        sums.get_column(column)
        .replace_strict(list(values), np.arange(len(values)), return_dtype=pl.Int64)
        .to_numpy()
        for column, values in zip(
            ("day", "arm", "group", "seen"), (days, names, groups, BUCKETS), strict=True
        )
    )
    arrays = []
    for name in SUMS:
        array = np.zeros(shape)
        np.add.at(array, at, sums.get_column(name).cast(pl.Float64).to_numpy())
        arrays.append(array)
    return Cells(tuple(days), names, tuple(groups), arrays[0], Weighted(*arrays[1:4]), Weighted(*arrays[4:7]))


def divided(top: Floats, bottom: Floats) -> Floats:
    """0 where there is nothing to divide by."""
    quotient: Floats = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
    return quotient
