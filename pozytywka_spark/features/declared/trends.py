"""Trailing 3, 6 and 12 months: sums of counts, means of averages, and this month against them."""

from __future__ import annotations

from pozytywka_spark.features.declared.analysts import (
    ADS,
    FAVOURITE_PLAYS,
    LIKES,
    PLAYS,
    SKIPS,
    known_of,
    total_of,
)
from pozytywka_spark.features.declared.arithmetic import divided, ratio, real
from pozytywka_spark.features.declared.declaration import (
    Feature,
    Measure,
    ratio_in_words,
    scaled_in_words,
    sum_name,
)
from pozytywka_spark.features.declared.declare import NEVER
from pozytywka_spark.features.declared.listening import LISTENED, SKIP_DELAY, TIMED_SKIPS
from pozytywka_spark.features.declared.sessions import ACTIVE_DAYS, SESSIONS
from pozytywka_spark.features.declared.variety import NEW_ARTISTS, PRIOR_KNOWN, PRIOR_PLAYS
from pozytywka_spark.months import MICROS

SPANS = (3, 6, 12)


def _sum(name: str, meaning: str, measure: Measure, months: int, unit: str, scale: float = 1.0) -> Feature:
    return Feature(
        f"{name}_last_{months}_months", f"{meaning} in the last {months} months, this one included", unit,
        "sum", NEVER, "events", (measure,), lambda: divided(real(measure.over(months)), scale),
        months=months, arithmetic=scaled_in_words(sum_name(measure.name, months), scale),
    )  # fmt: skip


def _mean(
    name: str,
    meaning: str,
    over: Measure,
    under: Measure,
    months: int,
    unit: str,
    scale: float = 1.0,
    *,
    snapshot: bool = False,
) -> Feature:
    return Feature(
        f"{name}_last_{months}_months", f"{meaning} over the last {months} months, this one included", unit,
        "average", f"null: none in {months} months", "events", (over, under),
        lambda: ratio(over.over(months), under.over(months), scale),
        months=months, snapshot=snapshot,
        arithmetic=ratio_in_words(sum_name(over.name, months), sum_name(under.name, months), scale),
    )  # fmt: skip


def _trend(name: str, meaning: str, measure: Measure, months: int) -> Feature:
    return Feature(
        f"{name}_to_{months}_month_mean",
        f"{meaning} this month over their monthly mean of the last {months} months",
        "1", "ratio", f"null: none in {months} months", "events", (measure,),
        lambda: ratio(measure.column() * months, measure.over(months)),
        months=months,
        arithmetic=ratio_in_words(f"{measure.name} * {months}", sum_name(measure.name, months)),
    )  # fmt: skip


def _of_span(months: int) -> tuple[Feature, ...]:
    minutes = 60.0 * MICROS
    popularity, popularity_known = total_of("popularity"), known_of("popularity")
    return (
        _sum("plays", "plays", PLAYS, months, "events"),
        _sum("skips", "skips", SKIPS, months, "events"),
        _sum("likes", "likes", LIKES, months, "events"),
        _sum("advertisements", "adverts", ADS, months, "events"),
        _sum("favourite_plays", "plays in a favourite genre", FAVOURITE_PLAYS, months, "events"),
        _sum("sessions", "sessions", SESSIONS, months, "sessions"),
        _sum("active_days", "active days", ACTIVE_DAYS, months, "days"),
        _sum("listened_minutes", "minutes really listened", LISTENED, months, "min", minutes),
        _sum("new_artists", "artists new to the user", NEW_ARTISTS, months, "artists"),
        _mean("skip_rate", "skips per play", SKIPS, PLAYS, months, "1"),
        _mean("like_rate", "likes per play", LIKES, PLAYS, months, "1"),
        _mean("advertisements_per_play", "adverts per play", ADS, PLAYS, months, "1"),
        _mean("seconds_to_skip", "time to skip", SKIP_DELAY, TIMED_SKIPS, months, "s", float(MICROS)),
        _mean("popularity", "delivered popularity of plays", popularity, popularity_known, months, "0..100",
              snapshot=True),
        _mean("prior_plays", "plays by anyone before", PRIOR_PLAYS, PRIOR_KNOWN, months, "plays"),
        _trend("plays", "plays", PLAYS, months),
        _trend("skips", "skips", SKIPS, months),
        _trend("likes", "likes", LIKES, months),
        _trend("advertisements", "adverts", ADS, months),
        _trend("sessions", "sessions", SESSIONS, months),
        _trend("listened_minutes", "minutes really listened", LISTENED, months),
    )  # fmt: skip


TRENDS: tuple[Feature, ...] = tuple(feature for months in SPANS for feature in _of_span(months))
