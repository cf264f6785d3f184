"""The units of work of job three, made of what job two put down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from pozytywka_spark.features.build.items import REAL, Held, UserSlice
from pozytywka_spark.features.build.parcels import LIKED, LISTENED, MEASURED
from pozytywka_spark.lake.shards import Parcel


def user_slices(
    parcels: Iterable[Parcel],
    held: Mapping[int, Held] | None = None,
    world: str = REAL,
    texts: Mapping[int, tuple[Parcel, ...]] | None = None,
) -> list[UserSlice]:
    """The slices of users that have events in the world, by bucket and number.

    `parcels` of the second job, of whichever kinds and worlds; `held`: what is known of a bucket's users;
    `texts`: parcels TEXTS of each bucket.
    """
    by_slice: dict[tuple[int, int], dict[str, list[Parcel]]] = defaultdict(lambda: defaultdict(list))
    for parcel in parcels:
        if parcel.kind in (MEASURED, LISTENED, LIKED) and parcel.key[0] == world:
            by_slice[int(parcel.key[1]), int(parcel.key[2])][parcel.kind].append(parcel)
    return [
        UserSlice(
            world,
            bucket,
            number,
            tuple(mine[MEASURED]),
            tuple(mine[LISTENED]),
            tuple(mine[LIKED]),
            (held or {}).get(bucket, Held()),
            (texts or {}).get(bucket, ()),
        )
        for (bucket, number), mine in sorted(by_slice.items())
    ]
