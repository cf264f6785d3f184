"""Made events, artists and days of signals for the tests of fraud."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from pozytywka_spark.fraud.declared.catalogue import NAMES, SIGNALS
from pozytywka_spark.fraud.declared.declaration import measures_of
from pozytywka_spark.fraud.signals.account_rows import signal_rows
from pozytywka_spark.fraud.signals.day_rows import measure_days
from pozytywka_spark.names import EVENT_TYPES

START = datetime(2023, 1, 30, tzinfo=UTC)
MEASURES = measures_of(SIGNALS)
ARTISTS = pl.DataFrame(
    {"track_id": [f"t{n}" for n in range(8)], "artist_id": ["a", "a", "a", "b", "b", "c", None, "d"]}
)
EVENT_ROWS = {
    "user_id": pl.Int64,
    "event_time": pl.Datetime("us", "UTC"),
    "event_type": pl.String,
    "session_id": pl.Int64,
    "track_id": pl.String,
}


def random_events(seed: int, count: int = 600, users: int = 4, days: int = 70) -> pl.DataFrame:
    """Events dense enough to tie, repeat and skip; some without a user or a track, some of unknown tracks."""
    rng = np.random.default_rng(seed)
    day = rng.integers(0, days, count) // 3 * 3
    micros = day * 86_400_000_000 + rng.integers(0, 3, count) * 28_800_000_000
    micros += rng.integers(0, 200, count) * 7_000_000 + rng.choice([0, 0, 500, 123_457], count)
    tracks = [*ARTISTS.get_column("track_id"), "stray", None]
    made = pl.DataFrame(
        {
            "user_id": [int(n) if n else None for n in rng.integers(0, users + 1, count)],
            "event_time": [START + timedelta(microseconds=int(n)) for n in micros],
            "event_type": rng.choice(EVENT_TYPES, count, p=[0.55, 0.2, 0.1, 0.1, 0.05]),
            "session_id": rng.integers(1, 6, count),
            "track_id": [tracks[n] for n in rng.choice(len(tracks), count, p=[0.3, 0.2, *[0.0625] * 8])],
        },
        schema=EVENT_ROWS,
    )
    skipped = made.filter(pl.Series(rng.random(count) < 0.3) & (pl.col("event_type") == "PLAY"))
    after = (
        pl.Series(rng.integers(25_000, 45_000, skipped.height))
        .cast(pl.Duration("ms"))
        .cast(pl.Duration("us"))
    )
    skips = skipped.with_columns(pl.col("event_time") + after, event_type=pl.lit("SKIP"))
    return pl.concat([made, skips])


def signals_of(events: pl.DataFrame, since: date = date(1970, 1, 1)) -> pl.DataFrame:
    """All signals of events from their accounts' first day on."""
    return signal_rows(measure_days(events, ARTISTS, MEASURES), None, SIGNALS, since)


def day_rows(*rows: dict[str, object]) -> pl.DataFrame:
    """Rows of signals, quiet ones but for what is said of them."""
    quiet = dict.fromkeys(NAMES, 0.0)
    schema = {"user_id": pl.Int64(), "day": pl.Date(), **dict.fromkeys(NAMES, pl.Float64())}
    return pl.DataFrame(
        [{"user_id": 1, "day": date(2023, 5, 4), **quiet, **row} for row in rows], schema=schema
    )
