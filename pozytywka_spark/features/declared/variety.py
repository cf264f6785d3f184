"""Variety: tracks played again, new artists, genres, how popular tracks were, how they are stored."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from pozytywka_spark.features.declared.analysts import ARTISTS, PLAYS, known_of, total_of
from pozytywka_spark.features.declared.arithmetic import fixed_point, ratio, real, total, wide
from pozytywka_spark.features.declared.declaration import Feature, Measure
from pozytywka_spark.features.declared.declare import NEVER, NO_PLAYS, feature, measure_itself, ratio_of
from pozytywka_spark.names import STORAGE_CLASSES

# Engines' logarithms differ in the last bit (Java's and C's already at ln 3). With 11 digits kept they agree
# up to 180,000 plays of one genre in a month, one every 15 seconds: tried for every number.
LOG_DIGITS = 11

TRACKS = Measure(
    "different_tracks",
    lambda: total(pl.col("tracks")),
    level="genre",
    arithmetic="count of different tracks of PLAY",
)
NEW_ARTISTS = Measure(
    "new_artists",
    lambda: pl.len(),
    level="debut",
    arithmetic="count of artists of PLAY that the user played in no earlier month",
)
GENRE_PLAYS = Measure(
    "genre_plays",
    lambda: total(_plays_of_a_genre()),
    level="genre",
    arithmetic="count of PLAY whose artist lists a genre",
)
GENRE_LOGS = Measure(
    "genre_play_logs",
    lambda: total(_times_log(_plays_of_a_genre())),
    level="genre",
    arithmetic="sum over first-listed genres of n * ln n, n its PLAY, ln n in 10^-11",
)
PRIOR_PLAYS = replace(
    total_of("prior_plays"),
    aggregate=lambda: total(wide(pl.col("plays")) * pl.col("prior_plays")),
    level="popularity",
)
PRIOR_KNOWN = replace(
    known_of("prior_plays"),
    aggregate=lambda: total(pl.when(pl.col("prior_plays").is_not_null()).then(pl.col("plays"))),
    level="popularity",
)


def _plays_of_a_genre() -> pl.Expr:
    return pl.when(pl.col("genre").is_not_null()).then(pl.col("plays"))


def _times_log(count: pl.Expr) -> pl.Expr:
    """n * ln n of a whole number above 0, the logarithm in fixed point."""
    return wide(count) * fixed_point(real(count).log(), LOG_DIGITS)


def _entropy() -> pl.Expr:
    """(N ln N - sum n ln n) / N, which is -sum p ln p with p = n/N; in whole numbers up to the division."""
    plays = pl.when(GENRE_PLAYS.column() > 0).then(GENRE_PLAYS.column())
    # a rounded logarithm may come out a hair on the wrong side
    whole = (_times_log(plays) - GENRE_LOGS.column()).clip(lower_bound=0)
    return ratio(whole, plays, 10.0**LOG_DIGITS)


VARIETY: tuple[Feature, ...] = (
    feature("repeat_plays", "plays of tracks already played in the month", "events", "count", NEVER,
            (PLAYS, TRACKS), lambda: real(PLAYS.column() - TRACKS.column()),
            arithmetic="plays - different_tracks"),
    measure_itself("new_artists", "artists played that the user had played in no earlier month", NEW_ARTISTS,
                   "artists", source="events, tracks"),
    ratio_of("new_artist_share", "share of the month's artists that are new to the user", "0..1", "share",
             NO_PLAYS, NEW_ARTISTS, ARTISTS, source="events, tracks"),
    feature("genre_entropy", "entropy of plays over genres, each play of the first its artist lists", "nats",
            "average", "null: no play of an artist with a genre", (GENRE_PLAYS, GENRE_LOGS),
            _entropy, source="events, artists",
            arithmetic="max(N * ln N - genre_play_logs, 0) / N / 10^11, N = genre_plays, ln N in 10^-11"),
    ratio_of("average_prior_plays",
             "mean over plays of how often anyone had played the track before the month",
             "plays", "average", NO_PLAYS, PRIOR_PLAYS, PRIOR_KNOWN, source="events"),
    *(
        ratio_of(f"{name}_storage_share", f"share of plays of tracks stored as {name.upper()}", "0..1",
                 "share", NO_PLAYS, total_of(name), known_of(name), source="track_storage", snapshot=True)
        for name in map(str.lower, STORAGE_CLASSES)
    ),
)  # fmt: skip
