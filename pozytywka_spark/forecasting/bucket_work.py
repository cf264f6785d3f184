"""What Spark's tasks run, Arrow tables in and out: a bucket of series, then a measure. No Spark here."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import pyarrow as pa

from pozytywka_spark.forecasting.backtest import Proposals, propose, questions
from pozytywka_spark.forecasting.coherent import add_up
from pozytywka_spark.forecasting.concluded import Concluded, conclude
from pozytywka_spark.forecasting.intervals import LEVELS, widths_of
from pozytywka_spark.forecasting.one_bucket import propose_of_all
from pozytywka_spark.forecasting.past import Values
from pozytywka_spark.forecasting.registry import models_of
from pozytywka_spark.forecasting.rows import BOUNDS, outcome
from pozytywka_spark.forecasting.spec import Spec
from pozytywka_spark.forecasting.task_rows import outcome_rows, said_rows
from pozytywka_spark.forecasting.whole import Whole, whole_of

DAY = pl.Datetime("us")


@dataclass(frozen=True)
class ProposeBucket:
    """Work on a bucket of a measure's series: what each model of one series says. `specs` by bucket."""

    specs: Mapping[int, tuple[str, Spec]]

    def __call__(self, number: int, rows: pa.Table) -> pa.Table:
        """`series`, `day`, `value` in any order in, `task_rows.SAID` out."""
        measure, spec = self.specs[number]
        models = models_of(spec)
        frame = pl.DataFrame(pl.from_arrow(rows.select(["series", "day", "value"])))
        ordered = frame.with_columns(pl.col("day").cast(DAY)).sort("series", "day")
        said = {}
        for (name,), series in ordered.group_by("series", maintain_order=True):
            whole = whole_of(series, spec)
            assert whole is not None, "the lake's series have a value a day"
            proposals, pasts = questions(whole, spec.origins)
            propose(proposals, pasts, models, spec.model_seconds)
            said[str(name)] = pickle.dumps((whole, proposals))
        return said_rows(spec.freq, measure, said)


@dataclass(frozen=True)
class SettleMeasure:
    """Work on all of a measure: trees that learn from all its series, one forecast of many, coherent, with
    intervals. `specs` by step and measure."""

    specs: Mapping[tuple[str, str], Spec]

    def __call__(self, step: str, measure: str, rows: pa.Table) -> pa.Table:
        """`task_rows.SAID` in any order in, `task_rows.ROWS` out."""
        spec = self.specs[step, measure]
        wholes: dict[str, Whole] = {}
        proposals: dict[str, Proposals] = {}
        for row in sorted(rows.to_pylist(), key=lambda row: str(row["series"])):
            # written by a task of this very job
            wholes[row["series"]], proposals[row["series"]] = pickle.loads(row["said"])  # noqa: S301
        propose_of_all(wholes, proposals, spec)
        concluded = add_up(conclude(wholes, proposals, spec), spec)
        nothing = pl.DataFrame(schema={"series": pl.String, "day": DAY, "value": pl.Float64})
        assert spec.origin is not None
        bounds = backtest_bounds(concluded, spec)
        return outcome_rows(outcome(concluded, nothing, spec), bounds, step, date.fromisoformat(spec.origin))


def backtest_bounds(concluded: Concluded, spec: Spec) -> pl.DataFrame:
    """The intervals that each origin of the backtest would have had by the errors of the others.

    A row a series, origin and day ahead; none where there is no other origin to judge by.
    """
    names = list(concluded.proposals)
    scaled = [_scaled(concluded, name) for name in names]
    most = max((len(errors) for errors in scaled), default=0)
    frames = [pl.DataFrame(schema=_BOUNDS)]
    for back in range(most if most > 1 else 0):
        # the same place from the end: the origins of all series are the same days where they are as old
        others = [_without(errors, len(errors) - 1 - back) for errors in scaled]
        for name, errors, widths in zip(names, scaled, widths_of(others, spec.horizon), strict=True):
            if (row := len(errors) - 1 - back) >= 0:
                frames.append(_bounds_at(concluded, name, row, widths))
    return pl.concat(frames)


_BOUNDS = {
    "series": pl.String(),
    "origin": pl.Date(),
    "ahead": pl.Int32(),
    **dict.fromkeys(BOUNDS, pl.Float64()),
}


def _scaled(concluded: Concluded, name: str) -> Values:
    """Absolute errors of the backtest in the seasonal naive's own, a row an origin."""
    of = concluded.proposals[name]
    errors: Values = np.abs(concluded.means[name] - of.actual)[:-1] / of.scales[:-1, None]
    return errors


def _without(errors: Values, row: int) -> Values:
    return errors if row < 0 else np.delete(errors, row, axis=0)


def _bounds_at(concluded: Concluded, name: str, row: int, widths: Mapping[int, Values]) -> pl.DataFrame:
    of, whole = concluded.proposals[name], concluded.wholes[name]
    mean, floor = concluded.means[name][row], concluded.floors[name][row]
    bounds: dict[str, Values] = {}
    for level in LEVELS:
        half = widths[level] * of.scales[row]
        bounds |= {f"low_{level}": np.maximum(mean - half, floor), f"high_{level}": mean + half}
    ahead = np.arange(1, len(mean) + 1, dtype=np.int32)
    origin = pl.Series(np.repeat(whole.times[of.origins[row]], len(mean))).cast(pl.Date)
    return pl.DataFrame({"series": [name] * len(mean), "origin": origin, "ahead": ahead, **bounds})
