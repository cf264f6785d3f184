"""Plays in the genres that the user likes best, and how popular those tracks are."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import count_if, total_of_values
from pozytywka_spark.features.declared.declaration import NEVER, Feature
from pozytywka_spark.features.declared.values import Measure

favourite_plays = Measure(
    name="favourite_plays",
    aggregate=lambda: count_if(pl.col("favourite_matches") > 0),
    arithmetic="count of PLAY with favourite_matches > 0",
)
favourite_matches = Measure(
    name="favourite_matches",
    aggregate=lambda: total_of_values(pl.col("favourite_matches")),
    arithmetic="sum over PLAY of genres of the artist that are favourites of the user",
)
favourite_popularity = Measure(
    name="favourite_popularity_total",
    aggregate=lambda: total_of_values(_popularity_in_favourites()),
    arithmetic="sum of popularity over PLAY with favourite_matches > 0",
)
favourite_popularity_known = Measure(
    name="favourite_popularity_known",
    aggregate=lambda: _popularity_in_favourites().count(),
    arithmetic="count of known popularity over PLAY with favourite_matches > 0",
)


def _popularity_in_favourites() -> pl.Expr:
    return pl.when(pl.col("favourite_matches") > 0).then(pl.col("popularity"))


FEATURES: tuple[Feature, ...] = (
    Feature(
        name="number_of_tracks_in_favourite_genre",
        meaning="plays whose artist has at least one favourite genre of the user",
        unit="events",
        kind="count",
        null=NEVER,
        value=favourite_plays,
        actionable=True,
    ),
    Feature(
        name="total_number_of_favourite_genres_listened",
        meaning="sum over plays of the artist's genres that are the user's favourites",
        unit="events",
        kind="count",
        null=NEVER,
        value=favourite_matches,
    ),
    Feature(
        name="average_popularity_in_favourite_genres",
        meaning="mean delivered popularity of plays in a favourite genre",
        unit="0..100",
        kind="average",
        null="null: no play in a favourite genre",
        value=favourite_popularity / favourite_popularity_known,
        source="tracks",
        snapshot=True,
    ),
)
