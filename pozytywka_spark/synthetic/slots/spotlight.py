"""An artist on the front page: shown as a session opens, and played first in it or not.

From `synthetic.slots.spotlight` on each session shows one of some two dozen artists. The chance that its
first play is one of the artist's tracks is, at most `MOST`,

    BASE · exp(level[arm, day]) · TASTE if the artist's genre is among the user's favourites
         · CHRISTMAS, EASTER, WEEKENDS or SUMMER in their time, of one genre each

with levels that drift by `DRIFT` a day. An artist's genre is the first of their genres, a user's group
the first of their favourites. Days are those of the planned start. Taken or not, all else of the session
stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from dateutil.easter import easter

from pozytywka_spark.synthetic.catalogue import FAVOURITES, Array, Catalogue, bits, catalogue_of
from pozytywka_spark.synthetic.people import People
from pozytywka_spark.synthetic.plan import DAY_MS, Plan
from pozytywka_spark.synthetic.sessions import Sessions
from pozytywka_spark.synthetic.slots.log import Choices, drawn

SLOT = "spotlight"
BASE, MOST = 0.06, 0.9
TASTE = 2.5
CHRISTMAS, EASTER, WEEKENDS, SUMMER = 2.0, 1.8, 1.3, 1.4
SPREAD, DRIFT = 0.3, 0.01  # sd of the artists' log levels; of what a day adds
GENRES, ARTISTS_A_GENRE = 6, 4  # at most
SEASONS = ("christmas", "easter", "weekends", "summer")  # of the first genres, in this order
_SPOTLIGHT = 22  # key of the random numbers


@dataclass(frozen=True)
class Cast:
    """Who can be shown, an entry an arm."""

    artist: Array  # index into the catalogue's artists
    genre: Array  # index into the genres
    season: Array  # which of SEASONS the genre has, -1: none


@dataclass(frozen=True)
class Shown:
    """The artists shown in a chunk's sessions."""

    choices: Choices
    chances: Array  # choices × arms: of a play, had that one been shown
    taken: Array  # whether the session's first play is the artist's


def shown_of(plan: Plan, people: People, sessions: Sessions) -> Shown | None:
    """Who was shown, none in a world without."""
    first = plan.world.slots.spotlight
    if first is None:
        return None
    cast = cast_of(plan)
    session = np.flatnonzero(~sessions.apart & (sessions.month >= plan.month_index(first)))
    user = sessions.user[session]
    day = (sessions.planned_ms[session] - plan.month_starts_ms()[0]) // DAY_MS
    likes = (people.favourite_mask[:, None] & bits(cast.genre)[None, :]) != 0
    chances = np.minimum(_rates(plan)[day] * np.where(likes[user], TASTE, 1.0), MOST)
    eligible = np.ones(chances.shape, dtype=bool)
    preference = np.exp(plan.rng(_SPOTLIGHT, 1).normal(0, 0.5, len(cast.artist)))
    key = (_SPOTLIGHT, 2, int(people.user_id[0]))
    choices = drawn(plan, key, arms_of(plan), session, eligible, preference)
    rng = plan.rng(_SPOTLIGHT, 3, int(people.user_id[0]))
    taken = rng.random(len(session)) < chances[np.arange(len(session)), choices.chosen]
    return Shown(choices, chances, taken)


def with_spotlight(
    plan: Plan, track: Array, people: People, sessions: Sessions, catalogue: Catalogue
) -> Array:
    """Tracks as played (an entry a play, by session), with the first of those that took the artist shown."""
    shown = shown_of(plan, people, sessions)
    if shown is None:
        return track
    result = track.copy()
    first_play = np.cumsum(sessions.plays) - sessions.plays
    artist = cast_of(plan).artist[shown.choices.chosen]
    rng = plan.rng(_SPOTLIGHT, 4, int(people.user_id[0]))
    draw = rng.random(len(artist))
    for number in np.unique(artist[shown.taken]):
        own = _offered(catalogue, int(number))
        at = shown.taken & (artist == number)
        result[first_play[shown.choices.session[at]]] = own[np.floor(draw[at] * len(own)).astype(np.int64)]
    return result


@lru_cache(maxsize=4)
def cast_of(plan: Plan) -> Cast:
    """The genres with the most artists on offer, some artists of each."""
    catalogue = catalogue_of(plan)
    first_genre = np.where(catalogue.genre_of >= 0, catalogue.genre_of, len(catalogue.genres)).min(axis=1)
    offered = np.unique(catalogue.artist_of[np.unique(catalogue.pools.track)])
    offered = offered[first_genre[offered] < FAVOURITES]
    counts = np.bincount(first_genre[offered], minlength=FAVOURITES)
    genres = np.argsort(-counts, kind="stable")[:GENRES]
    genres = plan.rng(_SPOTLIGHT, 0).permutation(genres[counts[genres] > 0])
    artists = [offered[first_genre[offered] == genre][:ARTISTS_A_GENRE] for genre in genres]
    sizes = [len(part) for part in artists]
    season = np.where(np.arange(len(genres)) < len(SEASONS), np.arange(len(genres)), -1)
    return Cast(np.concatenate(artists), np.repeat(genres, sizes), np.repeat(season, sizes))


def arms_of(plan: Plan) -> list[str]:
    """Names of the arms: the artists' ids."""
    return [str(name) for name in catalogue_of(plan).artists["id"][cast_of(plan).artist]]


def genre_name(plan: Plan, genre: int) -> str:
    """As the deliveries have it."""
    return str(catalogue_of(plan).genres[genre])


def season_factors(day: date) -> Array:
    """What each of SEASONS multiplies by on a day."""
    return np.array(
        [
            CHRISTMAS if day.month == 12 and day.day <= 26 else 1.0,
            EASTER if 0 <= (easter(day.year) - day).days <= 10 else 1.0,
            WEEKENDS if day.weekday() >= 5 else 1.0,
            SUMMER if day.month in (6, 7, 8) else 1.0,
        ]
    )


@lru_cache(maxsize=2)
def _rates(plan: Plan) -> Array:
    """Days of the world × arms, of a user without a taste for the genre."""
    cast = cast_of(plan)
    first, end = (ms // DAY_MS for ms in plan.month_starts_ms()[[0, -1]])
    days = [date.fromordinal(int(day) + date(1970, 1, 1).toordinal()) for day in range(first, end)]
    rng = plan.rng(_SPOTLIGHT, 5)
    steps = rng.normal(0, DRIFT, (len(days), len(cast.artist)))
    steps[0] = rng.normal(0, SPREAD, len(cast.artist))
    seasons = np.concatenate(
        [np.array([season_factors(day) for day in days]), np.ones((len(days), 1))], axis=1
    )
    rates: Array = BASE * np.exp(np.cumsum(steps, axis=0)) * seasons[:, cast.season]
    return rates


def _offered(catalogue: Catalogue, artist: int) -> Array:
    tracks = np.unique(catalogue.pools.track)
    own: Array = tracks[catalogue.artist_of[tracks] == artist]
    return own
