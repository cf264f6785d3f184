"""Events -> files of the table `rings`: two jobs over the shards of all months asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pozytywka_spark.config import Settings
from pozytywka_spark.features.build.event_months import EventShards
from pozytywka_spark.fraud.rings.excess import Far
from pozytywka_spark.fraud.rings.groups import Least
from pozytywka_spark.fraud.rings.window import windows_of
from pozytywka_spark.fraud.rings.work import PAIRS, CountPairs, FindRings, WindowPairs
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.lake.tasks import Tasks


def find_rings(
    tasks: Tasks, settings: Settings, shards: EventShards, months: Sequence[date]
) -> tuple[Written, ...]:
    """Files of the table `rings` of these months, which are over; nothing is committed.

    A month without a ring has no file. Rings are looked for in the `fraud.ring_days` days before the
    month's end.
    """
    fraud, lake = settings.fraud, shards.lake
    windows = windows_of(months, fraud.ring_days)
    events = shards.of(sorted({month for window in windows for month in window.months}))
    counted = tasks.run(
        events,
        CountPairs(tuple(windows)),
        weight=lambda shard: shard.size,
        named=lambda shard: f"plays of {shard.partition['event_month']:%Y-%m}",
    )
    pairs = counted.of(PAIRS)
    items = [
        WindowPairs(name, tuple(parcel for parcel in pairs if parcel.key[0] == name))
        for name in sorted({str(parcel.key[0]) for parcel in pairs})
    ]
    tracks = data_files(lake, tasks, "tracks", ["id", "id_artist"])
    artists = data_files(lake, tasks, "artists", ["id", "genres"])
    far = Far(fraud.ring_plays, fraud.ring_times, fraud.ring_chance)
    found = tasks.run(
        items,
        FindRings(tracks, artists, far, Least(fraud.ring_tracks, fraud.ring_accounts)),
        weight=lambda item: item.size,
        named=lambda item: f"rings of {item.month[:7]}",
    )
    return found.written
