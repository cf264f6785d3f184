"""What the platform can turn, and how every feature follows: features made of one measure move together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.trends import SPANS
from pozytywka_spark.names import AUDIO_FEATURES

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, Floats]
Rule = Callable[[Columns, float], Floats]

ADS, PLAYS, FAVOURITES = "number_of_advertisements", "number_of_tracks", "number_of_tracks_in_favourite_genre"
POPULARITY = "average_popularity"
NO_CHANGE: dict[str, float] = {"factor": 1.0, "shift": 0.0}


@dataclass(frozen=True)
class Lever:
    """Something the platform can turn for a group of users in a month, by a factor or a shift.

    `measures` are those of the catalogue that it moves, in the row's own month: what happened in the months
    before stays. `follow` says of each feature made of them what it becomes; `holds` names those that
    stay, with the reason. `key` is the feature whose spread among users bounds the lever; `columns` are
    those that the rules read beside the features that follow.
    """

    name: str
    kind: Literal["factor", "shift"]
    key: str
    measures: tuple[str, ...]
    follow: Mapping[str, Rule]
    holds: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    @property
    def none(self) -> float:
        """The setting that changes nothing."""
        return NO_CHANGE[self.kind]

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that must be at hand for every rule to hold."""
        return tuple(dict.fromkeys((self.key, *self.follow, *self.columns)))

    def move(self, columns: Columns, setting: float) -> dict[str, Floats]:
        """The features that follow, at that setting; null stays null."""
        if setting == self.none:
            return {}
        return {name: rule(columns, setting) for name, rule in self.follow.items()}


def _times(name: str) -> Rule:
    return lambda columns, factor: columns[name] * factor


def _added(name: str, month: str, months: Rule | None = None) -> Rule:
    """A trailing sum: what the month adds to it grows with the month's own value."""
    grow = months or _times(month)
    return lambda columns, setting: columns[name] + grow(columns, setting) - columns[month]


def _adverts_a_play(months: int) -> Rule:
    name, total = f"advertisements_per_play_last_{months}_months", f"advertisements_last_{months}_months"

    def rule(columns: Columns, factor: float) -> Floats:
        before = columns[total]
        after = before + (factor - 1) * columns[ADS]
        return np.where(before > 0, columns[name] * after / np.where(before > 0, before, 1.0), columns[name])

    return rule


def _adverts_to_mean(months: int) -> Rule:
    def rule(columns: Columns, factor: float) -> Floats:
        total = columns[f"advertisements_last_{months}_months"] + (factor - 1) * columns[ADS]
        # as the catalogue has it: without an advert in all the months there is no mean to compare with
        return np.where(total > 0, months * factor * columns[ADS] / np.where(total > 0, total, 1.0), np.nan)

    return rule


def _favourite_plays(columns: Columns, factor: float) -> Floats:
    """No user can have more favourite plays than plays."""
    before = columns[FAVOURITES]
    return np.where(
        factor > 1, np.minimum(before * factor, np.maximum(columns[PLAYS], before)), before * factor
    )


def _favourite_matches(columns: Columns, factor: float) -> Floats:
    before, name = columns[FAVOURITES], "total_number_of_favourite_genres_listened"
    share = np.where(before > 0, _favourite_plays(columns, factor) / np.where(before > 0, before, 1.0), 1.0)
    return columns[name] * share


def _within(name: str, low: float, high: float) -> Rule:
    return lambda columns, shift: np.clip(columns[name] + shift, low, high)


def _popularity_last(months: int) -> Rule:
    def rule(columns: Columns, shift: float) -> Floats:
        moved = np.clip(columns[POPULARITY] + shift, 0, 100) - columns[POPULARITY]
        total = columns[f"plays_last_{months}_months"]
        weight = np.where(total > 0, columns[PLAYS] / np.where(total > 0, total, 1.0), 0.0)
        # a month without plays has no mean, and adds nothing to that of several
        return columns[f"popularity_last_{months}_months"] + np.nan_to_num(moved) * weight

    return rule


