"""What the heads' chances weigh in the value, from surveys: the answer regressed, within person, on what they
did with the track at that moment.

Within person: answers and deeds less the person's own means, so that somebody who finds everything good, or
likes everything, moves no weight. Intervals are clustered by person (Liang and Zeger 1986; the factor of
Cameron and Miller 2015, G/(G - 1) · (N - 1)/(N - K), and Student's t with G - 1 degrees of freedom). Weights
are told in units of finishing a track: a ratio of two slopes, its variance by the delta method.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.names import HEADS

SURVEYS, SETTINGS = "surveys", "settings"
MOMENT_HOURS = 24  # before the question: what was done then is what the answer is about
_LEVEL = 0.95
_LEAST = 20  # answers with a deed, and without it, before a weight is told of it


@dataclass(frozen=True)
class Weight:
    """Of a head. From the settings, `low` and `high` are the weight itself."""

    head: str
    weight: float
    low: float
    high: float
    source: str


@dataclass(frozen=True)
class Weights:
    """All heads' in their order, and a sentence on where they come from."""

    weights: tuple[Weight, ...]
    why: str
    answers: int
    people: int

    @property
    def values(self) -> Array:
        """As an array in the order of HEADS."""
        return np.array([one.weight for one in self.weights])


def weights_of(
    user: Array, answer: Array, done: Array, settings: Mapping[str, float], min_answers: int, min_people: int
) -> Weights:
    """From answers (1 to 5) of `user` about tracks with which they had `done` (answers × heads) those things.

    The settings' weights hold with fewer than `min_answers` answers or `min_people` people, where finishing
    a track doesn't raise answers beyond doubt, and for a head of which there are hardly any deeds.
    """
    people = len(np.unique(user))
    answers = len(user)
    if answers < min_answers or people < min_people:
        why = (
            f"the settings' weights: {answers} answers of {people} people, "
            f"at least {min_answers} of {min_people} are needed"
        )
        return Weights(_of_settings(settings), why, answers, people)
    deeds = done.astype(np.float64)
    times = deeds.sum(axis=0)
    told = np.flatnonzero((times >= _LEAST) & (answers - times >= _LEAST))
    if 0 not in told:
        return Weights(
            _of_settings(settings),
            "the settings' weights: hardly any answer tells of finishing",
            answers,
            people,
        )
    told = told[_apart(_within(user, deeds[:, told]))]
    slopes, covariance, groups = within_person(user, answer.astype(np.float64), deeds[:, told])
    quantile = float(stats.t.ppf(0.5 + _LEVEL / 2, groups - 1)) if groups > 1 else np.inf
    if not told.size or told[0] != 0 or slopes[0] <= quantile * np.sqrt(covariance[0, 0]):
        why = "the settings' weights: answers don't rise with finishing a track, beyond doubt"
        return Weights(_of_settings(settings), why, answers, people)
    found = {
        HEADS[head]: _ratio(HEADS[head], slopes, covariance, at, quantile)
        for at, head in enumerate(told.tolist())
    }
    unit = settings["finish"] if settings.get("finish", 0) > 0 else 1.0
    weights = tuple(
        found.get(head) or _of_settings_alone(head, settings.get(head, 0.0) / unit) for head in HEADS
    )
    missing = [one.head for one in weights if one.source == SETTINGS]
    why = f"{answers} answers of {people} people"
    if missing:
        why += f"; hardly any of them tells of {' and '.join(missing)}: the settings' weight"
    return Weights(weights, why, answers, people)


def within_person(user: Array, answer: Array, done: Array) -> tuple[Array, Array, int]:
    """Slopes, their covariance, clustered by person, and the number of people with two answers or more."""
    _, who, counts = np.unique(user, return_inverse=True, return_counts=True)
    several = counts[who] > 1  # one answer says nothing within a person
    who, answer, done = who[several], answer[several], done[several]
    outcome, deeds = _within(who, answer[:, None])[:, 0], _within(who, done)
    inverse = np.linalg.pinv(deeds.T @ deeds)
    slopes: Array = inverse @ (deeds.T @ outcome)
    scores = deeds * (outcome - deeds @ slopes)[:, None]
    _, place = np.unique(who, return_inverse=True)
    groups = int(place.max(initial=-1)) + 1
    sums = np.stack([np.bincount(place, column, groups) for column in scores.T], axis=1) if groups else scores
    rows, columns = deeds.shape
    factor = groups / max(groups - 1, 1) * (rows - 1) / max(rows - columns, 1)
    return slopes, factor * inverse @ (sums.T @ sums) @ inverse, groups


def _within(user: Array, values: Array) -> Array:
    """Less each person's mean."""
    _, who, counts = np.unique(user, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(who, column) / counts for column in values.T], axis=1)
    centred: Array = values - means[who]
    return centred


def _apart(deeds: Array) -> Array:
    """Columns that no earlier ones explain: who skips whatever they don't finish tells of one of the two."""
    kept: list[int] = []
    for column in range(deeds.shape[1]):
        if np.linalg.matrix_rank(deeds[:, [*kept, column]]) > len(kept):
            kept.append(column)
    return np.array(kept, dtype=np.int64)


def _ratio(head: str, slopes: Array, covariance: Array, at: int, quantile: float) -> Weight:
    if at == 0:
        return Weight(head, 1.0, 1.0, 1.0, SURVEYS)
    ratio = slopes[at] / slopes[0]
    gradient = np.array([-ratio, 1.0]) / slopes[0]
    both = covariance[np.ix_([0, at], [0, at])]
    error = quantile * float(np.sqrt(max(gradient @ both @ gradient, 0.0)))
    return Weight(head, float(ratio), float(ratio - error), float(ratio + error), SURVEYS)


def _of_settings(settings: Mapping[str, float]) -> tuple[Weight, ...]:
    return tuple(_of_settings_alone(head, float(settings.get(head, 0.0))) for head in HEADS)


def _of_settings_alone(head: str, weight: float) -> Weight:
    return Weight(head, weight, weight, weight, SETTINGS)
