"""The tracks played: their length, sound, popularity, age, and how they are stored."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import digits_of, total, total_of_values, wide
from pozytywka_spark.features.declared.declaration import NEVER, NO_KNOWN_PLAYS, Feature
from pozytywka_spark.features.declared.values import Formula, Measure
from pozytywka_spark.names import AUDIO_FEATURES, STORAGE_CLASSES

_UNITS = {"tempo": "beats/min", "loudness": "dB"}  # of audio features; all others are shares

prior_plays = Measure(
    name="prior_plays_total",
    aggregate=lambda: total(wide(pl.col("plays")) * pl.col("prior_plays")),
    level="popularity",
    arithmetic="sum of prior_plays over PLAY",
)
prior_plays_known = Measure(
    name="prior_plays_known",
    aggregate=lambda: total(pl.when(pl.col("prior_plays").is_not_null()).then(pl.col("plays"))),
    level="popularity",
    arithmetic="count of PLAY with known prior_plays",
)


def total_of(attribute: str) -> Measure:
    """Sum of a track attribute over plays, in its fixed-point unit."""
    units = f", each in whole units of 10^-{digits_of(attribute)}" if _is_real(attribute) else ""
    return Measure(
        name=f"{attribute}_total",
        aggregate=lambda: total_of_values(pl.col(attribute)),
        arithmetic=f"sum of {attribute} over PLAY{units}",
    )


def known_of(attribute: str) -> Measure:
    """Number of plays of tracks whose attribute is known."""
    return Measure(
        name=f"{attribute}_known",
        aggregate=lambda: pl.col(attribute).count(),
        arithmetic=f"count of PLAY with known {attribute}",
    )


def mean_of(attribute: str) -> Formula:
    """Mean of a track attribute over the plays for which it is known."""
    mean = total_of(attribute) / known_of(attribute)
    return mean / 10.0 ** digits_of(attribute) if _is_real(attribute) else mean


def _is_real(attribute: str) -> bool:
    """Whether it is a real number, which is made whole before it is summed."""
    return attribute in AUDIO_FEATURES or attribute == "daily_cost"


FEATURES: tuple[Feature, ...] = (
    Feature(
        name="total_tracks_duration_ms",
        meaning="full duration of all plays, listened to or not",
        unit="ms",
        kind="sum",
        null=NEVER,
        value=total_of("duration_ms"),
        source="tracks",
    ),
    Feature(
        name="average_release_date",
        meaning="mean release date of the tracks played",
        unit="s since 1970",
        kind="average",
        null=NO_KNOWN_PLAYS,
        value=mean_of("release_seconds"),
        source="tracks",
    ),
    Feature(
        name="average_duration_ms",
        meaning="mean full duration of the tracks played",
        unit="ms",
        kind="average",
        null=NO_KNOWN_PLAYS,
        value=mean_of("duration_ms"),
        source="tracks",
    ),
    Feature(
        name="explicit_tracks_ratio",
        meaning="share of plays of explicit tracks",
        unit="0..1",
        kind="average",
        null=NO_KNOWN_PLAYS,
        value=mean_of("explicit"),
        source="tracks",
    ),
    Feature(
        name="average_popularity",
        meaning="mean delivered popularity of the tracks played",
        unit="0..100",
        kind="average",
        null=NO_KNOWN_PLAYS,
        value=mean_of("popularity"),
        source="tracks",
        snapshot=True,
        actionable=True,
    ),
    *(
        Feature(
            name=f"average_{attribute}",
            meaning=f"mean {attribute} of the tracks played",
            unit=_UNITS.get(attribute, "0..1"),
            kind="average",
            null=NO_KNOWN_PLAYS,
            value=mean_of(attribute),
            source="tracks",
            actionable=True,
        )
        for attribute in sorted(AUDIO_FEATURES)
    ),
    Feature(
        name="average_track_name_length",
        meaning="mean length of the names of the tracks played",
        unit="characters",
        kind="average",
        null=NO_KNOWN_PLAYS,
        value=mean_of("name_length"),
        source="tracks",
    ),
    Feature(
        name="average_daily_cost",
        meaning="mean daily storage cost of the tracks played",
        unit="currency/day",
        kind="average",
        null=NO_KNOWN_PLAYS,
        value=mean_of("daily_cost"),
        source="track_storage",
        snapshot=True,
    ),
    Feature(
        name="average_prior_plays",
        meaning="mean over plays of how often anyone had played the track before the month",
        unit="plays",
        kind="average",
        null=NO_KNOWN_PLAYS,
        value=prior_plays / prior_plays_known,
    ),
    *(
        Feature(
            name=f"{storage}_storage_share",
            meaning=f"share of plays of tracks stored as {storage.upper()}",
            unit="0..1",
            kind="share",
            null=NO_KNOWN_PLAYS,
            value=mean_of(storage),
            source="track_storage",
            snapshot=True,
        )
        for storage in map(str.lower, STORAGE_CLASSES)
    ),
)
