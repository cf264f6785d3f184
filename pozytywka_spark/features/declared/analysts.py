"""The analysts' 25 features, under their names."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import (
    count_if,
    digits_of,
    ratio,
    real,
    total,
    total_of_values,
)
from pozytywka_spark.features.declared.declaration import Feature, Measure
from pozytywka_spark.features.declared.declare import NEVER, NO_PLAYS, measure_itself, ratio_of
from pozytywka_spark.features.declared.event_codes import is_kind, is_play
from pozytywka_spark.names import ADVERTISEMENT, AUDIO_FEATURES, LIKE, SKIP

ADS = Measure("ads", lambda: count_if(is_kind(ADVERTISEMENT)), arithmetic="count of ADVERTISEMENT")
PLAYS = Measure("plays", lambda: count_if(is_play()), arithmetic="count of PLAY")
SKIPS = Measure("skips", lambda: count_if(is_kind(SKIP)), arithmetic="count of SKIP")
LIKES = Measure("likes", lambda: count_if(is_kind(LIKE)), arithmetic="count of LIKE")
LIKED_PLAYS = Measure(
    "liked_plays",
    lambda: total(pl.col("liked_plays")),
    level="genre",
    arithmetic="count of PLAY of a track with a LIKE of the user at or before it",
)
FAVOURITE_PLAYS = Measure(
    "favourite_plays",
    lambda: count_if(pl.col("favourite_matches") > 0),
    arithmetic="count of PLAY with favourite_matches > 0",
)
FAVOURITE_MATCHES = Measure(
    "favourite_matches",
    lambda: total_of_values(pl.col("favourite_matches")),
    arithmetic="sum over PLAY of genres of the artist that are favourites of the user",
)
ARTISTS = Measure(
    "artists",
    lambda: total(pl.col("artists")),
    level="genre",
    arithmetic="count of different artists of PLAY",
)


def total_of(attribute: str) -> Measure:
    """Sum of a track attribute over plays, in its fixed-point unit."""
    return Measure(
        f"{attribute}_total",
        lambda: total_of_values(pl.col(attribute)),
        arithmetic=f"sum of {attribute} over PLAY{_units_of(attribute)}",
    )


def known_of(attribute: str) -> Measure:
    """Number of plays of tracks whose attribute is known."""
    return Measure(
        f"{attribute}_known",
        lambda: pl.col(attribute).count(),
        arithmetic=f"count of PLAY with known {attribute}",
    )


def _units_of(attribute: str) -> str:
    """How a real attribute is made whole before it is summed."""
    real_one = attribute in AUDIO_FEATURES or attribute == "daily_cost"
    return f", each in whole units of 10^-{digits_of(attribute)}" if real_one else ""


def _popularity_in_favourites() -> pl.Expr:
    return pl.when(pl.col("favourite_matches") > 0).then(pl.col("popularity"))


POPULARITY_IN_FAVOURITES = Measure(
    "favourite_popularity_total",
    lambda: total_of_values(_popularity_in_favourites()),
    arithmetic="sum of popularity over PLAY with favourite_matches > 0",
)
POPULARITY_IN_FAVOURITES_KNOWN = Measure(
    "favourite_popularity_known",
    lambda: _popularity_in_favourites().count(),
    arithmetic="count of known popularity over PLAY with favourite_matches > 0",
)


def _average(
    name: str,
    attribute: str,
    meaning: str,
    unit: str,
    *,
    source: str = "tracks",
    digits: int = 0,
    snapshot: bool = False,
    actionable: bool = False,
) -> Feature:
    return ratio_of(
        name, meaning, unit, "average", NO_PLAYS, total_of(attribute), known_of(attribute),
        scale=10.0**digits, source=source, snapshot=snapshot, actionable=actionable,
    )  # fmt: skip


def _audio(attribute: str) -> Feature:
    unit = {"tempo": "beats/min", "loudness": "dB"}.get(attribute, "0..1")
    return _average(
        f"average_{attribute}",
        attribute,
        f"mean {attribute} of the tracks played",
        unit,
        digits=digits_of(attribute),
        actionable=True,
    )


ANALYSTS: tuple[Feature, ...] = (
    measure_itself("number_of_advertisements", "adverts heard", ADS, actionable=True),
    measure_itself("number_of_tracks", "plays started", PLAYS),
    measure_itself("number_of_skips", "plays skipped", SKIPS),
    measure_itself("number_of_likes", "likes given", LIKES),
    measure_itself("number_of_liked_tracks_listened", "plays of tracks liked at or before the play",
                   LIKED_PLAYS),
    measure_itself(
        "number_of_tracks_in_favourite_genre",
        "plays whose artist has at least one favourite genre of the user",
        FAVOURITE_PLAYS,
        actionable=True,
    ),
    measure_itself(
        "total_number_of_favourite_genres_listened",
        "sum over plays of the artist's genres that are the user's favourites",
        FAVOURITE_MATCHES,
    ),
    Feature(
        "average_popularity_in_favourite_genres",
        "mean delivered popularity of plays in a favourite genre",
        "0..100", "average", "null: no play in a favourite genre", "tracks",
        (POPULARITY_IN_FAVOURITES, POPULARITY_IN_FAVOURITES_KNOWN),
        lambda: ratio(POPULARITY_IN_FAVOURITES.column(), POPULARITY_IN_FAVOURITES_KNOWN.column()),
        snapshot=True, arithmetic="favourite_popularity_total / favourite_popularity_known",
    ),
    Feature(
        "total_tracks_duration_ms", "full duration of all plays, listened to or not", "ms", "sum", NEVER,
        "tracks", (total_of("duration_ms"),), lambda: real(total_of("duration_ms").column()),
        arithmetic="duration_ms_total",
    ),
    measure_itself("number_of_different_artists", "artists played at least once", ARTISTS, "artists",
                   source="tracks"),
    _average("average_release_date", "release_seconds", "mean release date of the tracks played",
             "s since 1970"),
    _average("average_duration_ms", "duration_ms", "mean full duration of the tracks played", "ms"),
    _average("explicit_tracks_ratio", "explicit", "share of plays of explicit tracks", "0..1"),
    _average("average_popularity", "popularity", "mean delivered popularity of the tracks played", "0..100",
             snapshot=True, actionable=True),
    *(_audio(attribute) for attribute in sorted(AUDIO_FEATURES)),
    _average("average_track_name_length", "name_length", "mean length of the names of the tracks played",
             "characters"),
    _average("average_daily_cost", "daily_cost", "mean daily storage cost of the tracks played",
             "currency/day", source="track_storage", digits=digits_of("daily_cost"), snapshot=True),
)  # fmt: skip
