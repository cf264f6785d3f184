"""Before the start: how small an effect the users at hand can show, and how many users an effect needs."""

from __future__ import annotations

import math

from scipy.stats import norm

from pozytywka_spark.errors import require
from pozytywka_spark.experiments.analysis.sequential import mixture_width


def smallest_effect(baseline: float, treatment: int, control: int, alpha: float, power: float) -> float:
    """The smallest rise of the share `baseline` found with probability `power`; NaN if none below 1 is.

    Cohen's arcsine effect size, two-sided (statsmodels `NormalIndPower`).
    """
    if min(treatment, control) < 2 or not 0 < baseline < 1:
        return math.nan
    require("experiments")
    from statsmodels.stats.power import NormalIndPower

    size = NormalIndPower().solve_power(
        effect_size=None, nobs1=treatment, ratio=control / treatment, alpha=alpha, power=power
    )
    angle = math.asin(math.sqrt(baseline)) + float(size) / 2
    return math.sin(angle) ** 2 - baseline if angle < math.pi / 2 else math.nan


def users_needed(baseline: float, effect: float, share: float, alpha: float, power: float) -> float:
    """Users in both groups together that show a rise by `effect`, a `share` of them treated."""
    if not 0 < baseline < 1 or not 0 < baseline + effect < 1:
        return math.nan
    require("experiments")
    from statsmodels.stats.power import NormalIndPower
    from statsmodels.stats.proportion import proportion_effectsize

    size = proportion_effectsize(baseline + effect, baseline)
    treatment = NormalIndPower().solve_power(
        effect_size=size, nobs1=None, ratio=(1 - share) / share, alpha=alpha, power=power
    )
    return float(treatment) / share


def sequential_alpha(alpha: float) -> float:
    """The fixed-horizon level as strict as the always-valid band where it is tightest."""
    rho = mixture_width(1.0, alpha)
    z = math.sqrt((1 + rho) * (math.log((1 + rho) / rho) - 2 * math.log(alpha)))
    return float(2 * norm.sf(z))
