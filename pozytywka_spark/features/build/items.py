"""The units of work of a build, and how many slices its users go in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from pozytywka_spark.lake.shards import DataFile, Parcel

Source = DataFile | Parcel
REAL = ""  # the world in which events are what they are
EVENTS_A_SLICE = 6_000_000  # over all months of the build: what one task of the last job holds with ease
_COLUMNS = 226  # of the whole catalogue's plan, by which that was tried
_WORTH_A_TASK = 150_000


@dataclass(frozen=True)
class MonthShard:
    """Events of a month and a bucket of users in some worlds: the unit of the second job.

    Files of the table, or parcels of invented events with the same columns. The shard is read once, whatever
    the number of worlds; they differ in who has bought. `as_built`: it was measured in the real world, and
    counts as measured in all of its worlds if the same users have bought there by the month's end.
    """

    worlds: tuple[str, ...]
    month: date
    bucket: int
    events: tuple[Source, ...]
    as_built: bool = False

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(one.size for one in self.events)

    @property
    def rows(self) -> int:
        """Events."""
        return sum(one.rows for one in self.events)


@dataclass(frozen=True)
class Held:
    """What earlier builds know of a bucket's users, before the build's first month; empty in a full build.

    Files of the tables `first_likes`, `artist_debuts`, `user_debuts` (all earlier months) and `user_month`
    (the months that trailing windows reach back to).
    """

    likes: tuple[DataFile, ...] = ()
    artists: tuple[DataFile, ...] = ()
    users: tuple[DataFile, ...] = ()
    user_month: tuple[DataFile, ...] = ()


@dataclass(frozen=True)
class UserSlice:
    """Some of a bucket's users over all months of the build, in a world: the unit of the third job.

    Of parcels of another world than its own, only the months before `lent_until` are the slice's.
    """

    world: str
    bucket: int
    number: int
    measured: tuple[Parcel, ...]
    listened: tuple[Parcel, ...]
    liked: tuple[Parcel, ...]
    held: Held = field(default_factory=Held)
    texts: tuple[Parcel, ...] = ()  # TEXTS of the bucket's users, of the build's months and those before
    lent_until: date = date.min

    @property
    def size(self) -> int:
        """Bytes that are read."""
        files = (*self.held.likes, *self.held.artists, *self.held.users, *self.held.user_month)
        read: tuple[Source, ...] = (*self.measured, *self.listened, *self.liked, *self.texts, *files)
        return sum(one.size for one in read)


def slices_for(events: int, buckets: int, slots: int, columns: int) -> int:
    """In how many slices each bucket's users go, by the events of the build's months and the plan's columns.

    The slice of a user: `slices.slice_of("user_id", slices, apart_from=buckets)`.
    """
    # a narrow plan's rows need less room, but what they are made of needs as much
    most = int(EVENTS_A_SLICE * min(2.0, max(1.0, _COLUMNS / columns)))
    needed = -(-events // most)
    # as many for one slot as for another: an odd one would keep all others waiting
    even = -(-needed // slots) * slots if needed > 1 else needed
    slices = max(even, min(slots, -(-events // _WORTH_A_TASK)), 1)
    return -(-slices // buckets)