ADVERTS = Lever(
    name="adverts",
    kind="factor",
    key="advertisements_per_play",
    measures=("ads", "ads_last_7_days", "longest_ad_run"),
    follow={
        **{
            name: _times(name)
            for name in (
                ADS,
                "advertisements_per_play",
                "advertisements_per_hour_listened",
                "advertisements_last_7_days",
            )
        },
        # the longest run shrinks and grows with the adverts, in whole ones: thinned out evenly, not regrouped
        "longest_advertisement_run": lambda columns, factor: np.rint(
            columns["longest_advertisement_run"] * factor
        ),
        **{f"advertisements_last_{n}_months": _added(f"advertisements_last_{n}_months", ADS) for n in SPANS},
        **{f"advertisements_per_play_last_{n}_months": _adverts_a_play(n) for n in SPANS},
        **{f"advertisements_to_{n}_month_mean": _adverts_to_mean(n) for n in SPANS},
    },
)

FAVOURITE_PLAYS = Lever(
    name="favourites",
    kind="factor",
    key=FAVOURITES,
    measures=(
        "favourite_plays", "favourite_matches", "favourite_popularity_total", "favourite_popularity_known",
    ),
    follow={
        FAVOURITES: _favourite_plays,
        "total_number_of_favourite_genres_listened": _favourite_matches,
        **{
            f"favourite_plays_last_{n}_months": _added(
                f"favourite_plays_last_{n}_months", FAVOURITES, _favourite_plays
            )
            for n in SPANS
        },
    },
    holds={
        "average_popularity_in_favourite_genres": "plays moved in are as popular as those that are there",
    },
    columns=(PLAYS,),
)  # fmt: skip

POPULAR_TRACKS = Lever(
    name="popularity",
    kind="shift",
    key=POPULARITY,
    measures=("popularity_total", "favourite_popularity_total"),
    follow={
        POPULARITY: _within(POPULARITY, 0, 100),
        "average_popularity_in_favourite_genres": _within("average_popularity_in_favourite_genres", 0, 100),
        **{f"popularity_last_{n}_months": _popularity_last(n) for n in SPANS},
    },
    columns=(PLAYS, *(f"plays_last_{n}_months" for n in SPANS)),
)

_BOUNDS = {"tempo": (0.0, 300.0), "loudness": (-60.0, 10.0)}


def _sound(attribute: str) -> Lever:
    name = f"average_{attribute}"
    return Lever(
        name=attribute,
        kind="shift",
        key=name,
        measures=(f"{attribute}_total",),
        follow={name: _within(name, *_BOUNDS.get(attribute, (0.0, 1.0)))},
    )


SOUND: tuple[Lever, ...] = tuple(_sound(attribute) for attribute in sorted(AUDIO_FEATURES))
LEVERS: tuple[Lever, ...] = (ADVERTS, FAVOURITE_PLAYS, POPULAR_TRACKS, *SOUND)


def usable(
    levers: Sequence[Lever], catalogue: Sequence[Feature], order: Sequence[str], at_hand: Sequence[str]
) -> tuple[tuple[Lever, ...], tuple[str, ...]]:
    """The levers that may be moved, and why the others, or actionable features, are left alone.

    A lever is refused if a feature made of its measures has no rule, if its key isn't actionable, if a
    column that its rules read isn't at hand, or if the model sees none of what it moves.
    """
    kept, notes = [], []
    for lever in levers:
        problem = _problem(lever, catalogue, order, at_hand)
        if problem:
            notes.append(f"lever {lever.name} is left alone: {problem}")
        else:
            kept.append(lever)
    movable = {name for lever in levers for name in lever.follow}
    stuck = [f.name for f in catalogue if f.actionable and f.name in order and f.name not in movable]
    notes += [f"{name} is actionable, but no lever moves it" for name in stuck]
    return tuple(kept), tuple(notes)


def _problem(lever: Lever, catalogue: Sequence[Feature], order: Sequence[str], at_hand: Sequence[str]) -> str:
    relatives = [f.name for f in catalogue if {m.name for m in f.measures} & set(lever.measures)]
    stray = [name for name in relatives if name not in lever.follow and name not in lever.holds]
    if stray:
        return f"{', '.join(stray)} would have to follow, and no rule says how"
    if not any(f.actionable for f in catalogue if f.name == lever.key):
        return f"{lever.key} isn't declared actionable in the catalogue"
    missing = [name for name in lever.needs if name not in at_hand]
    if missing:
        return f"table features has no {', '.join(missing)}"
    if not set(lever.follow) & set(order):
        return "the model sees nothing of what it moves"
    return ""
