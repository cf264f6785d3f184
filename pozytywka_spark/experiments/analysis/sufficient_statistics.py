"""Sums of users by stratum, entry month and purchase month: exact, and few enough for the driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pozytywka_spark.experiments.analysis.cuped import Moments
from pozytywka_spark.experiments.analysis.participants import NONE
from pozytywka_spark.experiments.analysis.proportions import Floats
from pozytywka_spark.experiments.analysis.reading_work import KEYS, UNIT
from pozytywka_spark.experiments.analysis.sequential import AtRisk


@dataclass(frozen=True)
class Cells:
    """One row a cell: `group`, `revision`, `entered`, `bought`, `users`, `moved`, sums `x` and `xx`."""

    frame: pd.DataFrame
    covariates: int

    @property
    def revisions(self) -> list[int]:
        """The revisions under which anyone entered: the strata."""
        return sorted(int(number) for number in self.frame["revision"].unique())

    def sizes(self, revision: int) -> dict[str, int]:
        """Users by group who entered under that revision."""
        rows = self.frame[self.frame["revision"] == revision]
        return {str(group): int(users) for group, users in rows.groupby("group")["users"].sum().items()}

    def of(self, group: str, revision: int) -> pd.DataFrame:
        """The cells of one group of one stratum: the rows of `frame`."""
        return self.frame[(self.frame["group"] == group) & (self.frame["revision"] == revision)]


def cells_told(rows: Sequence[Mapping[str, int | str]], covariates: int) -> Cells:
    """The cells that `reading_work.cells_of` made of several slices of users, added up."""
    frame = pd.DataFrame(list(rows), columns=[*KEYS, *_names(covariates)])
    summed = frame.groupby(list(KEYS), as_index=False, sort=True).sum()
    return Cells(summed.sort_values(list(KEYS), ignore_index=True), covariates)


def _names(covariates: int) -> list[str]:
    singles = [f"x{i}" for i in range(covariates)]
    pairs = [f"x{i}_{j}" for i in range(covariates) for j in range(i, covariates)]
    return ["users", "moved", *singles, *pairs]


def at_risk(cells: Cells, group: str, months: list[int]) -> AtRisk:
    """By stratum and month: users free at its start, and those who bought in it."""
    free = np.zeros((len(cells.revisions), len(months)))
    bought = np.zeros_like(free)
    for place, revision in enumerate(cells.revisions):
        part = cells.of(group, revision)
        entered, left = part["entered"].to_numpy(), part["bought"].to_numpy()
        users = part["users"].to_numpy(np.float64)
        for at, month in enumerate(months):
            here = entered <= month
            free[place, at] = users[here & ((left == NONE) | (left >= month))].sum()
            bought[place, at] = users[here & (left == month)].sum()
    return AtRisk(free, bought)


def cumulative(cells: Cells, group: str, months: list[int]) -> tuple[Floats, Floats]:
    """By stratum and month: users who had entered by its end, and those of them who had bought."""
    risk = at_risk(cells, group, months)
    users = np.zeros_like(risk.free)
    for place, revision in enumerate(cells.revisions):
        part = cells.of(group, revision)
        for at, month in enumerate(months):
            users[place, at] = part.loc[part["entered"] <= month, "users"].sum()
    return users, np.cumsum(risk.bought, axis=-1)


def moments(cells: Cells, group: str, revision: int, month: int) -> Moments:
    """Sums over the users of a stratum as of the end of `month`."""
    part = cells.of(group, revision)
    part = part[part["entered"] <= month]
    buyers = part[(part["bought"] != NONE) & (part["bought"] <= month)]
    size = cells.covariates
    x, x_buyers = (
        np.array([rows[f"x{i}"].sum() for i in range(size)], dtype=np.float64) / UNIT
        for rows in (part, buyers)
    )
    xx = np.zeros((size, size))
    for i in range(size):
        for j in range(i, size):
            xx[i, j] = xx[j, i] = part[f"x{i}_{j}"].sum() / UNIT**2
    return Moments(float(part["users"].sum()), float(buyers["users"].sum()), x, x_buyers, xx)
