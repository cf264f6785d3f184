"""What was concluded, as tables."""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.concluded import Concluded
from pozytywka_spark.forecasting.intervals import LEVELS
from pozytywka_spark.forecasting.past import Values
from pozytywka_spark.forecasting.spec import Outcome, Spec
from pozytywka_spark.forecasting.steps import steps_of, times_of

NO_VALUE = "no_value"
BOUNDS = ("low_80", "high_80", "low_90", "high_90")
_WEIGHTS = pl.List(pl.Struct({"key": pl.String, "value": pl.Float64}))
_FAILURES = {"series": pl.String, "model": pl.String, "reason": pl.String}


def outcome(concluded: Concluded, frame: pl.DataFrame, spec: Spec) -> Outcome:
    """Forecasts, errors and failures of all series of `frame`, sorted by their grain; those without a
    value last.
    """
    day = frame.schema["day"]
    forecasts = [pl.DataFrame(schema=_forecasts(day))]
    errors = [pl.DataFrame(schema=_errors(day))]
    failures = list(concluded.notes)
    for name, of in concluded.proposals.items():
        forecasts.append(_forecast(name, concluded, day))
        for model, means in {"combined": concluded.means[name], **of.means}.items():
            errors.append(_model_errors(name, model, means, concluded, day))
        failures += [(name, model, reason) for model, reason in of.failures]
    silent = [name for name in frame["series"].unique().sort() if name not in concluded.wholes]
    forecasts += [_of_nothing(str(name), frame, spec) for name in silent]
    return Outcome(
        pl.concat(forecasts).sort("series", "ahead"),
        pl.concat(errors).sort("series", "model", "origin", "ahead"),
        pl.DataFrame(failures, _FAILURES, orient="row").sort("series", "model"),
    )


def _forecasts(day: pl.DataType) -> dict[str, pl.DataType]:
    numbers = dict.fromkeys(("mean", *BOUNDS), pl.Float64())
    return {"series": pl.String(), "ahead": pl.Int32(), "time": day, **numbers, "weights": _WEIGHTS}


def _errors(day: pl.DataType) -> dict[str, pl.DataType]:
    numbers = dict.fromkeys(("mean", "actual", "scaled"), pl.Float64())
    text = {"series": pl.String(), "model": pl.String()}
    return {**text, "origin": day, "ahead": pl.Int32(), "time": day, **numbers}


def _forecast(name: str, concluded: Concluded, day: pl.DataType) -> pl.DataFrame:
    whole, mean = concluded.wholes[name], concluded.means[name][-1]
    floor, halves = concluded.floors[name][-1], concluded.halves[name]
    bounds: dict[str, Values] = {}
    for level in LEVELS:
        bounds[f"low_{level}"] = np.maximum(mean - halves[level], floor)
        bounds[f"high_{level}"] = mean + halves[level]
    pairs = [{"key": model, "value": weight} for model, weight in sorted(concluded.weights[name].items())]
    return pl.DataFrame(
        {
            "series": [name] * len(mean),
            "ahead": np.arange(1, len(mean) + 1),
            "time": pl.Series(whole.times[whole.length :]).cast(day),
            "mean": mean,
            **bounds,
            "weights": [pairs] * len(mean),
        },
        schema=_forecasts(day),
    )


def _model_errors(
    name: str, model: str, means: Values, concluded: Concluded, day: pl.DataType
) -> pl.DataFrame:
    whole, of = concluded.wholes[name], concluded.proposals[name]
    origins, horizon = np.array(of.origins[:-1], dtype=np.int64), means.shape[1]
    steps = (origins[:, None] + np.arange(horizon)).ravel()
    mean, actual = means[:-1].ravel(), of.actual[:-1].ravel()
    scaled = np.abs(mean - actual) / np.repeat(of.scales[:-1], horizon)
    there = np.isfinite(mean) & np.isfinite(actual)
    return pl.DataFrame(
        {
            "series": [name] * int(there.sum()),
            "model": [model] * int(there.sum()),
            "origin": pl.Series(np.repeat(whole.times[origins], horizon)[there]).cast(day),
            "ahead": np.tile(np.arange(1, horizon + 1), len(origins))[there],
            "time": pl.Series(whole.times[steps[there]]).cast(day),
            "mean": mean[there],
            "actual": actual[there],
            "scaled": scaled[there],
        },
        schema=_errors(day),
    )


def _of_nothing(name: str, frame: pl.DataFrame, spec: Spec) -> pl.DataFrame:
    """Zeros after the series' last row, or from the origin: there is no value to say anything by."""
    day = frame.schema["day"]
    last = frame.filter(pl.col("series") == name)["day"].max()
    like = pl.Series([last], dtype=day).to_numpy()
    end = int(steps_of(like, spec.freq)[0]) + 1
    if spec.origin is not None:
        end = int(steps_of(np.array([spec.origin], dtype=like.dtype), spec.freq)[0])
    times = times_of(np.arange(end, end + spec.horizon), spec.freq, like[0])
    zeros = dict.fromkeys(("mean", *BOUNDS), np.zeros(spec.horizon))
    ahead = np.arange(1, spec.horizon + 1)
    weights = [[{"key": NO_VALUE, "value": 1.0}]] * spec.horizon
    columns = {"series": [name] * spec.horizon, "ahead": ahead, "time": pl.Series(times).cast(day)}
    return pl.DataFrame({**columns, **zeros, "weights": weights}, schema=_forecasts(day))
