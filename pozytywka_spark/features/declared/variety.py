"""Variety: tracks played again, artists and new ones, genres."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import fixed_point, ratio, real, total, wide
from pozytywka_spark.features.declared.declaration import NEVER, NO_KNOWN_PLAYS, Feature
from pozytywka_spark.features.declared.listening import plays
from pozytywka_spark.features.declared.values import Formula, Measure

# Engines' logarithms differ in the last bit (Java's and C's already at ln 3). With 11 digits kept they agree
# up to 180,000 plays of one genre in a month, one every 15 seconds: tried for every number.
LOG_DIGITS = 11

artists = Measure(
    name="artists",
    aggregate=lambda: total(pl.col("artists")),
    level="genre",
    arithmetic="count of different artists of PLAY",
)
different_tracks = Measure(
    name="different_tracks",
    aggregate=lambda: total(pl.col("tracks")),
    level="genre",
    arithmetic="count of different tracks of PLAY",
)
new_artists = Measure(
    name="new_artists",
    aggregate=lambda: pl.len(),
    level="debut",
    arithmetic="count of artists of PLAY that the user played in no earlier month",
)
genre_plays = Measure(
    name="genre_plays",
    aggregate=lambda: total(_plays_of_a_genre()),
    level="genre",
    arithmetic="count of PLAY whose artist lists a genre",
)
genre_logs = Measure(
    name="genre_play_logs",
    aggregate=lambda: total(times_log(_plays_of_a_genre())),
    level="genre",
    arithmetic="sum over first-listed genres of n * ln n, n its PLAY, ln n in 10^-11",
)


def _plays_of_a_genre() -> pl.Expr:
    return pl.when(pl.col("genre").is_not_null()).then(pl.col("plays"))


def times_log(count: pl.Expr) -> pl.Expr:
    """n * ln n of a whole number above 0, the logarithm in fixed point."""
    return wide(count) * fixed_point(real(count).log(), LOG_DIGITS)


def entropy_of(counted: Measure, logs: Measure) -> Formula:
    """(N ln N - sum n ln n) / N, which is -sum p ln p with p = n/N; in whole numbers up to the division.

    `counted`: N; `logs`: the sum of `times_log` of each n.
    """

    def entropy() -> pl.Expr:
        count = pl.when(counted.column() > 0).then(counted.column())
        # a rounded logarithm may come out a hair on the wrong side
        whole = (times_log(count) - logs.column()).clip(lower_bound=0)
        return ratio(whole, count, 10.0**LOG_DIGITS)

    return Formula(
        arithmetic=f"max(N * ln N - {logs.name}, 0) / N / 10^11, N = {counted.name}, ln N in 10^-11",
        measures=(counted, logs),
        expression=entropy,
    )


genre_entropy = entropy_of(genre_plays, genre_logs)

FEATURES: tuple[Feature, ...] = (
    Feature(
        name="number_of_different_artists",
        meaning="artists played at least once",
        unit="artists",
        kind="count",
        null=NEVER,
        value=artists,
        source="tracks",
    ),
    Feature(
        name="repeat_plays",
        meaning="plays of tracks already played in the month",
        unit="events",
        kind="count",
        null=NEVER,
        value=plays - different_tracks,
    ),
    Feature(
        name="new_artists",
        meaning="artists played that the user had played in no earlier month",
        unit="artists",
        kind="count",
        null=NEVER,
        value=new_artists,
        source="events, tracks",
    ),
    Feature(
        name="new_artist_share",
        meaning="share of the month's artists that are new to the user",
        unit="0..1",
        kind="share",
        null=NO_KNOWN_PLAYS,
        value=new_artists / artists,
        source="events, tracks",
    ),
    Feature(
        name="genre_entropy",
        meaning="entropy of plays over genres, each play of the first its artist lists",
        unit="nats",
        kind="average",
        null="null: no play of an artist with a genre",
        value=genre_entropy,
        source="events, artists",
    ),
)
