"""The light model: dot products and a few additive terms, distilled from the value of the full ranker."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from pozytywka_spark.feed.about import About
from pozytywka_spark.feed.heads.features import features_of
from pozytywka_spark.feed.pairs import Array, Pairs
from pozytywka_spark.feed.track_side import Tracks

COUNTS = ("plays", "artist_long", "plays_28", "artist_short")  # as log(1 + x)
DAYS = ("days", "artist_days", "age_days")  # as exp(-x / 30), 0 where nobody knows
PLAIN = (
    "long", "short", "echo", "skipped", "likes", "linear_long", "linear_short", "artist_linear_long", "pick",
    "track_like", "track_skip", "favourite",
)  # fmt: skip
NAMES = (*COUNTS, *DAYS, *PLAIN)
LIGHT_FILE = "light.json"
_RIDGE = 1.0


@dataclass(frozen=True)
class Light:
    """`weight` by term, in the order of `terms_of`."""

    weight: tuple[float, ...]

    def scores(self, pairs: Pairs, about: About, tracks: Tracks) -> Array:
        """Of each pair; only the order within a user says anything."""
        terms = terms_of(features_of(pairs, about, tracks, NAMES))
        score: Array = np.asarray(self.weight, dtype=np.float32) @ terms
        return score

    def files(self) -> dict[str, bytes]:
        """As plain files."""
        return {LIGHT_FILE: json.dumps({**asdict(self), "names": list(NAMES)}).encode()}


def from_files(content: bytes) -> Light:
    """What `Light.files` gave."""
    return Light(tuple(json.loads(content)["weight"]))


def terms_of(features: Array) -> Array:
    """Terms × pairs, of the features `NAMES`: those, what is new to the user, and its taste alone."""
    terms = np.empty((len(NAMES) + 4, features.shape[1]), dtype=np.float32)
    counts, days = len(COUNTS), len(DAYS)
    np.log1p(features[:counts], out=terms[:counts])
    np.exp(features[counts : counts + days] * np.float32(-1 / 30), out=terms[counts : counts + days])
    np.nan_to_num(terms[counts : counts + days], copy=False, nan=0.0)
    terms[counts + days : len(NAMES)] = features[counts + days :]
    new = (features[0] == 0).astype(np.float32)
    pick = np.maximum(features[NAMES.index("pick")], -16)
    chance = np.exp(pick)
    terms[NAMES.index("pick")] = pick
    terms[-4], terms[-3] = new, chance * new
    terms[-2], terms[-1] = np.sqrt(chance), np.sqrt(features[NAMES.index("echo")])
    return terms


def distilled(terms: Array, value: Array, user: Array) -> Light:
    """Least squares within users, so that their own level says nothing; `user`: numbered, in order.

    What stands high counts most: the light model has to keep it, not to tell apart what nobody is shown.
    """
    start = np.flatnonzero(np.append(True, user[1:] != user[:-1]))
    count = np.diff(np.append(start, len(user)))
    target = value.astype(np.float64)
    highest = np.maximum(np.maximum.reduceat(np.abs(target), start), 1e-9)
    target = np.sqrt(np.maximum(target / np.repeat(highest, count) + 0.02, 1e-6))

    def centred(rows: Array) -> Array:
        means = np.add.reduceat(rows, start, axis=-1) / count
        return rows - np.repeat(means, count, axis=-1)

    design = centred(terms.astype(np.float64))
    square = design @ design.T
    square += _RIDGE * np.diag(np.maximum(np.diag(square) / len(user), 1e-9))
    weight = np.linalg.solve(square, design @ centred(target))
    return Light(tuple(float(each) for each in weight))


def first_of(score: Array, pairs: Pairs, most: int) -> Array:
    """Which entries are among the `most` highest of their user; ties by track."""
    user = pairs.user
    order = np.lexsort((pairs.track, -score, user))
    place = np.arange(len(user)) - np.repeat(pairs.start[:-1], np.diff(pairs.start))
    chosen = np.zeros(len(user), dtype=bool)
    chosen[order[place < most]] = True
    return chosen


def some_of(pairs: Pairs, chosen: Array) -> Pairs:
    """Only the chosen entries."""
    count = np.add.reduceat(np.append(chosen, False).astype(np.int64), pairs.start[:-1])
    count[np.diff(pairs.start) == 0] = 0
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return Pairs(pairs.user_id, start, pairs.track[chosen], pairs.sources[chosen])


def recall_of(score: Array, value: Array, pairs: Pairs, kept: int, page: int = 50) -> Array:
    """Of users with over `kept` candidates: share of the `page` highest values that the light model keeps."""
    light, full = first_of(score, pairs, kept), first_of(value, pairs, page)
    user = pairs.user
    share = np.bincount(user[light & full], minlength=len(pairs.user_id)) / np.maximum(
        np.bincount(user[full], minlength=len(pairs.user_id)), 1
    )
    chosen: Array = share[np.diff(pairs.start) > kept]
    return chosen
