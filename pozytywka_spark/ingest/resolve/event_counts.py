"""Counts of the events that pass two wrote, so that the checks needn't read them again.

The rows of a month and bucket of which the table held nothing lie in the files that one task wrote. That task
has them in memory, and counts them as a look at silver would (`event_partials`). What it counted holds for
exactly these files: a look takes it for shards that consist of them, and reads all other shards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pozytywka_spark.ingest.quality import key_parcels as b
from pozytywka_spark.ingest.resolve.new_events import EventShard
from pozytywka_spark.lake.shards import Parcel, Shard
from pozytywka_spark.lake.tasks import Done, Result
from pozytywka_spark.schemas import EVENTS

KINDS = (b.USER_EVENTS, b.TRACK_EVENTS, b.SESSION_EVENTS, b.LIKES)


@dataclass(frozen=True)
class CountedFiles:
    """`results` and `parcels` of the first job of a look (see `profile`), of the table's files at `paths`.

    `paths` are relative to the table; the parcels are cut into so many `slices`.
    """

    slices: int
    paths: frozenset[str]
    results: tuple[Result, ...]
    parcels: tuple[Parcel, ...]

    def left_of(self, shards: Sequence[Shard]) -> list[Shard] | None:
        """The shards of the table that consist of other files; None if some shard is of both, or a file is
        gone: then nothing that was counted holds any more.
        """
        left, files = [], 0
        for shard in shards:
            mine = sum(file.path in self.paths for file in shard.files)
            if 0 < mine < len(shard.files):
                return None
            files += mine
            if not mine:
                left.append(shard)
        return left if files == len(self.paths) else None


def counted_files(done: Done, shards: Sequence[EventShard], slices: int) -> CountedFiles | None:
    """What `NewEvents` counted of the shards; None if the table held something of all of them."""
    new = {(str(shard.month), str(shard.bucket)) for shard in shards if shard.is_new}
    paths = frozenset(
        one.path
        for one in done.written
        if one.table == EVENTS.name and (one.partition["event_month"], one.partition["user_bucket"]) in new
    )
    if not paths:
        return None
    results = tuple({"months": one["months"], "days": one["days"]} for one in done.results if "months" in one)
    return CountedFiles(slices, paths, results, tuple(one for one in done.parcels if one.kind in KINDS))
