"""The truth about a world: how likely each user was to buy within the horizon, given all that had happened.

Grain: user and month, for users who listened before the month's end (the cut-off) and had not
bought by then. Two probabilities of a purchase in [cut-off, cut-off + horizon):

- `probability_known`: the hidden traits known;
- `probability`: averaged over what the history leaves open of them. No model that sees the
  history can do better.

Both by forward simulation under the world's own law, with a standard error. What can be exact is:
the chance that the next month is an active one (two strata, weighed exactly); the purchase itself
(along a path the chance to stay free is a formula, nothing is drawn); the taste, a Gamma variable
whose posterior after a summed load Λ without a purchase is Gamma(k, k + Λ), so that a further
load λ is survived with chance ((k + Λ) / (k + Λ + λ))^k; the posteriors of activity (Gamma) and of
the shares of adverts and skips (Beta).

Approximations, all small beside the standard error: likes and favourite genres are drawn from Beta
posteriors although they depend on which tracks come; a session that straddles the cut-off or the
horizon's end counts to the side of its start; sessions are not put off for overlapping. They
matter less than 1 in 100 of the probability; a test compares it with what came true.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.synthetic import changes
from pozytywka_spark.synthetic.catalogue import FLAT_POOL, HITS_POOL, Array, Catalogue, catalogue_of
from pozytywka_spark.synthetic.events import purchase_times
from pozytywka_spark.synthetic.forward import PathStarts, Traits, loads_ahead
from pozytywka_spark.synthetic.hazard import MEAN_POPULARITY, SHRINK
from pozytywka_spark.synthetic.life import Life, life_of
from pozytywka_spark.synthetic.people import TASTE_SHAPE
from pozytywka_spark.synthetic.plan import DAY_MS, Plan, Rng

_TRUTH = 5  # key of the random numbers
# Beta that the share of plays in favourite genres comes from, chance matches included.
_FAVOURITE_PRIOR = (0.9, 4.6)
_FAMILY_PRIOR = (2.2, 7.5)  # the same where whole families of genres are liked

Columns = dict[str, Array]


@dataclass(frozen=True)
class History:
    """One entry a row of the truth: what had happened by the cut-off."""

    user: Array
    month: Array
    last: Array  # the user's latest session
    sessions: Array
    active_months: Array
    plays: Array
    adverts: Array
    advert_chances: Array  # plays, each weighed by the factor on the chance of an advert
    skips: Array
    likes: Array
    favourites: Array
    popularity: Array
    load: Array  # summed, level included


def truth_of(plan: Plan, chunk: int, horizon_days: int, paths: int) -> Columns:
    """The rows of a chunk's users."""
    life = life_of(plan, chunk)
    catalogue = catalogue_of(plan)
    cut_off = plan.month_starts_ms()[1:]
    bought = purchase_times(plan, life)
    history = history_of(plan, life, catalogue, cut_off, bought)
    until = cut_off[history.month] + horizon_days * DAY_MS
    outlook = PathStarts(
        month=history.month,
        until_ms=until,
        active=life.sessions.month[history.last] == history.month,
        memory=life.walk.after.take(history.last),
        memory_ms=life.walk.start_ms[history.last],
        treated=life.people.treated[history.user],
    )
    rng = plan.rng(_TRUTH, chunk, horizon_days)
    level = plan.level
    taste = life.people.taste[history.user]

    def bought_known(load: Array, row: Array) -> Array:
        return -np.expm1(-taste[row] * level * load)

    def bought_averaged(load: Array, row: Array) -> Array:
        # a ring's account gives itself away, and never buys
        return np.where(taste[row] > 0, averaged_chance(history.load[row], level * load), 0.0)

    loads, known_error = loads_ahead(
        plan, rng, outlook, lambda row: _known(life, catalogue, history, row), bought_known, paths
    )
    averaged, error = loads_ahead(
        plan, rng, outlook, lambda row: _posterior(plan, rng, history, row), bought_averaged, paths
    )
    bought_at = bought[history.user]
    return {
        "user_id": life.people.user_id[history.user],
        "month_index": history.month,
        "probability": averaged,
        "probability_error": error,
        "probability_known": loads,
        "probability_known_error": known_error,
        "bought": bought_at < until,
        "mature": until <= cut_off[-1],
    }


def averaged_chance(before: Array, ahead: Array) -> Array:
    """The chance of a purchase over the load `ahead`, given that `before` was survived."""
    left = TASTE_SHAPE + before
    chance: Array = 1.0 - (left / (left + ahead)) ** TASTE_SHAPE
    return chance


