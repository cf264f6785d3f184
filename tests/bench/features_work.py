"""What is timed: features of all months in one plan, whatever engine runs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pyspark.sql import DataFrame

from pozytywka_spark.features.activity import first_purchases
from pozytywka_spark.features.encoded import by_user, encode_events
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.popularity import prior_plays, track_plays
from pozytywka_spark.features.recipe import dimensions_of, features_from_encoded


def compute(
    silver: Mapping[str, DataFrame], features: Sequence[Feature], to: Path, keep: Callable[..., DataFrame]
) -> None:
    """All months, in one plan, as Parquet: what DuckDB does."""
    features_frame(silver, features, keep).write.mode("overwrite").parquet(str(to))


def features_frame(
    silver: Mapping[str, DataFrame], features: Sequence[Feature], keep: Callable[..., DataFrame]
) -> DataFrame:
    """The plan. `keep(name, frame)` computes a dimension, or the encoded events, once."""
    events = silver["events"]
    months = sorted(row[0] for row in events.select("event_month").distinct().collect())
    dimensions = dimensions_of(silver).map(keep)
    encoded = keep("encoded", by_user(encode_events(events, dimensions.tracks)))
    return features_from_encoded(
        encoded, prior_plays(track_plays(encoded), months), first_purchases(events), dimensions,
        features, months,
    )  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    start = time.monotonic()
    work()
    return time.monotonic() - start
