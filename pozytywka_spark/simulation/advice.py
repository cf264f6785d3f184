"""A segment's front with intervals and words: what to change, what to expect, how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pozytywka_spark.config import Simulation
from pozytywka_spark.simulation.levers import ADS, FAVOURITES, LEVERS, PLAYS, Floats, Lever
from pozytywka_spark.simulation.search import search, seed_of
from pozytywka_spark.simulation.segment import Model, Segment
from pozytywka_spark.training.booster import Predictor
from pozytywka_spark.training.kernel import user_weights

WARNING = (
    "A prediction, not a promise: the model knows who bought, not why. What goes with purchases need not "
    "cause them; try a change on a part of the users first (experiment assign)."
)
NOTHING = "change nothing"
LISTENED = "listened_minutes"
_ROWS_AT_ONCE = 50_000  # of 115 features: 46 MB
FRONT = (
    "segment string, point int, users bigint, sampled bigint, changes map<string,double>, purchases double, "
    "change double, low double, high double, ad_income_lost double, cost double, distance double, "
    "support double, gain double, suggested boolean, advice string"
)


@dataclass(frozen=True)
class Task:
    """All that a segment's search needs beside its rows; travels to the executors."""

    model: Model
    refits: tuple[Predictor, ...]
    actionable: tuple[str, ...]
    chosen: Simulation
    value_of_sale: float


def advisor(task: Task, names: Sequence[str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """From a segment's rows (with segment, users, purchases the same on all) to its front.

    Levers travel by name: their rules are functions, which executors have already.
    """
    wanted = tuple(names)

    def advise(rows: pd.DataFrame) -> pd.DataFrame:
        first = rows.iloc[0]
        ordered = rows.sort_values(["dice", "user_id"]).reset_index(drop=True)
        levers = [lever for lever in LEVERS if lever.name in wanted]
        segment = Segment(ordered, levers, task.model, task.actionable, task.chosen)
        found = front_rows(segment, task, str(first["segment"]), int(first["users"]))
        frame = pd.DataFrame(found)
        return frame.assign(segment=first["segment"], users=first["users"], purchases=first["purchases"])

    return advise


def front_rows(segment: Segment, task: Task, name: str, users: int) -> list[dict[str, Any]]:
    """A row a point of the front, today's first, the one advice suggested if any pays off."""
    front = search(segment, seed_of(task.chosen.seed, name))
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
            "advice": in_words(segment, settings, name),
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

    weights = user_weights(segment.users, task.chosen.seed, 1, len(task.refits))
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


def in_words(segment: Segment, settings: Floats, name: str) -> str:
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
