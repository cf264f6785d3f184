"""The truth about tastes: how likely each user is to finish, skip, like a track in the days after a cut-off.

Everything hidden is known to it: vectors, habits, what was played before. Along a simulated future (see
`ahead.py`) the chance of a track is a formula, nothing is drawn; futures are averaged. With q the chance of
the track at one new pick, a family of it is started by each new pick with chance q, and by each copy of the
past with the chance that one of its earlier plays is copied. Then P(nothing) = Π over families (1 - chance).

Approximations, small beside the chances: fresh releases fade week by week in what is picked, here they have
their mean over the days; whether a play is copied depends on the person's rate of skips, not on the track's.
Rings, fans, cheats and sleepers have none: their plays don't follow their taste.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array, Catalogue, catalogue_of
from pozytywka_spark.synthetic.events import LIKE, PLAY, SKIP, events_of
from pozytywka_spark.synthetic.life import Life, life_of
from pozytywka_spark.synthetic.plan import DAY_MS, Plan
from pozytywka_spark.synthetic.taste.ahead import (
    DAYS,
    SIZES,
    STAGES,
    Families,
    families,
    past_chances,
    plays_ahead,
)
from pozytywka_spark.synthetic.taste.picks import Shelf, chance_of_picks, shelf_of
from pozytywka_spark.synthetic.taste.releases import week_of
from pozytywka_spark.synthetic.taste.vectors import (
    Habits,
    catchiness,
    habits_of,
    like_chance,
    skip_chance,
)

NAMES = ("play", "finish", "skip", "like", "again")
_AHEAD = 27  # key of the random numbers
_SIZE = np.arange(1, SIZES + 1)


@dataclass(frozen=True)
class Past:
    """A chunk's plays before the cut-off, by user and time."""

    start: Array  # of each user, and one more
    place: Array  # of the track in the offer, -1 for tracks that nobody picks by taste
    skipped: Array
    liked: Array  # users × the offer: liked before the cut-off


def cut_off_of(plan: Plan) -> date:
    """The cut-off that was asked for, else the start of the last month."""
    first = np.datetime64(plan.world.start, "M") + plan.world.months - 1
    default: date = first.astype("datetime64[D]").astype(object)
    return plan.world.taste.cut_off or default


