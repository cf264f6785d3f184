"""A bucket of series: frame in, forecasts and errors out. What a Spark task runs; it knows nothing of Spark."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.backtest import Proposals, propose
from pozytywka_spark.forecasting.combine import NAIVE, combined, weights_of
from pozytywka_spark.forecasting.intervals import LEVELS, widths_of
from pozytywka_spark.forecasting.models.model import Model
from pozytywka_spark.forecasting.past import Values
from pozytywka_spark.forecasting.registry import models_of
from pozytywka_spark.forecasting.spec import Outcome, Spec
from pozytywka_spark.forecasting.whole import Whole, whole_of


def forecast_bucket(frame: pl.DataFrame, spec: Spec) -> Outcome:
    """Forecast every series of `frame` (series, day, value; sorted by series and day)."""
    models: Mapping[str, Model] = models_of(spec)
    wholes: dict[str, Whole] = {}
    proposals: dict[str, Proposals] = {}
    for (name,), rows in frame.group_by("series", maintain_order=True):
        whole = whole_of(rows, spec)
        if whole is not None:
            wholes[str(name)] = whole
            proposals[str(name)] = propose(whole, models, spec.origins, spec.model_seconds)
    return _concluded(wholes, proposals, spec)


def _concluded(wholes: Mapping[str, Whole], proposals: Mapping[str, Proposals], spec: Spec) -> Outcome:
    weights = {name: weights_of(_scaled(of)) for name, of in proposals.items()}
    means = {name: combined(of.means, weights[name]) for name, of in proposals.items()}
    if spec.non_negative:
        means = {name: np.maximum(mean, 0) for name, mean in means.items()}
    errors = [
        np.abs(means[name] - of.actual)[:-1] / of.scales[:-1, None] for name, of in proposals.items()
    ]
    widths = dict(zip(proposals, widths_of(errors, spec.horizon), strict=True))
    forecasts, table, failures = [], [], []
    for name, of in proposals.items():
        whole = wholes[name]
        half = {level: widths[name][level] * of.scales[-1] for level in LEVELS}
        forecasts.append(_forecast_rows(name, whole, means[name][-1], half, weights[name], spec))
        for model, mean in {**of.means, "combined": means[name]}.items():
            table.append(_error_rows(name, model, whole, of, mean))
        failures += [(name, model, reason) for model, reason in of.failures]
    return Outcome(
        pl.concat(forecasts),
        pl.concat(table),
        pl.DataFrame(failures, {"series": pl.String, "model": pl.String, "reason": pl.String}, orient="row"),
    )


def _scaled(of: Proposals) -> dict[str, Values]:
    return {
        model: (np.abs(mean - of.actual) / of.scales[:, None])[:-1] for model, mean in of.means.items()
    } or {NAIVE: np.empty((0, of.actual.shape[1]))}


def _forecast_rows(
    name: str, whole: Whole, mean: Values, half: Mapping[int, Values], weights: Mapping[str, float], spec: Spec
) -> pl.DataFrame:
    low = -np.inf if not spec.non_negative else 0.0
    pairs = [{"key": model, "value": weight} for model, weight in sorted(weights.items())]
    return pl.DataFrame(
        {
            "series": [name] * spec.horizon,
            "ahead": np.arange(1, spec.horizon + 1),
            "time": whole.times[whole.length : whole.length + spec.horizon],
            "mean": mean,
            **{
                column: values
                for level in LEVELS
                for column, values in (
                    (f"low_{level}", np.maximum(mean - half[level], low)),
                    (f"high_{level}", mean + half[level]),
                )
            },
            "weights": [pairs] * spec.horizon,
        }
    )


def _error_rows(name: str, model: str, whole: Whole, of: Proposals, mean: Values) -> pl.DataFrame:
    origins = np.array(of.origins[:-1], dtype=np.int64)
    steps = origins[:, None] + np.arange(mean.shape[1])
    rows = pl.DataFrame(
        {
            "series": [name] * steps.size,
            "model": [model] * steps.size,
            "origin": np.repeat(whole.times[origins], mean.shape[1]),
            "ahead": np.tile(np.arange(1, mean.shape[1] + 1), len(origins)),
            "time": whole.times[np.minimum(steps, len(whole.times) - 1).ravel()],
            "mean": mean[:-1].ravel(),
            "actual": of.actual[:-1].ravel(),
        }
    ).with_columns(scaled=(pl.col("mean") - pl.col("actual")).abs() / np.repeat(of.scales[:-1], mean.shape[1]))
    return rows.filter(pl.col("mean").is_not_nan() & pl.col("actual").is_not_nan())