def history_of(plan: Plan, life: Life, catalogue: Catalogue, cut_off: Array, bought: Array) -> History:
    """Rows of users with a session before the cut-off and no purchase before it."""
    sessions, plays = life.sessions, life.plays
    # sessions lie by user and time: one search over both finds each user's last one before each cut-off
    span = int(cut_off[-1]) + 1
    position = sessions.user * span + np.minimum(life.walk.start_ms, span - 1)
    users = np.arange(len(life.people))
    last = np.searchsorted(position, users[:, None] * span + cut_off[None, :], side="left") - 1
    here = (last >= 0) & (sessions.user[last] == users[:, None]) & (bought[:, None] >= cut_off[None, :])
    user, month = np.nonzero(here)
    at = last[user, month]
    new_month = np.append(True, (np.diff(sessions.user) != 0) | (np.diff(sessions.month) != 0))
    own = ~sessions.apart

    def so_far(per_session: Array) -> Array:
        """Summed over the user's sessions up to the last one."""
        total = np.cumsum(per_session)
        first = np.flatnonzero(sessions.number == 0)
        start = np.zeros(len(users))
        start[sessions.user[first]] = (total - per_session)[first]
        return total[at] - start[user]

    def of_plays(value: Array) -> Array:
        return so_far(np.bincount(plays.session, weights=value, minlength=len(sessions)) * own)

    treated = life.people.treated[sessions.user]
    factor = changes.advert_factor(plan, treated, sessions.month)[plays.session]
    return History(
        user=user,
        month=month,
        last=at,
        sessions=so_far(own * 1.0),
        active_months=so_far((new_month & own) * 1.0),
        plays=so_far(sessions.plays * own * 1.0),
        adverts=of_plays(plays.advert),
        advert_chances=of_plays(factor),
        skips=of_plays(plays.skipped),
        likes=of_plays(plays.liked),
        favourites=of_plays(plays.favourite),
        popularity=of_plays(catalogue.tracks["popularity"][plays.track]),
        load=plan.level * of_plays(life.load),
    )


def _known(life: Life, catalogue: Catalogue, history: History, row: Array) -> Traits:
    people = life.people
    by_pool = _chance_matches(life, catalogue)
    chance = people.mainstream * by_pool[0] + (1 - people.mainstream) * by_pool[1]
    favourite = people.favourite + (1 - people.favourite) * chance
    user = history.user[row]
    return Traits(
        extra_sessions=people.extra_sessions[user],
        advert=people.advert[user],
        skip=people.skip[user],
        like=((history.likes + people.like[history.user] * SHRINK) / (history.plays + SHRINK))[row],
        favourite=favourite[user],
        popularity=_popularity(history)[row],
    )


def _chance_matches(life: Life, catalogue: Catalogue) -> list[Array]:
    """For each user the share of plays from the general pools that match a favourite genre."""
    pools = catalogue.pools
    result = []
    for pool in (HITS_POOL, FLAT_POOL):
        inside = slice(
            np.searchsorted(pools.cumulative, pools.low[pool], side="right"),
            np.searchsorted(pools.cumulative, pools.high[pool], side="left") + 1,
        )
        weight = np.diff(pools.cumulative[inside], prepend=pools.low[pool])
        mask = catalogue.favourite_mask[pools.track[inside]]
        kinds, kind = np.unique(mask, return_inverse=True)
        share = np.bincount(kind, weights=weight) / weight.sum()
        result.append(((life.people.favourite_mask[:, None] & kinds[None, :]) != 0) @ share)
    return result


def _posterior(plan: Plan, rng: Rng, history: History, row: Array) -> Traits:
    how = plan.behaviour
    shape, scale = how.extra_sessions

    def beta(prior: tuple[float, float], hits: Array, chances: Array) -> Array:
        misses = np.maximum(chances - hits, 0.0)
        return rng.beta((prior[0] + hits)[row], (prior[1] + misses)[row])

    return Traits(
        extra_sessions=rng.gamma(
            (shape + history.sessions - history.active_months)[row],
            (1.0 / (1.0 / scale + history.active_months))[row],
        ),
        advert=beta(how.advert, history.adverts, history.advert_chances),
        skip=beta(how.skip, history.skips, history.plays),
        like=beta(how.like, history.likes, history.plays),
        favourite=beta(
            _FAMILY_PRIOR if plan.world.families else _FAVOURITE_PRIOR, history.favourites, history.plays
        ),
        popularity=_popularity(history)[row],
    )


def _popularity(history: History) -> Array:
    mean: Array = (history.popularity + SHRINK * MEAN_POPULARITY) / (history.plays + SHRINK)
    return mean
