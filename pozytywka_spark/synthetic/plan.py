"""The plan of a world: its size, its people and how they behave, all fixed by settings and a seed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

import numpy as np

from pozytywka_spark.config import Synthetic, Taste
from pozytywka_spark.config.base import Section

VERSION = 1  # of the generator: a world made by another version is not the same world

USERS_A_CHUNK = 500  # fixed, so that what is made never depends on how many cores make it
PILOT = 1 << 20  # chunks numbered from here are rehearsals: never delivered, used to set levels
FIRST_USER = 101
FIRST_SESSION = 124
SESSIONS_A_MONTH = 32  # most sessions that a user can have in a month; session ids are laid out by it
DAY_MS = 86_400_000
_TASTE_TOLD = {"cut_off": True, "paths": True, "told": True}  # which chances, and how finely
_FIRST_FRAUD = ("rings", "accounts", "tracks")  # settings of fraud that were always part of a stamp

Rng = np.random.Generator
Settings = TypeVar("Settings", bound=Section)


@dataclass(frozen=True)
class Behaviour:
    """How people listen. Shares and rates are tuned to the headline deliveries (see tests)."""

    # share of users there from the first month; the others join evenly over all months
    joined_at_once: float = 0.3
    # chance that an active month is followed by another, and a quiet one by an active one
    stay: float = 0.65
    comeback: float = 0.0983
    # Gamma shape and scale of the mean number of sessions beyond the first of an active month
    extra_sessions: tuple[float, float] = (1.4, 0.5)
    # Beta shapes and the most plays of a session
    plays: tuple[float, float, int] = (1.0, 1.0, 44)
    # Beta shapes, over users: share of plays picked from the favourite genres; of the others, from the hits
    favourite: tuple[float, float] = (0.6, 4.2)
    mainstream: tuple[float, float] = (1.3, 2.2)
    # Beta shapes, over users: chance of a like during a play of a track not yet liked; of a skip;
    # of an advert after a track, before the purchase
    like: tuple[float, float] = (2.5, 5.3)
    skip: tuple[float, float] = (2.2, 5.2)
    advert: tuple[float, float] = (1.2, 1.54)


@dataclass(frozen=True)
class Plan:
    """A world to be made. The same plan gives the same bytes, on any machine with the same numpy."""

    world: Synthetic
    behaviour: Behaviour = field(default_factory=Behaviour)
    level: float = math.nan  # exp of the hazard's level; `life.plan_of` finds it

    @property
    def chunks(self) -> int:
        """Chunks of users, the unit of work."""
        return -(-self.world.users // USERS_A_CHUNK)

    def users_in(self, chunk: int) -> int:
        """Users of a chunk; the last one may be smaller."""
        left = self.world.users - chunk * USERS_A_CHUNK
        return USERS_A_CHUNK if chunk >= PILOT else min(USERS_A_CHUNK, left)

    def rng(self, *key: int) -> Rng:
        """A stream of random numbers of its own for each purpose and chunk."""
        return np.random.default_rng([self.world.seed, *key])

    def month_starts_ms(self, months: int | None = None) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Milliseconds since 1970 (UTC) of the start of each of `months`, and of the last one's end."""
        first = np.datetime64(self.world.start, "M")
        count = self.world.months if months is None else months
        return (first + np.arange(count + 1)).astype("datetime64[ms]").astype(np.int64)

    def stamp(self) -> str:
        """What a finished world carries, to know it again. What is told of its truth is no part of it."""
        world = self.world.model_dump(mode="json", exclude={"truth_paths": True, "taste": _TASTE_TOLD})
        # a world that uses none of what came later is the world that it was before
        used = self.world.fraud.model_dump(exclude_defaults=True)
        world["fraud"] = {
            name: value for name, value in world["fraud"].items() if name in {*_FIRST_FRAUD, *used}
        }
        if world["taste"] == Taste().model_dump(mode="json", exclude=_TASTE_TOLD):
            del world["taste"]
        if not self.world.families:
            del world["families"]
        if not self.world.slots.model_dump(exclude_defaults=True):
            del world["slots"]
        if not self.world.feedback.rate:
            del world["feedback"]
        if not self.world.rhythm.model_dump(exclude_defaults=True):
            del world["rhythm"]
        if not self.world.outages:
            del world["outages"]
        identity = {"generator": VERSION, "world": world, "behaviour": asdict(self.behaviour)}
        return json.dumps(identity, indent=2, sort_keys=True)

    def unchanged(self) -> Plan:
        """This world without drift, experiment, fraud, slots, texts and rhythm: its levels are set by it."""
        names = ("drift", "experiment", "fraud", "dirt", "slots", "feedback", "rhythm", "outages")
        return replace(self, world=_as_by_default(self.world, names))

    def rehearsal(self) -> Plan:
        """The unchanged world, alike for all worlds that differ in what the chunks from `PILOT` on never see.

        They don't see how many users are delivered, how many of them buy and what is told of the truth.
        """
        bare = self.unchanged()
        world = _as_by_default(bare.world, ("users", "premium_share", "truth_paths"))
        taste = _as_by_default(world.taste, _TASTE_TOLD)
        return replace(bare, world=world.model_copy(update={"taste": taste}))

    def month_index(self, month: date) -> int:
        """Months from the world's start."""
        start = self.world.start
        return (month.year - start.year) * 12 + month.month - start.month


def _as_by_default(section: Settings, names: Iterable[str]) -> Settings:
    """The settings, but for those named."""
    fields = type(section).model_fields
    return section.model_copy(update={name: fields[name].default for name in names})
