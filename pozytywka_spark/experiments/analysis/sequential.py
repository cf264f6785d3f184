"""A reading that may be looked at every month: a confidence sequence valid at all looks at once.

The cohort is fixed and its premium share only grows, so looks are far from independent. What is: month by
month, among users still free at the month's start, the purchases of each group (the martingale behind the
log-rank test; Aalen 1978, Tsiatis 1981). With a_g = -ln(1 - bought / free) the month's hazard of group g,

    L = sum over months of (a_treatment - a_control)

is the log of the ratio of control's free share to treatment's, minus the truth a martingale, of variance
V = sum of h / ((1 - h) · free) over groups and months (Greenwood 1926). Robbins' normal mixture
(1970) bounds it at all times at once:

    P( |L - truth| <= sqrt( (V + rho) · ln( (V + rho) / (rho · alpha²) ) )  at every look ) >= 1 - alpha

exactly for a Brownian motion, asymptotically for this one (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas
2024, "Time-uniform central limit theory and asymptotic confidence sequences"). rho is set before the first
look, where the band shall be tightest; no choice of it harms validity. The p-value is that of the mixture
likelihood ratio (Robbins; the mSPRT of Johari, Pekelis and Walsh 2015), its smallest so far.

Read on the scale of shares: with S the geometric mean of both free shares the difference is 2 S sinh(L / 2),
exactly; only S is put in as estimated, which matters to second order. Users who enter later, or under
other shares (strata), are compared within their stratum; months weigh strata by those at risk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pozytywka_spark.experiments.analysis.proportions import Floats


@dataclass(frozen=True)
class AtRisk:
    """Of one group: users free at each month's start, and buyers in it. Shape (…, strata, months)."""

    free: Floats
    bought: Floats


@dataclass(frozen=True)
class Band:
    """By look: the difference of premium shares, its band and its p-value; all valid at all looks at once."""

    difference: Floats
    low: Floats
    high: Floats
    p_value: Floats


def mixture_width(variance: float, alpha: float) -> float:
    """rho for which the band is about the tightest at `variance` (Waudby-Smith et al. 2024, appendix)."""
    target = -2 * math.log(alpha)
    return variance / (target + math.log(target) + 1)


def expected_variance(treatment: float, control: float, share: float) -> float:
    """V when a premium `share` is reached in groups of those sizes."""
    return share / (1 - share) * (1 / max(treatment, 1.0) + 1 / max(control, 1.0))


def read(treatment: AtRisk, control: AtRisk, alpha: float, rho: float) -> Band:
    """The band by month (last axis); strata are summed away."""
    weight = _stratum_weights(treatment, control)
    step_t, step_c = _hazard(treatment, weight), _hazard(control, weight)
    gap = np.cumsum(step_t[0] - step_c[0], axis=-1)
    variance = np.cumsum(step_t[1] + step_c[1], axis=-1)
    free = np.exp(-(np.cumsum(step_t[0], axis=-1) + np.cumsum(step_c[0], axis=-1)) / 2)
    half = np.sqrt((variance + rho) * (np.log((variance + rho) / rho) - 2 * math.log(alpha)))
    log_p = 0.5 * np.log((variance + rho) / rho) - np.square(gap) / (2 * (variance + rho))
    return Band(
        difference=_on_shares(gap, free),
        low=_on_shares(gap - half, free),
        high=_on_shares(gap + half, free),
        p_value=np.minimum.accumulate(np.exp(np.minimum(log_p, 0.0)), axis=-1),
    )


def _on_shares(gap: Floats, free: Floats) -> Floats:
    """The difference of shares at that gap, which no shares can exceed."""
    shares: Floats = np.clip(2 * free * np.sinh(np.clip(gap, -20, 20) / 2), -1.0, 1.0)
    return shares


def _stratum_weights(treatment: AtRisk, control: AtRisk) -> Floats:
    """Share of a month's users at risk in each stratum where both groups have some: known at its start."""
    both = np.where((treatment.free > 0) & (control.free > 0), treatment.free + control.free, 0.0)
    total = both.sum(axis=-2, keepdims=True)
    weight: Floats = np.divide(both, total, out=np.zeros_like(both), where=total > 0)
    return weight


def _hazard(group: AtRisk, weight: Floats) -> tuple[Floats, Floats]:
    """By month: the hazard -ln(1 - h) and its variance, strata weighed together.

    Nobody left would be an infinite hazard: half a user is taken to stay. The variance sees at least
    one purchase where there are users, so that months without any aren't taken for certain.
    """
    users = np.maximum(group.free, 1.0)
    share = np.minimum(group.bought / users, 1 - 0.5 / users)
    seen = np.clip(share, np.minimum(1.0, users / 2) / users, 1 - 0.5 / users)
    hazard = (weight * -np.log1p(-share)).sum(axis=-2)
    variance = (np.square(weight) * seen / ((1 - seen) * users)).sum(axis=-2)
    return hazard, variance
