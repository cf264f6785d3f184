"""What is known ahead, holidays or whatever column a user names, and seasonal ARIMA for the rest."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pozytywka_spark.forecasting.past import Past, Values

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

# pulls effects to zero that hardly any day speaks of, as if each column had been seen so much more without
# one
RIDGE = 2.0
LONGEST_SEASON = 24
ITERATIONS = 30
# a filter of 730 days takes 5 ms, and a search some 60 of them: beyond so many values it sees the latest
MOST = 1500


class Effects(NamedTuple):
    """Of the known columns, and the parameters of what they leave."""

    betas: Values
    arma: Values
    logs: bool


class Calendar:
    """SARIMAX (1,0,0)(0,1,1) with the known columns, in logs where that makes its changes more alike.

    Effects come first, by ridge regression of the season's differences on those of the columns; then the
    errors' parameters by maximum likelihood: both at once take eight times as long and say the same.
    """

    def suits(self, past: Past) -> bool:
        """Something is known ahead, and three seasons of it."""
        season = past.season
        return (
            past.known.shape[1] > 0
            and season <= LONGEST_SEASON
            and len(past.values) >= max(28, 3 * season + 7)
        )

    def begin(self, past: Past) -> Effects:
        """Effects and errors of the earliest past."""
        logs = better_in_logs(past.values, past.season)
        values, known = _latest(past, logs)
        betas = _effects(values, known[: len(values)], past.season, 0.0)
        arma = np.zeros(2)
        for _ in range(2):  # again, with what the errors' own memory explains taken out
            arma = _errors(values, known[: len(values)] @ betas, past.season, arma)
            betas = _effects(values, known[: len(values)], past.season, float(np.clip(arma[0], -0.95, 0.95)))
        return Effects(betas, arma, logs)

    def ahead(self, begun: Effects, past: Past) -> Values:
        """Errors go on from this past; the season's difference is taken back."""
        if begun.logs and past.values.min() <= 0:  # what came later has no logarithm
            return np.full(past.horizon, np.nan)
        values, known = _latest(past, begun.logs)
        effects = known @ begun.betas
        rest = values - effects[: len(values)]
        model = _model(rest, past.season)
        differences = np.asarray(model.filter(begun.arma).forecast(past.horizon))
        mean = _taken_back(rest, differences, past.season) + effects[len(values) :]
        return np.exp(mean) if begun.logs else mean


def better_in_logs(values: Values, season: int) -> bool:
    """Which of Box and Cox's two, as it is or in logs, is likelier to have made the season's differences."""
    if values.min() <= 0:
        return False
    plain, logs = np.std(_differences(values, season)), np.std(_differences(np.log(values), season))
    return bool(np.log(plain + 1e-300) > np.log(logs + 1e-300) + np.log(values).mean())


def _latest(past: Past, logs: bool) -> tuple[Values, Values]:
    values = past.values[-MOST:]
    return np.log(values) if logs else values, past.known[-(len(values) + past.horizon) :]


def _differences(values: Values, season: int) -> Values:
    return values[season:] - values[:-season]


def _effects(values: Values, known: Values, season: int, memory: float) -> Values:
    own, of_known = _differences(values, season), _differences(known, season)
    own, of_known = own[1:] - memory * own[:-1], of_known[1:] - memory * of_known[:-1]
    largest = np.abs(known).max(axis=0, initial=0.0) + 1e-12
    of_known = of_known / largest
    inner = of_known.T @ of_known + RIDGE * np.eye(known.shape[1])
    return np.asarray(np.linalg.solve(inner, of_known.T @ own) / largest)


def _model(rest: Values, season: int) -> SARIMAX:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    seasonal = (0, 0, 1, season) if season > 1 else (0, 0, 0, 0)
    return SARIMAX(
        _differences(rest, season), order=(1, 0, 0), seasonal_order=seasonal, concentrate_scale=True
    )


def _errors(values: Values, effects: Values, season: int, start: Values) -> Values:
    model = _model(values - effects, season)
    with warnings.catch_warnings():  # whether it converged within the iterations shows in its errors
        warnings.simplefilter("ignore")
        first = start if start.any() and len(start) == len(model.start_params) else None
        return np.asarray(model.fit(first, disp=0, maxiter=ITERATIONS, low_memory=True).params)


def _taken_back(rest: Values, differences: Values, season: int) -> Values:
    mean = np.concatenate([rest[-season:], differences])
    for at in range(season, len(mean)):
        mean[at] += mean[at - season]
    return mean[season:]
