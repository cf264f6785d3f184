"""A group of users as arrays: what a change makes of them, its cost, and whether such users were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pozytywka_spark.config import Simulation
from pozytywka_spark.models.booster import Predictor
from pozytywka_spark.models.calibration import Calibrator
from pozytywka_spark.simulation.levers import ADS, FAVOURITES, PLAYS, Columns, Floats, Lever

CONTEXT = (PLAYS, "listened_minutes")  # where in the crowd a user stands, whatever is changed
STEP = 0.05  # standard deviations: a smaller move is none, so that advice names what matters
_UNKNOWN = -0.5  # place of a null among places from 0 to 1: far from all that is known
_RANGE = (0.01, 0.99)


@dataclass(frozen=True)
class Model:
    """What predicts: log-odds of features in that order, and the calibrator of these margins."""

    predictor: Predictor
    order: tuple[str, ...]
    calibrator: Calibrator

    def probabilities(self, matrix: Floats) -> Floats:
        """Calibrated probabilities of rows."""
        return self.calibrator.apply(self.predictor.margins(matrix))


@dataclass(frozen=True)
class Outcome:
    """Of each tried change, one entry: amounts a user and month, `cost` with the income lost in it."""

    probability: Floats
    income_lost: Floats
    cost: Floats
    distance: Floats
    support: Floats


class Segment:
    """A bounded sample of a group, in order of users; the first `rows` are tried, all say what was seen."""

    def __init__(
        self,
        rows: pd.DataFrame,
        levers: Sequence[Lever],
        model: Model,
        actionable: Sequence[str],
        simulation: Simulation,
    ) -> None:
        from scipy.spatial import cKDTree

        self.levers, self.model, self.simulation = tuple(levers), model, simulation
        names = sorted({*model.order, *CONTEXT, *(name for lever in levers for name in lever.needs)})
        seen = {name: rows[name].to_numpy(np.float64) for name in names if name in rows.columns}
        tried = np.arange(min(simulation.rows, len(rows)))
        self.users = rows["user_id"].to_numpy(np.int64)[tried]
        self.columns: Columns = {name: values[tried] for name, values in seen.items()}
        self.matrix = np.column_stack([self.columns[name] for name in model.order])
        self._columns = {name: place for place, name in enumerate(model.order)}
        self.scale = np.array([_spread(seen[lever.key]) for lever in levers])
        self.mean = np.array([_mean(seen[lever.key]) for lever in levers])
        self.bounds = np.array(
            [
                _bounds(lever, seen[lever.key], mean, simulation)
                for lever, mean in zip(levers, self.mean, strict=True)
            ]
        ).reshape(len(levers), 2)
        self.none = np.array([lever.none for lever in levers])
        self._follow = [name for lever in levers for name in lever.follow if name in seen]
        self._range = {
            name: np.nanquantile(seen[name], _RANGE) for name in self._follow if _known(seen[name])
        }
        self._places = [name for name in dict.fromkeys([*actionable, *CONTEXT]) if name in seen]
        self._sorted = {name: np.sort(values[~np.isnan(values)]) for name, values in seen.items()}
        self._today = {name: self._place(name, self.columns[name]) for name in self._places}
        crowd = np.column_stack([self._place(name, seen[name]) for name in self._places])
        self._tree = cKDTree(crowd)
        self._near = float(np.quantile(self._tree.query(crowd, k=2)[0][:, 1], simulation.near))

    def moved(self, settings: Floats) -> dict[str, Floats]:
        """The columns that differ from today's at those settings, one a lever."""
        columns: dict[str, Floats] = {}
        for lever, setting in zip(self.levers, settings, strict=True):
            # a later lever starts from what an earlier one left: no two move the same feature by a factor
            columns |= lever.move({**self.columns, **columns}, float(setting))
        return columns

    def snap(self, settings: Floats) -> Floats:
        """Settings with moves too small to matter taken back."""
        return np.where(np.abs(self._steps(settings)) < STEP, self.none, settings)

    def after(self, settings: Floats) -> Floats:
        """The rows as the model sees them at those settings."""
        return self._seen(self.moved(settings))

    def evaluate(self, population: Floats) -> Outcome:
        """All that is wanted to know of several settings, a row each."""
        rows = len(self.users)
        moved = [self.moved(settings) for settings in population]
        stacked = np.concatenate([self._seen(each) for each in moved])
        probability = self.model.probabilities(stacked).reshape(len(population), rows).mean(axis=1)
        prices = [self._price(*each) for each in zip(population, moved, strict=True)]
        steps = np.array([self._steps(settings) for settings in population])
        return Outcome(
            probability=probability,
            income_lost=np.array([lost for lost, _ in prices]),
            cost=np.array([cost for _, cost in prices]),
            distance=np.sqrt((steps**2).sum(axis=1)),
            support=np.array([self._support(each) for each in moved]),
        )

    def support(self, settings: Floats) -> float:
        """Share of the changed users who resemble seen ones.

        In each feature that moved no farther out than 98% of the group or than before; and in all of them
        together as near to someone seen as 95% (`near`) of the group are to another.
        """
        return self._support(self.moved(settings))

    def _seen(self, moved: Mapping[str, Floats]) -> Floats:
        matrix = self.matrix.copy()
        for name, values in moved.items():
            if name in self._columns:
                matrix[:, self._columns[name]] = values
        return matrix

    def _support(self, moved: Mapping[str, Floats]) -> float:
        if not moved:
            return 1.0
        inside: npt.NDArray[np.bool_] = np.ones(len(self.users), dtype=bool)
        for name, values in moved.items():
            low, high = self._range.get(name, (-np.inf, np.inf))
            before = self.columns[name]
            out = (values > np.fmax(high, before)) | (values < np.fmin(low, before))
            inside &= ~out
        if not inside.any():
            return 0.0
        points = self._coordinates(moved)[inside]
        gap, _ = self._tree.query(points, k=1, distance_upper_bound=self._near * (1 + 1e-9))
        return float(np.isfinite(gap).sum() / len(self.users))

    def _coordinates(self, moved: Mapping[str, Floats]) -> Floats:
        """Each value's place among those seen, from 0 to 1: distances that no unit and no tail dominates."""
        return np.column_stack(
            [self._place(name, moved[name]) if name in moved else self._today[name] for name in self._places]
        )

    def _place(self, name: str, values: Floats) -> Floats:
        ordered = self._sorted[name]
        if not len(ordered):
            return np.full(len(values), _UNKNOWN)
        place = (
            (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right"))
            / 2
            / len(ordered)
        )
        return np.where(np.isnan(values), _UNKNOWN, place)

    def _steps(self, settings: Floats) -> Floats:
        """How far each lever moves the group's mean, in standard deviations among its users."""
        moves = [
            (setting - 1) * mean if lever.kind == "factor" else setting
            for lever, setting, mean in zip(self.levers, settings, self.mean, strict=True)
        ]
        return np.asarray(np.array(moves) / self.scale)

    def _price(self, settings: Floats, moved: Mapping[str, Floats]) -> tuple[float, float]:
        """Ad income lost, and all costs with it, a user and month."""
        costs = self.simulation.costs
        lost = _less(self.columns, moved, ADS) * costs.advert_income
        total = lost
        for lever, step, setting in zip(self.levers, self._steps(settings), settings, strict=True):
            if lever.name == "favourites":
                total += abs(_less(self.columns, moved, FAVOURITES)) * costs.favourite_play
            elif lever.name == "popularity":
                total += abs(setting) * costs.popularity_point
            elif lever.name != "adverts":
                total += abs(step) * costs.sound
        return lost, total


def _less(columns: Columns, moved: Mapping[str, Floats], name: str) -> float:
    """By how much the mean falls."""
    return float(np.nanmean(columns[name] - moved[name])) if name in moved else 0.0


def _bounds(lever: Lever, values: Floats, mean: float, simulation: Simulation) -> tuple[float, float]:
    """Settings that take the group's mean as far as the quantiles of its users; none without values."""
    if not _known(values) or (lever.kind == "factor" and mean <= 0):
        return lever.none, lever.none
    low, high = np.nanquantile(values, (simulation.low_quantile, simulation.high_quantile))
    ends = (low / mean, high / mean) if lever.kind == "factor" else (low - mean, high - mean)
    return float(min(ends[0], lever.none)), float(max(ends[1], lever.none))


def _known(values: Floats) -> bool:
    return bool((~np.isnan(values)).any())


def _mean(values: Floats) -> float:
    return float(np.nanmean(values)) if _known(values) else 0.0


def _spread(values: Floats) -> float:
    """Standard deviation among users; of one that is the same for all, 1."""
    spread = float(np.nanstd(values)) if _known(values) else 0.0
    return spread if spread > 0 else 1.0
