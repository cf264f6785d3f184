"""What the build's jobs are about: their units of work, made of what the job before put down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pozytywka_spark.features.build.items import REAL, Held, UserSlice
from pozytywka_spark.features.build.staged import LIKED, LISTENED, MEASURED, PLAYED
from pozytywka_spark.features.build.third_pass import TracksPlayed
from pozytywka_spark.lake.shards import Parcel


def user_slices(
    parcels: Iterable[Parcel], held: Mapping[int, Held] | None = None, world: str = REAL
) -> list[UserSlice]:
    """The slices of users that have events in the world, by bucket and number.

    `parcels` of the second job, of whichever kinds and worlds; `held`: what is known of a bucket's users.
    """
    found: dict[tuple[int, int], dict[str, list[Parcel]]] = defaultdict(lambda: defaultdict(list))
    for parcel in parcels:
        if parcel.kind in (MEASURED, LISTENED, LIKED) and parcel.key[0] == world:
            found[int(parcel.key[1]), int(parcel.key[2])][parcel.kind].append(parcel)
    return [
        UserSlice(
            world,
            bucket,
            number,
            tuple(mine[MEASURED]),
            tuple(mine[LISTENED]),
            tuple(mine[LIKED]),
            (held or {}).get(bucket, Held()),
        )
        for (bucket, number), mine in sorted(found.items())
    ]


def tracks_played(parcels: Iterable[Parcel], months: Sequence[date]) -> TracksPlayed:
    """Plays by track of the build's months, as the second job put them down."""
    mine = (parcel for parcel in parcels if parcel.kind == PLAYED and parcel.key[0] == REAL)
    return TracksPlayed(tuple(months), tuple(mine))
