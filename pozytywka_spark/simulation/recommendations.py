"""A segment's front with intervals and words: what to change, what to expect, how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.config import Simulation
from pozytywka_spark.evaluation.metric_sums import user_weights
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.models.booster import Predictor
from pozytywka_spark.simulation.levers import ADS, FAVOURITES, LEVERS, PLAYS, Floats, Lever
from pozytywka_spark.simulation.search import search, seed_of
from pozytywka_spark.simulation.segment import Model, Segment
from pozytywka_spark.simulation.segments import SEGMENT, lowest_of_each

WARNING = (
    "A prediction, not a promise: the model knows who bought, not why. What goes with purchases need not "
    "cause them; try a change on a part of the users first (experiment assign)."
)
NOTHING = "change nothing"
LISTENED = "listened_minutes"
_ROWS_AT_ONCE = 50_000  # of 115 features: 46 MB


@dataclass(frozen=True)
class Task:
    """All that a segment's search needs beside its rows; travels to the executors."""

    model: Model
    refits: tuple[Predictor, ...]
    actionable: tuple[str, ...]
    simulation: Simulation
    value_of_sale: float


@dataclass(frozen=True)
class GroupedUsers:
    """The sample of a segment, and of all of its users how many they are and their expected purchases."""

    name: str
    users: int
    purchases: float
    parcels: tuple[Parcel, ...]


@dataclass(frozen=True)
class AdviseOn:
    """Work on `GroupedUsers`: tells each point of each segment's front. `most` users are looked at.

    Levers travel by name: their rules are functions, which executors have already.
    """

    task: Task
    levers: tuple[str, ...]
    most: int

    def __call__(self, items: Sequence[GroupedUsers], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a point."""
        levers = [lever for lever in LEVERS if lever.name in self.levers]
        for item in items:
            mine = files.shared(item.parcels).filter(pl.col(SEGMENT) == item.name)
            rows = lowest_of_each(mine, self.most).to_pandas()
            segment = Segment(rows, levers, self.task.model, self.task.actionable, self.task.simulation)
            alike = {"segment": item.name, "users": item.users, "purchases": item.purchases}
            for row in front_rows(segment, self.task, item.name, item.users):
                yield alike | row


def front_rows(segment: Segment, task: Task, name: str, users: int) -> list[dict[str, Any]]:
    """A row a point of the front, today's first, the one advice suggested if any pays off."""
    front = search(segment, seed_of(task.simulation.seed, name))
    change = (front.outcome.probability - front.outcome.probability[0]) * users
    error = change_errors(segment, task, front.settings) * users
    cost = front.outcome.cost * users
    surely = task.value_of_sale * (change - error) - cost
    best = int(np.argmax(surely)) if (surely > 0).any() else 0
    return [
        {
            "point": place,
            "sampled": len(segment.users),
            "changes": changes_of(segment, settings),
            "change": float(change[place]),
            "low": float(change[place] - error[place]),
            "high": float(change[place] + error[place]),
            "ad_income_lost": float(front.outcome.income_lost[place] * users),
            "cost": float(cost[place]),
            "distance": float(front.outcome.distance[place]),
            "support": float(front.outcome.support[place]),
            "gain": float(task.value_of_sale * change[place] - cost[place]),
            "suggested": place == best,
            "advice": advice_text(segment, settings, name),
        }
        for place, settings in enumerate(front.settings)
    ]


def change_errors(segment: Segment, task: Task, settings: Floats) -> Floats:
    """Half the width of each change's 95% interval, a user.

    Each refitted model is asked about users drawn anew; the spread of the answers is the standard error
    and Student's t its multiple: a few replicates give a good spread but no good percentiles (Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6 and 13).
    """
    from scipy.stats import t

    weights = user_weights(segment.users, task.simulation.seed, 1, len(task.refits))
    shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    models = [Model(refitted, task.model.order, task.model.calibrator) for refitted in task.refits]
    today = [model.probabilities(segment.matrix) @ share for model, share in zip(models, shares, strict=True)]
    answers = np.empty((len(models), len(settings)))
    at_once = max(1, _ROWS_AT_ONCE // len(segment.users))
    for start in range(0, len(settings), at_once):
        stacked = np.concatenate([segment.after(each) for each in settings[start : start + at_once]])
        for place, model in enumerate(models):
            changed = model.probabilities(stacked).reshape(-1, len(segment.users))
            answers[place, start : start + at_once] = [
                each @ shares[place] - today[place] for each in changed
            ]
    spread = np.std(answers, axis=0, ddof=1)
    return np.asarray(t.ppf(0.975, len(task.refits) - 1) * spread)


def changes_of(segment: Segment, settings: Floats) -> dict[str, float]:
    """The levers that are moved: a factor of adverts or favourites, a shift of the others."""
    return {
        lever.name: float(setting)
        for lever, setting in zip(segment.levers, settings, strict=True)
        if setting != lever.none
    }


def advice_text(segment: Segment, settings: Floats, name: str) -> str:
    """Such as "1.9 adverts fewer per hour listened (6.1 to 4.2) for activity: under 10 plays"."""
    moved = segment.moved(settings)
    clauses = [
        _clause(lever, setting, segment.columns, moved)
        for lever, setting in zip(segment.levers, settings, strict=True)
        if setting != lever.none
    ]
    return f"{'; '.join(clauses)} for {name}" if clauses else f"{NOTHING} for {name}"


def _clause(lever: Lever, setting: float, before: Mapping[str, Floats], moved: Mapping[str, Floats]) -> str:
    if lever.name == "adverts":
        hours = np.nansum(before[LISTENED]) / 60 if LISTENED in before else 0.0
        plays = np.nansum(before[PLAYS]) / 100 if PLAYS in before else 0.0
        unit, size = ("hour listened", hours) if hours > 0 else ("100 plays", plays)
        was, now = (float(np.nansum(columns[ADS]) / max(size, 1e-9)) for columns in (before, moved))
        return f"{_of(was, now, 'adverts {} per ' + unit)} ({was:.1f} to {now:.1f})"
    if lever.name == "favourites":
        plays = max(float(np.nansum(before[PLAYS])), 1.0)
        was, now = (100 * float(np.nansum(columns[FAVOURITES])) / plays for columns in (before, moved))
        return f"{_of(was, now, 'of 100 plays {} in favourite genres')} ({was:.1f} to {now:.1f})"
    was, now = (float(np.nanmean(columns[lever.key])) for columns in (before, moved))
    what = "points of popularity of what is played" if lever.name == "popularity" else f"of {lever.name}"
    digits = 1 if abs(now - was) >= 0.5 else 3
    return f"{abs(now - was):.{digits}f} {what} {_word(was, now)} on average ({was:.3g} to {now:.3g})"


def _of(was: float, now: float, text: str) -> str:
    word = "fewer" if now < was else "more"
    return f"{abs(now - was):.1f} {text.format(word)}"


def _word(was: float, now: float) -> str:
    return "less" if now < was else "more"
