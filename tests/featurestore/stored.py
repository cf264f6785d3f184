"""Rows put into an online store for tests, as materialize does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from pozytywka_spark.featurestore.client import micros
from pozytywka_spark.featurestore.codec import Schema
from pozytywka_spark.featurestore.packing import pack_frame
from pozytywka_spark.featurestore.record import DAY, ServiceRecord, ViewRecord
from pozytywka_spark.featurestore.stores import Store

APRIL, MAY = (micros(datetime(2023, month, 1, tzinfo=UTC)) for month in (4, 5))
MONTHS = ViewRecord("user_month", "user", "features", ("plays", "skips"), ttl=62 * DAY, newest=MAY)
SCORES = ViewRecord("user_score", "user", "predictions", ("probability",), ttl=62 * DAY, newest=MAY)
PROFILES = ViewRecord("track_profile", "track", "tracks", ("tempo",), kind="snapshot")
PROMPT = ServiceRecord("prompt", (("user_score", "probability"), ("user_month", "skips")))
MIXED = ServiceRecord(
    "mixed", (("user_month", "skips"), ("user_score", "probability"), ("user_month", "plays"))
)


def put(store: Store, record: ViewRecord, rows: Mapping[str, Sequence[object]] | pl.DataFrame) -> None:
    """Rows of the view, and its record."""
    schema = Schema(record.view, record.columns, record.number)
    epoch = store.begin(record.view)
    store.declare(schema, epoch)
    packed = pack_frame(schema, rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows))
    store.write_many(record.view, packed.keys, packed.values, epoch)
    store.set_meta(record.view, record.plain(), epoch)
