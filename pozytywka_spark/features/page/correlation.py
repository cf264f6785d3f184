"""Correlation of features: Spearman's rank correlation, groups of redundant ones, nulls and drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Correlation:
    """Spearman's coefficients of `names` by `names`; not a number where one of the two is constant."""

    names: Sequence[str]
    values: Matrix


def spearman(rows: pl.DataFrame, names: Sequence[str]) -> Correlation:
    """Spearman's rank correlation of every two of `names`, over the rows where both are known.

    Ranks (ties share their mean) are taken per column over all its known values: pandas' own
    `corr("spearman")` ranks anew for every two columns, which takes minutes of a hundred of them.
    """
    values = rows.select(_known(names)).to_pandas().rank().corr().to_numpy()
    return Correlation(tuple(names), values)


def redundant_groups(correlation: Correlation, threshold: float) -> list[list[str]]:
    """Features that are tied to each other, directly or by a chain, by |rho| of `threshold` or more."""
    strong = np.abs(np.nan_to_num(correlation.values)) >= threshold
    left = set(range(len(correlation.names)))
    groups = []
    while left:
        group: set[int] = set()
        reached = {min(left)}
        while reached:
            group |= reached
            reached = {j for i in reached for j in left if strong[i, j]} - group
        left -= group
        if len(group) > 1:
            groups.append([correlation.names[i] for i in sorted(group)])
    return sorted(groups, key=len, reverse=True)


def drift(rows: pl.DataFrame, names: Sequence[str]) -> list[dict[str, object]]:
    """Per feature: the share of nulls over all months and in the worst month, and how far monthly means move.

    `drift` is the range of the monthly means in standard deviations of all rows; None where nothing varies.
    """
    values = rows.select("month", _known(names))
    monthly = values.group_by("month").agg(
        pl.col(names).mean().name.prefix("mean "), pl.col(names).is_null().mean().name.prefix("nulls ")
    )
    # the deviation of equal numbers isn't always 0 to the last bit
    varies = pl.col(names).min() < pl.col(names).max()
    deviations = values.select(pl.when(varies).then(pl.col(names).std())).row(0, named=True)
    return [
        {
            "feature": name,
            "nulls": values[name].is_null().mean(),
            "nulls in worst month": monthly[f"nulls {name}"].max(),
            "drift": _moved(monthly[f"mean {name}"], deviations[name]),
        }
        for name in names
    ]


def _moved(means: pl.Series, deviation: float | None) -> float | None:
    highest, lowest = means.max(), means.min()
    if not deviation or not isinstance(highest, float) or not isinstance(lowest, float):
        return None
    return (highest - lowest) / deviation


def _known(names: Sequence[str]) -> pl.Expr:
    """Values as floats; what is no number is unknown."""
    return pl.col(names).cast(pl.Float64).fill_nan(None)
