"""Partial counts of the tables beside events, shard by shard: part of the first job of a look at silver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pozytywka_spark import schemas
from pozytywka_spark.ingest.quality import key_parcels as b
from pozytywka_spark.ingest.quality.check_list import artist_checks, storage_checks, track_checks, user_checks
from pozytywka_spark.ingest.quality.checks import Check, as_result, tally_checks, tally_columns
from pozytywka_spark.ingest.quality.distributions import count_tracks
from pozytywka_spark.ingest.quality.event_partials import CHUNK_ROWS
from pozytywka_spark.lake.shards import Shard, batches
from pozytywka_spark.lake.tasks import Result, TaskFiles

# the table, its checks, and which kinds of keys it stages
CATALOGUE: Mapping[str, tuple[schemas.Table, Callable[[], list[Check]], tuple[str, ...]]] = {
    "users": (schemas.USERS, user_checks, (b.USERS,)),
    "artists": (schemas.ARTISTS, artist_checks, (b.ARTISTS, b.ARTIST_NAMES)),
    "tracks": (schemas.TRACKS, track_checks, (b.TRACKS, b.TRACK_ARTISTS, b.TRACK_NAMES)),
    "track_storage": (schemas.TRACK_STORAGE, storage_checks, (b.STORED,)),
}


def count_catalogue(shard: Shard, files: TaskFiles, staging: b.Staging) -> Iterator[Result]:
    """Tell what rows say themselves, and stage keys for what others say of them."""
    table, checks, kinds = CATALOGUE[shard.table]
    alone = [check for check in checks() if not check.brought]
    for chunk in batches(shard.files, CHUNK_ROWS):
        rows = files.read(chunk, table.columns)
        tallies = tally_checks(rows, table.keys[0], alone) | tally_columns(rows, table)
        for kind in kinds:
            staging.add(kind, rows)
        yield {
            "checks": as_result(tallies),
            "tracks": count_tracks(rows) if table is schemas.TRACKS else [],
        }
