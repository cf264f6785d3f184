"""Users of a chunk: who they are (invented) and how they listen (hidden from everyone but the truth)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.synthetic.catalogue import FAVOURITES, Array, bits
from pozytywka_spark.synthetic.fraud import BUSY, rings_of
from pozytywka_spark.synthetic.plan import FIRST_USER, USERS_A_CHUNK, Plan
from pozytywka_spark.synthetic.roles import BOT, SKIMMER, plays_before_purchase, roles_of
from pozytywka_spark.synthetic.taste.likers import like_habits
from pozytywka_spark.synthetic.words import CITIES, FIRST_NAMES, STREET_KINDS, STREETS, SURNAMES

TASTE_SHAPE = 4.0  # of the Gamma that the hidden taste for premium is drawn from, with mean 1


@dataclass(frozen=True)
class People:
    """One entry a user. All traits are hidden; only `favourites` are delivered."""

    user_id: Array
    favourites: Array  # users × 3 genre indices
    taste: Array  # multiplies the hazard
    extra_sessions: Array  # Poisson mean of sessions beyond the first of an active month
    favourite: Array  # share of plays picked from the favourite genres
    mainstream: Array
    like: Array
    skip: Array
    advert: Array
    treated: Array  # by the experiment, should there be one
    ring: Array  # of fraud, -1 for the honest
    role: Array  # as `roles.py` numbers them, -1 for plain ones
    buys_after: Array  # plays before the purchase of those who buy at once, -1 where the hazard decides
    patience: Array  # unit exponential: the purchase comes when the summed hazard reaches it

    def __len__(self) -> int:
        return len(self.user_id)

    @property
    def favourite_mask(self) -> Array:
        """The favourite genres as bits."""
        mask: Array = np.bitwise_or.reduce(bits(self.favourites), axis=1)
        return mask


def people_of(plan: Plan, chunk: int) -> People:
    """The users of chunk `chunk`."""
    first = chunk * USERS_A_CHUNK
    count = plan.users_in(chunk)
    rng = plan.rng(1, chunk)
    how = plan.behaviour
    user_id = FIRST_USER + first + np.arange(count)
    people = People(
        user_id=user_id,
        favourites=rng.random((count, FAVOURITES)).argsort(axis=1)[:, :3],
        taste=rng.gamma(TASTE_SHAPE, 1.0 / TASTE_SHAPE, count),
        extra_sessions=rng.gamma(*how.extra_sessions, count),
        favourite=rng.beta(*how.favourite, count),
        mainstream=rng.beta(*how.mainstream, count),
        like=like_habits(plan, rng.beta(*how.like, count), chunk),
        skip=rng.beta(*how.skip, count),
        advert=rng.beta(*how.advert, count),
        treated=rng.random(count) < plan.world.experiment.share,
        ring=rings_of(plan, user_id, chunk),
        role=roles_of(plan, user_id, chunk),
        buys_after=np.full(count, -1),
        patience=rng.exponential(1.0, count),
    )
    crooked = people.ring >= 0
    people.taste[crooked] = 0.0
    people.extra_sessions[crooked] = BUSY
    people.taste[np.isin(people.role, (BOT, SKIMMER))] = 0.0
    people.buys_after[:] = plays_before_purchase(plan, people.role, chunk)
    return people


def passports(plan: Plan, chunk: int) -> dict[str, Array]:
    """Invented names, cities and streets: what the pipeline must never keep."""
    count = plan.users_in(chunk)
    rng = plan.rng(2, chunk)

    def pick(values: tuple[str, ...]) -> Array:
        return np.array(values)[rng.integers(0, len(values), count)]

    number = rng.integers(1, 100, count).astype("U2")
    return {
        "name": _join(pick(FIRST_NAMES), pick(SURNAMES)),
        "city": pick(CITIES),
        "street": _join(_join(pick(STREET_KINDS), pick(STREETS)), number),
    }


def _join(left: Array, right: Array) -> Array:
    return np.char.add(np.char.add(left, " "), right)
