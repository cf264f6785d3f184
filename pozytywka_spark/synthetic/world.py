"""Write a world: the raw delivery of an invented Pozytywka, made by Spark chunk by chunk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.synthetic import lines
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.events import BUY_PREMIUM, events_of
from pozytywka_spark.synthetic.folder import Folder
from pozytywka_spark.synthetic.life import level_of, life_of
from pozytywka_spark.synthetic.people import passports
from pozytywka_spark.synthetic.plan import Plan, plan_of

STAMP = "_world.json"  # the underscore hides it from Spark's readers
_ROWS_A_PART = 20_000  # of the catalogue's files

Maker = Callable[[Plan, int], pa.Array]


def write_world(spark: SparkSession, settings: Settings, path: str, *, replace: bool = False) -> None:
    """Make the world of `settings.synthetic` at `path`: one folder of JSON Lines parts per entity.

    Does nothing if that very world is there already. The folder appears complete or not at all.
    Raises `DataError` if something else is there, unless `replace`.
    """
    plan = plan_of(settings.synthetic)
    stamp = json.dumps(plan.stamp(), indent=2, sort_keys=True)
    target = Folder.at(path)
    if target.exists() and not replace:
        if target.read(STAMP) == stamp:
            return
        raise DataError(
            f"{path} holds {'another world' if target.read(STAMP) else 'something that is no made world'}: "
            "choose another folder, or say that it is to be replaced"
        )
    making = target.sibling(".making")
    making.delete()
    tables = {
        "artists": (_artists, -(-plan.artists // _ROWS_A_PART)),
        "tracks": (_tracks, -(-plan.tracks // _ROWS_A_PART)),
        "track_storage": (_storage, -(-plan.tracks // _ROWS_A_PART)),
        "users": (_users, plan.chunks),
        "sessions": (_sessions, plan.chunks),
    }
    level_of(plan)
    for entity, (make, parts) in tables.items():
        _write_parts(spark, plan, make, parts, making.child(f"_{entity}").uri)
        making.adopt_parts(f"_{entity}", entity)
    making.write(STAMP, stamp)
    making.move_to(target)


def _write_parts(spark: SparkSession, plan: Plan, make: Maker, parts: int, uri: str) -> None:
    """One file a part, whatever the number of cores: part n holds what `make(plan, n)` says."""

    def lines_of(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for part in batch.column(0).to_pylist():
                yield pa.record_batch([make(plan, part)], names=["value"])

    spark.range(0, parts, 1, parts).mapInArrow(lines_of, "value string").write.mode("overwrite").text(uri)


def _sessions(plan: Plan, chunk: int) -> pa.Array:
    life = life_of(plan, chunk)
    return lines.session_lines(events_of(plan, life), life.people, catalogue_of(plan).tracks["id"])


def _users(plan: Plan, chunk: int) -> pa.Array:
    life = life_of(plan, chunk)
    events = events_of(plan, life)
    premium = np.isin(np.arange(len(life.people)), events.user[events.kind == BUY_PREMIUM])
    genres = catalogue_of(plan).genres
    return pa.array(lines.user_lines(life.people, passports(plan, chunk), premium, genres))


def _artists(plan: Plan, part: int) -> pa.Array:
    return pa.array(lines.artist_lines(catalogue_of(plan), _rows(part)))


def _tracks(plan: Plan, part: int) -> pa.Array:
    return pa.array(lines.track_lines(catalogue_of(plan), _rows(part)))


def _storage(plan: Plan, part: int) -> pa.Array:
    return pa.array(lines.storage_lines(catalogue_of(plan), _rows(part)))


def _rows(part: int) -> slice:
    return slice(part * _ROWS_A_PART, (part + 1) * _ROWS_A_PART)
