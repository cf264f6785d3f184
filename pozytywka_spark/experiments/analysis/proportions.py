"""Two shares compared at one moment: difference, lift, p-value; arrays in and out, by statsmodels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pozytywka_spark.errors import require

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Buyers among users: plain counts, or effective ones where several strata stand behind them."""

    count: Floats
    users: Floats

    @property
    def share(self) -> Floats:
        """Buyers per user, 0 where there are no users."""
        return np.divide(self.count, self.users, out=np.zeros_like(self.count), where=self.users > 0)


@dataclass(frozen=True)
class Comparison:
    """Treatment minus control. Every field has the shape of the samples."""

    difference: Floats
    low: Floats
    high: Floats
    lift: Floats
    lift_low: Floats
    lift_high: Floats
    p_value: Floats


def sample(count: npt.ArrayLike, users: npt.ArrayLike) -> Sample:
    """A sample from anything like arrays."""
    return Sample(np.asarray(count, dtype=np.float64), np.asarray(users, dtype=np.float64))


def standardised(count: Floats, users: Floats, weight: Floats) -> Sample:
    """One sample from strata (the last axis but one), each with the `weight` of its users among all.

    The share is the weighted mean of the strata's; the sample is given the size at which a simple one would
    have the same variance (the effective sample size; Korn and Graubard 1998). One stratum is left as it is.
    """
    count, users, weight = np.broadcast_arrays(count, users, weight)
    p = Sample(count, users).share
    share = (weight * p).sum(axis=-2)
    parts = np.divide(np.square(weight) * p * (1 - p), users, out=np.zeros_like(p), where=users > 0)
    variance, plain = parts.sum(axis=-2), users.sum(axis=-2)
    size = np.divide(share * (1 - share), variance, out=plain, where=variance > 0)
    return Sample(share * size, size)


def compare(treatment: Sample, control: Sample, alpha: float) -> Comparison:
    """Treatment against control at one moment, with 1 - alpha intervals; NaN where either has no users.

    Difference: Newcombe's hybrid score interval (1998, method 10). Lift, the relative difference:
    log interval with half a buyer added (Walter 1975), so that zero buyers have one too. p-value: score test
    (the pooled z-test), 1 where nobody or everybody bought.
    """
    require("experiments")
    from statsmodels.stats.proportion import confint_proportions_2indep, score_test_proportions_2indep

    both = (treatment.users > 0) & (control.users > 0)
    t = Sample(np.where(both, treatment.count, 0), np.where(both, treatment.users, 1))
    c = Sample(np.where(both, control.count, 0), np.where(both, control.users, 1))
    pair = (t.count, t.users, c.count, c.users)
    low, high = confint_proportions_2indep(*pair, compare="diff", method="newcomb", alpha=alpha)
    ratio_low, ratio_high = confint_proportions_2indep(
        *pair, compare="ratio", method="log-adjusted", alpha=alpha
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        _, p = score_test_proportions_2indep(*pair, compare="diff", correction=False, return_results=False)
        lift = t.share / c.share - 1
    bought = t.count + c.count
    varied = (bought > 0) & (bought < t.users + c.users)
    estimates = (
        t.share - c.share,
        low,
        high,
        np.where(c.count > 0, lift, np.nan),
        ratio_low - 1,
        ratio_high - 1,
        np.where(varied, p, 1.0),
    )
    return Comparison(*(np.where(both, value, np.nan) for value in estimates))


def adjusted(p_values: Sequence[float], alpha: float, method: str) -> list[float]:
    """p-values corrected for being many (`holm`, `fdr_bh`, `fdr_by`); NaN stays and doesn't count."""
    values = np.asarray(p_values, dtype=np.float64)
    defined = ~np.isnan(values)
    if defined.any():
        require("experiments")
        from statsmodels.stats.multitest import multipletests

        values[defined] = multipletests(values[defined], alpha=alpha, method=method)[1]
    return [float(value) for value in values]
