"""Pages as rows of the table `feed`."""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.feed.arrange.rules import EXPLORE, POLICY, relaxed
from pozytywka_spark.feed.inventory.collect import SOURCES
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.ranking import Ranked
from pozytywka_spark.feed.track_side import Tracks
from pozytywka_spark.names import HEADS

PASSED_OVER, NEW_ARTIST, PROMOTED = "passed over", "new artist", "promoted"


def feed_rows(
    ranked: Ranked, tracks: Tracks, promoted: Array, chosen: Array, model_version: str, feed_id: str
) -> pl.DataFrame:
    """The table's columns but for its partitions, of users `chosen` (mask), by user and position."""
    pages = ranked.pages
    user, place = np.nonzero((pages.entry >= 0) & chosen[:, None])
    entry = pages.entry[user, place]
    track = ranked.kept.track[entry]
    side = tracks.side
    explored = pages.explored[user, place]
    return pl.DataFrame(
        {
            "user_id": ranked.kept.user_id[user],
            "position": (place + 1).astype(np.int32),
            "track_id": pl.Series(side.track_id[track], dtype=pl.String),
            "artist_id": pl.Series(side.artist_id[side.artist[track]], dtype=pl.String),
            "value": ranked.value[entry],
            "chances": _chances(ranked.chances[entry]),
            "light_score": ranked.light[ranked.places[entry]],
            "sources": _words(ranked.kept.sources[entry], SOURCES),
            "marks": _marks(ranked, pages.broken[user, place], entry, promoted[track]),
            "stream": pl.Series(np.where(explored, EXPLORE, POLICY), dtype=pl.String),
            "probability": pages.probability[user, place],
            "model_version": pl.Series([model_version] * len(entry), dtype=pl.String),
            "feed_id": pl.Series([feed_id] * len(entry), dtype=pl.String),
        }
    )


def _chances(chances: Array) -> pl.Series:
    """A map by head."""
    frame = pl.DataFrame(
        {head: chances[:, number].astype(np.float64) for number, head in enumerate(HEADS)},
        schema=dict.fromkeys(HEADS, pl.Float64),
    )
    pairs = [pl.struct(pl.lit(head).alias("key"), pl.col(head).alias("value")) for head in HEADS]
    return frame.select(chances=pl.concat_list(pairs).cast(pl.Map(pl.String, pl.Float64))).to_series()


def _words(bits: Array, names: tuple[str, ...]) -> pl.Series:
    """A list of words for each number: there are few different ones."""
    values, place = np.unique(bits, return_inverse=True)
    words = [[name for number, name in enumerate(names) if value >> number & 1] for value in values.tolist()]
    return pl.Series(words, dtype=pl.List(pl.String)).gather(place) if len(words) else _none()


def _marks(ranked: Ranked, broken: Array, entry: Array, promoted: Array) -> pl.Series:
    bits = broken.astype(np.int64)
    for number, flags in enumerate((ranked.passed[entry] > 0, ranked.new[entry], promoted)):
        bits |= flags.astype(np.int64) << (8 + number)
    values, place = np.unique(bits, return_inverse=True)
    words = [
        relaxed(value & 0xFF)
        + [
            name
            for number, name in enumerate((PASSED_OVER, NEW_ARTIST, PROMOTED))
            if value >> (8 + number) & 1
        ]
        for value in values.tolist()
    ]
    return pl.Series(words, dtype=pl.List(pl.String)).gather(place) if len(words) else _none()


def _none() -> pl.Series:
    return pl.Series([], dtype=pl.List(pl.String))
