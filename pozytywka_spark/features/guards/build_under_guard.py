"""The input of guards: what the build read and put down, and the files of features that it wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from pozytywka_spark.features.build.items import Held, Source
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard
from pozytywka_spark.lake.tasks import Tasks

if TYPE_CHECKING:
    from pozytywka_spark.features.build.plan import CataloguePlan


@dataclass(frozen=True)
class GuardedBuild:
    """One build, for its guards to do again in other worlds.

    `months`, in order, were built; `events` are their shards. `bought`: first purchases by month, of every
    month that the build is given. `tracks`, `users` and `favourite_groups`: the dimensions, none of an empty
    catalogue. `plan` is of the features written, in their order. Users are in `buckets`, each in so many
    `slices`; `held` is by bucket. `plays`: files of `track_plays` of the months before; `played`: PLAYED of
    the months built. `features`: the files written, not yet committed. `measured`: what the second pass put
    down, for guards to take the past from; empty: they measure all of it themselves.
    """

    tasks: Tasks
    plan: CataloguePlan
    months: tuple[date, ...]
    events: tuple[Shard, ...]
    bought: Mapping[date, tuple[Source, ...]]
    tracks: Parcel | None
    users: Parcel | None
    buckets: int
    slices: int
    played: tuple[Parcel, ...]
    features: tuple[DataFile, ...]
    held: Mapping[int, Held] = field(default_factory=dict)
    plays: tuple[DataFile, ...] = ()
    favourite_groups: Parcel | None = None
    texts: Mapping[int, tuple[Parcel, ...]] = field(default_factory=dict)
    measured: tuple[Parcel, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """The features written, whether models are given them or not."""
        return tuple(each.name for each in self.plan.features)

    @property
    def rows(self) -> int:
        """Events of the months built."""
        return sum(shard.rows for shard in self.events)

    @property
    def latest(self) -> date:
        """The last month of which the build is given events or purchases."""
        return max((*self.months, *(month for month, sources in self.bought.items() if sources)))
