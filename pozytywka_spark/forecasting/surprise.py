"""How surprising a day is: from a forecast's own spread to a p-value, honest about its tails. No Spark here.

A forecast says a mean and a 90% interval that is wide as its horizon is far: a mean m and a variance v.

Of less than was expected: what is counted comes in clumps (a session's plays, a purchase's price), and
clumps of the size v / m come as often as Poisson's distribution has it, of mean m² / v. It is at 0 with a
chance that a normal or a gamma distribution of that variance knows nothing of, yet far thinner than the
normal's side: outages show. Of more: the negative binomial for whole numbers (never narrower than
Poisson's, for the events themselves are counted), the gamma distribution for all else, which have the longer
tails there.

What they say of a value becomes a normal score, and that is divided by how far the scores of the backtest
were spread: by `spread_of_scores` the pool of like series (the level: total, city, group, both), whose tail
is looked at, and by the series' own measure. So tails that the backtest has seen are in it, and those further
out are the normal's. Upwards they are `LEAST_UP` times that at least: a service stops in one way, but rises
in many, of which a backtest of a few origins has seen few (a campaign, a month's beginning).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special, stats

from pozytywka_spark.forecasting.measures import ALL, BY_NAME

Values = npt.NDArray[np.float64]
LEVELS = ("total", "city", "group", "both")
_Z_90 = float(stats.norm.ppf(0.95))
_LEAST_MEAN = 0.03  # of a series where nothing was expected: one event is no news, four are
# of the mean: however sure a forecast is, a few percent more or less are no alarm worth reading
_LEAST_SIGMA = 0.03
_FARTHEST = 37.0  # beyond it a double has no tail
_TAIL = 0.99  # of the pool's scores, that the normal's tail is made to reach
_BULK = 0.8  # of a level's scores, that few odd days don't move
LEAST_UP = 1.2  # spread of scores above what was expected
_USUAL_SPREAD = 1.15  # where there was no backtest
_PRIOR = 60.0  # scores that a pool's spread counts as, beside those of a level's measure


@dataclass(frozen=True)
class Spreads:
    """By level and measure how wide scores are, 1 at least; `usual` where nothing is known of them."""

    of: Mapping[tuple[str, str], float] = field(default_factory=dict)
    usual: float = _USUAL_SPREAD

    def at(self, level: str, measure: str) -> float:
        """Of series of a level and a measure."""
        return self.of.get((level, measure), self.usual)


def level_of() -> pl.Expr:
    """The level of a series, one of LEVELS."""
    city, group = pl.col("city") != ALL, pl.col("group_id") != ALL
    return (
        pl.when(city & group).then(pl.lit("both")).when(city).then(pl.lit("city"))
        .when(group).then(pl.lit("group")).otherwise(pl.lit("total"))
    )  # fmt: skip


def sigma_of(mean: pl.Expr, high_90: pl.Expr) -> pl.Expr:
    """The standard deviation that the upper half of a 90% interval says; the lower may be cut off at 0."""
    return (high_90 - mean).clip(lower_bound=0.0) / _Z_90


def scores(actual: Values, mean: Values, sigma: Values, *, whole: bool) -> Values:
    """Normal scores of values under forecasts, negative where less came than was expected.

    The side that a value lies on counts all that is as far or farther: of whole numbers itself too.
    """
    at_least = np.maximum(mean, _LEAST_MEAN)
    variance = np.maximum(sigma**2, (_LEAST_SIGMA * at_least) ** 2)
    if whole:
        variance = np.maximum(variance, at_least)
    else:
        variance = np.where(mean < _LEAST_MEAN, np.maximum(variance, at_least), variance)
    value = np.maximum(np.round(actual) if whole else actual, 0.0)
    clump, clumps = variance / at_least, at_least**2 / variance
    # Poisson's cumulative distribution, between whole numbers too
    below = _log(special.gammaincc(value / clump + 1, clumps))
    if whole:
        # Poisson's own is the limit where there is no more variance than counting itself makes
        size = at_least**2 / np.maximum(variance - at_least, 1e-6 * at_least)
        above = stats.nbinom.logsf(value - 1, size, size / (size + at_least))
    else:
        above = stats.gamma.logsf(value, clumps, scale=clump)
    # in the middle of whole numbers both sides may be more than half
    smaller = np.minimum(np.minimum(below, above), np.log(0.5))
    side = np.where(below < above, -1.0, 1.0)
    score: Values = side * np.minimum(-stats.norm.ppf(np.exp(smaller)), _FARTHEST)
    return np.where(np.isfinite(score), score, side * _FARTHEST)


def _log(chance: Values) -> Values:
    logarithm: Values = np.log(np.maximum(chance, np.finfo(float).tiny))
    return logarithm


def with_scores(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` (measure, city, group_id, actual, mean, high_90) with `level`, `sigma` and `score`; in order of
    measures."""
    parts = []
    timed = rows.with_columns(level=level_of(), sigma=sigma_of(pl.col("mean"), pl.col("high_90")))
    for (measure,), mine in timed.group_by("measure", maintain_order=True):
        columns = (mine.get_column(name).to_numpy() for name in ("actual", "mean", "sigma"))
        whole = BY_NAME[str(measure)].is_count
        parts.append(mine.with_columns(pl.Series("score", scores(*columns, whole=whole), pl.Float64)))
    return pl.concat(parts) if parts else timed.with_columns(score=pl.lit(0.0))


def spread_of_scores(scored: pl.DataFrame) -> Spreads:
    """Of a level: as wide as its scores are as a whole (their root mean square) and as the tail is, whichever
    is more; of a measure in it, drawn to the level's as far as it has few. Never less than 1; the usual
    without rows.
    """
    of: dict[tuple[str, str], float] = {}
    reach = float(stats.norm.ppf((1 + _TAIL) / 2))
    for (level,), mine in scored.group_by("level"):
        all_scores = mine.get_column("score").to_numpy()
        pool = float(np.mean(np.minimum(all_scores**2, 25.0)))
        tail = float(np.quantile(np.abs(all_scores), _TAIL)) / reach
        for (measure,), own in mine.group_by("measure"):
            squares = np.minimum(own.get_column("score").to_numpy() ** 2, 25.0)
            square = (squares.sum() + _PRIOR * pool) / (len(squares) + _PRIOR)
            of[str(level), str(measure)] = max(1.0, tail, float(np.sqrt(square)))
    return Spreads(of)


def bulk_of_scores(scored: pl.DataFrame) -> Spreads:
    """As wide as four of five scores of a level are, 1 at least; by level alone."""
    reach = float(stats.norm.ppf((1 + _BULK) / 2))
    bulk = scored.group_by("level").agg(pl.col("score").abs().quantile(_BULK))
    wide = {level: max(1.0, score / reach) for level, score in bulk.iter_rows()}
    keys = scored.select("level", "measure").unique().iter_rows()
    return Spreads({(level, measure): wide[level] for level, measure in keys})


def p_values(scores: Values, spreads: Values) -> Values:
    """Two-sided."""
    wide = np.where(scores > 0, np.maximum(spreads, LEAST_UP), spreads)
    return np.asarray(2 * stats.norm.sf(np.abs(scores) / wide))


def p_value(score: float, spread: float) -> float:
    """Of one."""
    return float(p_values(np.array([score]), np.array([spread]))[0])