def chances_of(plan: Plan, chunk: int) -> dict[str, Array]:
    """A row a user and track that matters: user_id, track (index into the catalogue), and `NAMES`.

    Of each user the tracks that they played before, and of the others the likeliest, `taste.told` in all.
    """
    life = life_of(plan, chunk)
    catalogue = catalogue_of(plan)
    habits = habits_of(plan, life.people)
    shelf = shelf_of(plan, habits, catalogue)
    cut_off = int(np.datetime64(cut_off_of(plan), "ms").astype(np.int64))
    past = _past(plan, life, shelf, len(catalogue.tracks["id"]), cut_off)
    rng = plan.rng(_AHEAD, chunk, cut_off // DAY_MS)
    active, extra = _active(plan, life, cut_off), life.people.extra_sessions
    plays, weight = plays_ahead(plan, rng, active, extra, cut_off, plan.world.taste.paths)
    weeks = np.unique(week_of(cut_off + np.arange(DAYS) * DAY_MS))
    released = shelf.offer.week <= week_of(np.array(cut_off - 1))
    plain = np.flatnonzero((life.people.ring < 0) & (life.people.role < 0))
    rows = [
        _of_user(
            plan,
            rng,
            _User(life, habits, shelf, past, int(user)),
            (plays[user], weight[user]),
            catalogue,
            weeks,
            released,
        )
        for user in plain
    ]
    columns = ("user_id", "track", *NAMES)
    return {name: np.concatenate([row[name] for row in rows]) for name in columns} if rows else {}


def _active(plan: Plan, life: Life, cut_off: int) -> Array:
    """Whether each user had a session in the month before the cut-off's, in its own before it, and ever."""
    starts = plan.month_starts_ms(plan.world.months + 1)
    month = int(np.searchsorted(starts, cut_off, side="right")) - 1
    result = np.zeros((len(life.people), 3), dtype=bool)
    sessions = life.sessions
    result[sessions.user[sessions.month == month - 1], 0] = True
    result[sessions.user[(sessions.month == month) & (life.walk.start_ms < cut_off)], 1] = True
    result[sessions.user[life.walk.start_ms < cut_off], 2] = True
    return result


def _past(plan: Plan, life: Life, shelf: Shelf, tracks: int, cut_off: int) -> Past:
    events = events_of(plan, life)
    users, offered = len(life.people), len(shelf.offer.track)
    place_of = np.full(tracks + 1, -1)  # the last one: no track
    place_of[shelf.offer.track] = np.arange(offered)
    before = events.time_ms < cut_off
    at = np.flatnonzero(before & (events.kind == PLAY))
    start = np.searchsorted(events.user[at], np.arange(users + 1))
    # a skip stands right after its play, but for a like between them
    skips = np.flatnonzero(before & (events.kind == SKIP))
    skipped = np.zeros(len(at), dtype=bool)
    skipped[np.searchsorted(at, skips) - 1] = True
    liked = np.zeros((users, offered), dtype=bool)
    likes = np.flatnonzero(before & (events.kind == LIKE))
    place = place_of[events.track[likes]]
    liked[events.user[likes][place >= 0], place[place >= 0]] = True
    return Past(start, place_of[events.track[at]], skipped, liked)


@dataclass(frozen=True)
class _User:
    life: Life
    habits: Habits
    shelf: Shelf
    past: Past
    user: int


def _of_user(
    plan: Plan,
    rng: np.random.Generator,
    who: _User,
    paths: tuple[Array, Array],
    catalogue: Catalogue,
    weeks: Array,
    released: Array,
) -> dict[str, Array]:
    user, past, people = who.user, who.past, who.life.people
    mine = slice(past.start[user], past.start[user + 1])
    place, skipped = past.place[mine], past.skipped[mine]
    near = likeness_by_track_of(who.shelf, user)
    catchy = catchiness(plan, catalogue)[who.shelf.offer.track]
    skip = skip_chance(people, np.array(user), near, catchy)
    like = np.where(past.liked[user], 0.0, like_chance(people, np.array(user), near, catchy))
    pick = chance_of_picks(plan, who.shelf, np.array([user]), weeks)[0] * released
    chance, far = past_chances(skipped)
    mean_skip = float((pick * skip).sum() / max(pick.sum(), 1e-12))
    future = families(rng, *paths, len(place), float(who.habits.repeats[user]), far, mean_skip)
    known = np.unique(place[place >= 0])
    copied = np.stack([np.bincount(place[place >= 0], weights=row[place >= 0], minlength=len(pick))
                       for row in chance])[:, known]  # fmt: skip
    likely = np.argsort(-pick, kind="stable")[: plan.world.taste.told + len(known)]
    new = likely[~np.isin(likely, known) & (pick[likely] > 0)][: max(0, plan.world.taste.told - len(known))]
    told = np.concatenate([known, new])
    of_past = np.zeros((len(told), len(STAGES)))
    of_past[: len(known)] = copied.T
    chances = chances_along(future, pick[told], of_past, skip[told], like[told], mean_skip)
    return {
        "user_id": np.full(len(told), people.user_id[user]),
        "track": who.shelf.offer.track[told],
        **dict(zip(NAMES, chances, strict=True)),
    }


def likeness_by_track_of(shelf: Shelf, user: int) -> Array:
    """The likeness of one user to the artist of each track on offer."""
    tracks = np.diff(np.append(shelf.first, len(shelf.offer.track)))
    return np.repeat(shelf.likeness[user], tracks)


def chances_along(
    future: Families, pick: Array, past: Array, skip: Array, like: Array, mean_skip: float
) -> tuple[Array, ...]:
    """Of tracks, the chances of `NAMES`, over a user's futures.

    `pick`: of one new pick; `past`: tracks × stages, of one copy of the past.
    """
    once = {
        "play": np.ones((len(pick), SIZES)),
        "finish": np.repeat(1.0 - skip[:, None], SIZES, axis=1),
        "skip": 1.0 - (1.0 - skip[:, None]) ** _SIZE,
        "like": 1.0 - (1.0 - like[:, None]) ** _SIZE,
    }
    result = [_any(future, pick, past, share) for share in once.values()]
    nothing = _log_none(future, pick, past, once["play"])
    # one family alone, of one play alone
    comes_back = np.minimum(1.0, (1.0 - skip) / max(1e-9, 1.0 - mean_skip))[:, None] * (_SIZE > 1)
    odds = (pick / (1.0 - pick))[:, None] * (1.0 - comes_back)
    of_past = past / np.maximum(1.0 - past, 1e-9)
    past_odds = (of_past[:, :, None] * (1.0 - comes_back)[:, None, :]).reshape(len(pick), -1)
    single = odds @ future.anew.T + past_odds @ future.past.T
    again = (1.0 - np.exp(nothing) * (1.0 + single)) @ future.weight
    return (*result, np.clip(again, 0.0, None))


def _any(future: Families, pick: Array, past: Array, share: Array) -> Array:
    chance: Array = -np.expm1(_log_none(future, pick, past, share)) @ future.weight
    return chance


def _log_none(future: Families, pick: Array, past: Array, share: Array) -> Array:
    """Tracks × futures: the log of the chance that no family does it. `share`: tracks × sizes."""
    anew = np.log1p(-np.minimum(pick[:, None] * share, 1 - 1e-9)) @ future.anew.T
    of_past = np.minimum(past[:, :, None] * share[:, None, :], 1 - 1e-9).reshape(len(pick), -1)
    result: Array = anew + np.log1p(-of_past) @ future.past.T
    return result
