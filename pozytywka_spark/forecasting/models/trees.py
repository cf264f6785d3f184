"""One xgboost over all series of a measure: lags, rolling means and the calendar, free of levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from xgboost import XGBRegressor

from pozytywka_spark.forecasting.past import Past, Values

if TYPE_CHECKING:
    from mlforecast import MLForecast

ROUNDS = 150
# beyond so many rows series show less of their past: a minute and a gigabyte
MOST_ROWS = 400_000


def tree_means(pasts: Mapping[str, Sequence[Past]], seed: int) -> dict[str, Values]:
    """Means a series, from one model of all: a row an origin, NaN where the earliest past is too short.

    Their origins are the same times, in the same order. Trained on what came before the earliest of them and
    carried to the others; for the last, the forecast's own, trained once more.
    """
    of_any = next(iter(pasts.values()))
    season, horizon = of_any[0].seasons[0], of_any[0].horizon
    means = {name: np.full((len(of_any), horizon), np.nan) for name in pasts}
    ready = sorted(
        name for name, of in pasts.items() if len(of[0].values) >= 3 * season + 2 * max(14, season)
    )
    if not ready:
        return means
    longest = max(5 * season + 1, MOST_ROWS // len(ready))
    model: MLForecast | None = None
    for row in range(len(of_any)):
        rows = pl.concat(_rows(name, pasts[name][row], longest) for name in ready)
        seen, ahead = rows.filter(pl.col("y").is_not_nan()), rows.filter(pl.col("y").is_nan()).drop("y")
        if model is None or row == len(of_any) - 1:
            model = _model(season, seed).fit(seen, static_features=[])
        said = model.predict(horizon, new_df=seen, X_df=ahead)
        for name, values in zip(ready, said["trees"].to_numpy().reshape(len(ready), horizon), strict=True):
            means[name][row] = values
    return means


def _rows(name: str, past: Past, longest: int) -> pl.DataFrame:
    """The past and the steps ahead, where `y` is NaN; known columns less those of a season before."""
    season = past.seasons[0]
    values = np.concatenate([past.values, np.full(past.horizon, np.nan)])
    before = np.concatenate([past.known[:season], past.known[:-season]])
    known = {f"known_{at}": column for at, column in enumerate((past.known - before).T)}
    columns = {"ds": past.steps, "y": values, "place": (past.steps % season).astype(np.float64), **known}
    return pl.DataFrame({"unique_id": [name] * len(values), **columns}).tail(longest + past.horizon)


def _model(season: int, seed: int) -> MLForecast:
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean
    from mlforecast.target_transforms import Differences, LocalStandardScaler

    trees = XGBRegressor(
        n_estimators=ROUNDS, max_depth=5, learning_rate=0.05, subsample=0.8, colsample_bytree=0.8,
        min_child_weight=10, tree_method="hist", nthread=1, random_state=seed,
    )  # fmt: skip
    windows = sorted({min(max(season, 4), 28), 4 * season if season < 28 else season})
    return MLForecast(
        models={"trees": trees},
        freq=1,
        lags=sorted({1, 2, 3, season, 2 * season}),
        lag_transforms={1: [RollingMean(window) for window in windows]},
        target_transforms=[Differences([season]), LocalStandardScaler()],
        num_threads=1,
    )
