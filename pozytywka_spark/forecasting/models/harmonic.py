"""A yearly wave, growth and the week's profile by regression: for a year that hasn't come round twice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pozytywka_spark.forecasting.models.calendar import better_in_logs
from pozytywka_spark.forecasting.past import Past, Values

# what is believed of a business before its series is seen, relative to its level: standard deviations of a
# wave's half height and of a long season's growth
WAVE, GROWTH = 0.25, 0.5
# long seasons, of short ones: a week in a year, not a day in a week, whose shape is no wave
LONG = 20
LEAST_OF_A_YEAR = 0.5


class Fit(NamedTuple):
    """Whether in logs; the wave and the rest are fitted anew at each origin."""

    logs: bool


class Harmonic:
    """Level, growth, one wave of the long season (two where it came round twice), the short season's profile.

    Bayesian least squares: wave and growth are drawn to none as far as the errors, which go together, leave
    them open. The last errors fade as an AR(1)'s do.
    """

    def suits(self, past: Past) -> bool:
        """Half of a long season, and a short one that is short beside it."""
        if len(past.seasons) < 2 or past.season == 1 or past.seasons[1] < LONG * past.season:
            return False
        return len(past.values) >= LEAST_OF_A_YEAR * past.seasons[1]

    def begin(self, past: Past) -> Fit:
        """In logs or not."""
        return Fit(better_in_logs(past.values, past.season))

    def ahead(self, begun: Fit, past: Past) -> Values:
        """The regression's line, and what is left of its last error."""
        if begun.logs and past.values.min() <= 0:
            return np.full(past.horizon, np.nan)
        values = np.log(past.values) if begun.logs else past.values
        unit = 1.0 if begun.logs else max(float(np.abs(values).mean()), 1e-300)
        number, season, year = len(values), past.season, past.seasons[1]
        waves = 2 if number >= 2 * year else 1
        design, spreads = _design(np.arange(-number, past.horizon, dtype=np.float64), season, year, waves)
        betas, errors, memory = _fitted(design[:number], values / unit, spreads)
        fading = errors[-1] * memory ** np.arange(1, past.horizon + 1)
        mean = unit * (design[number:] @ betas + fading)
        return np.asarray(np.exp(mean) if begun.logs else mean)


def _design(time: Values, season: int, year: int, waves: int) -> tuple[Values, Values]:
    """Columns, and what is believed of their coefficients' spread: infinite of the short season's profile."""
    profile = (time[:, None] % season == np.arange(season)).astype(np.float64)
    turn = 2 * np.pi * time / year
    wave = [of(k * turn) for k in range(1, waves + 1) for of in (np.sin, np.cos)]
    spreads = [*[np.inf] * season, GROWTH, *(WAVE / k for k in range(1, waves + 1) for _ in range(2))]
    return np.column_stack([profile, time / year, *wave]), np.array(spreads)


def _fitted(design: Values, values: Values, spreads: Values) -> tuple[Values, Values, float]:
    """Coefficients, errors and how far an error remembers the one before."""
    penalty = np.zeros(len(spreads))
    memory = 0.0
    betas = np.zeros(len(spreads))
    errors = values
    for _ in range(3):  # the errors' size and memory are needed for what they are the result of
        # differences of neighbours, as far as errors remember: what remains is independent
        own, other = values[1:] - memory * values[:-1], design[1:] - memory * design[:-1]
        inner = other.T @ other + np.diag(penalty) + 1e-9 * np.eye(len(spreads))
        betas = np.asarray(np.linalg.solve(inner, other.T @ own), dtype=np.float64)
        errors = values - design @ betas
        memory = float(
            np.clip(float(errors[1:] @ errors[:-1]) / max(float(errors @ errors), 1e-300), 0.0, 0.97)
        )
        left = own - other @ betas
        penalty = np.where(np.isinf(spreads), 0.0, left.var() / spreads**2)
    return betas, errors, memory
