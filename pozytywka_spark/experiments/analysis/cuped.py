"""CUPED: what users did before the experiment takes out the part of the noise that it explains.

Deng, Xu, Kohavi and Walker (2013), with several covariates: the difference of groups is corrected by
theta · (difference of the covariates' means), theta the pooled within-group regression. That is exactly the
group's coefficient in the least squares fit of outcome on group and covariates (ANCOVA). Covariates are of
before entry, which no treatment can change, so the correction has expectation 0.

The corrected interval is Newcombe's, moved by the correction and scaled by the ratio of standard errors;
where that ratio isn't below 1, everything stays as it was: CUPED never widens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.experiments.analysis.proportions import Floats


@dataclass(frozen=True)
class Moments:
    """Sums over one stratum of one group: users, buyers, covariates x, x of buyers, x times x."""

    users: float
    buyers: float
    x: Floats
    x_buyers: Floats
    xx: Floats


@dataclass(frozen=True)
class Adjustment:
    """What is taken off the difference, and how wide the interval is then (1: as before)."""

    shift: float
    width: float


NONE = Adjustment(0.0, 1.0)


def adjustment(treatment: list[Moments], control: list[Moments], weight: Floats) -> Adjustment:
    """The adjustment of a difference standardised over strata (list positions) by `weight`."""
    groups = [*treatment, *control]
    if any(cell.users < 2 for cell in groups) or not len(groups[0].x):
        return NONE
    theta = np.linalg.lstsq(
        sum(_centred_xx(cell) for cell in groups), sum(_centred_xy(cell) for cell in groups), rcond=1e-10
    )[0]
    shift, plain, left = 0.0, 0.0, 0.0
    lost = (1 + len(theta) / sum(cell.users for cell in groups)) ** 2  # degrees of freedom that theta took
    for sign, cells in ((1.0, treatment), (-1.0, control)):
        for part, cell in zip(weight, cells, strict=True):
            shift += sign * float(part) * float(theta @ cell.x) / cell.users
            outcome = cell.buyers * (1 - cell.buyers / cell.users)
            residual = outcome - 2 * theta @ _centred_xy(cell) + theta @ _centred_xx(cell) @ theta
            plain += float(part) ** 2 * outcome / cell.users**2
            left += float(part) ** 2 * lost * max(float(residual), 0.0) / cell.users**2
    if plain <= 0 or left >= plain:
        return NONE
    return Adjustment(shift, float(np.sqrt(left / plain)))


def corrected(
    difference: float, low: float, high: float, adjustment: Adjustment
) -> tuple[float, float, float]:
    """Difference and interval after the adjustment."""
    moved = difference - adjustment.shift
    return (
        moved,
        moved - (difference - low) * adjustment.width,
        moved + (high - difference) * adjustment.width,
    )


def _centred_xy(cell: Moments) -> Floats:
    return np.asarray(cell.x_buyers - cell.x * cell.buyers / cell.users)


def _centred_xx(cell: Moments) -> Floats:
    return np.asarray(cell.xx - np.outer(cell.x, cell.x) / cell.users)
