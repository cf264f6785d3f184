"""Trailing 3, 6 and 12 months: sums of counts, means of averages, and this month against them."""

from __future__ import annotations

from pozytywka_spark.features.declared.adverts import adverts
from pozytywka_spark.features.declared.declaration import NEVER, Feature
from pozytywka_spark.features.declared.favourites import favourite_plays
from pozytywka_spark.features.declared.listening import likes, listened, plays, skip_delay, skips, timed_skips
from pozytywka_spark.features.declared.sessions import active_days, sessions
from pozytywka_spark.features.declared.tracks import known_of, prior_plays, prior_plays_known, total_of
from pozytywka_spark.features.declared.variety import new_artists
from pozytywka_spark.months import MICROS, MINUTE_MICROS

SPANS = (3, 6, 12)


def _of_span(months: int) -> tuple[Feature, ...]:
    last, span = f"last_{months}_months", f"the last {months} months, this one included"
    to_mean, monthly_mean = f"to_{months}_month_mean", f"monthly mean of the last {months} months"
    no_months = f"null: none in {months} months"
    return (
        Feature(
            name=f"plays_{last}",
            meaning=f"plays in {span}",
            unit="events",
            kind="sum",
            null=NEVER,
            value=plays.over(months),
        ),
        Feature(
            name=f"skips_{last}",
            meaning=f"skips in {span}",
            unit="events",
            kind="sum",
            null=NEVER,
            value=skips.over(months),
        ),
        Feature(
            name=f"likes_{last}",
            meaning=f"likes in {span}",
            unit="events",
            kind="sum",
            null=NEVER,
            value=likes.over(months),
        ),
        Feature(
            name=f"advertisements_{last}",
            meaning=f"adverts in {span}",
            unit="events",
            kind="sum",
            null=NEVER,
            value=adverts.over(months),
        ),
        Feature(
            name=f"favourite_plays_{last}",
            meaning=f"plays in a favourite genre in {span}",
            unit="events",
            kind="sum",
            null=NEVER,
            value=favourite_plays.over(months),
        ),
        Feature(
            name=f"sessions_{last}",
            meaning=f"sessions in {span}",
            unit="sessions",
            kind="sum",
            null=NEVER,
            value=sessions.over(months),
        ),
        Feature(
            name=f"active_days_{last}",
            meaning=f"active days in {span}",
            unit="days",
            kind="sum",
            null=NEVER,
            value=active_days.over(months),
        ),
        Feature(
            name=f"listened_minutes_{last}",
            meaning=f"minutes really listened in {span}",
            unit="min",
            kind="sum",
            null=NEVER,
            value=listened.over(months) / MINUTE_MICROS,
        ),
        Feature(
            name=f"new_artists_{last}",
            meaning=f"artists new to the user in {span}",
            unit="artists",
            kind="sum",
            null=NEVER,
            value=new_artists.over(months),
        ),
        Feature(
            name=f"skip_rate_{last}",
            meaning=f"skips per play over {span}",
            unit="1",
            kind="average",
            null=no_months,
            value=skips.over(months) / plays.over(months),
        ),
        Feature(
            name=f"like_rate_{last}",
            meaning=f"likes per play over {span}",
            unit="1",
            kind="average",
            null=no_months,
            value=likes.over(months) / plays.over(months),
        ),
        Feature(
            name=f"advertisements_per_play_{last}",
            meaning=f"adverts per play over {span}",
            unit="1",
            kind="average",
            null=no_months,
            value=adverts.over(months) / plays.over(months),
        ),
        Feature(
            name=f"seconds_to_skip_{last}",
            meaning=f"time to skip over {span}",
            unit="s",
            kind="average",
            null=no_months,
            value=skip_delay.over(months) / timed_skips.over(months) / MICROS,
        ),
        Feature(
            name=f"popularity_{last}",
            meaning=f"delivered popularity of plays over {span}",
            unit="0..100",
            kind="average",
            null=no_months,
            value=total_of("popularity").over(months) / known_of("popularity").over(months),
            snapshot=True,
        ),
        Feature(
            name=f"prior_plays_{last}",
            meaning=f"plays by anyone before over {span}",
            unit="plays",
            kind="average",
            null=no_months,
            value=prior_plays.over(months) / prior_plays_known.over(months),
        ),
        Feature(
            name=f"plays_{to_mean}",
            meaning=f"plays this month over their {monthly_mean}",
            unit="1",
            kind="ratio",
            null=no_months,
            value=plays * months / plays.over(months),
        ),
        Feature(
            name=f"skips_{to_mean}",
            meaning=f"skips this month over their {monthly_mean}",
            unit="1",
            kind="ratio",
            null=no_months,
            value=skips * months / skips.over(months),
        ),
        Feature(
            name=f"likes_{to_mean}",
            meaning=f"likes this month over their {monthly_mean}",
            unit="1",
            kind="ratio",
            null=no_months,
            value=likes * months / likes.over(months),
        ),
        Feature(
            name=f"advertisements_{to_mean}",
            meaning=f"adverts this month over their {monthly_mean}",
            unit="1",
            kind="ratio",
            null=no_months,
            value=adverts * months / adverts.over(months),
        ),
        Feature(
            name=f"sessions_{to_mean}",
            meaning=f"sessions this month over their {monthly_mean}",
            unit="1",
            kind="ratio",
            null=no_months,
            value=sessions * months / sessions.over(months),
        ),
        Feature(
            name=f"listened_minutes_{to_mean}",
            meaning=f"minutes really listened this month over their {monthly_mean}",
            unit="1",
            kind="ratio",
            null=no_months,
            value=listened * months / listened.over(months),
        ),
    )


FEATURES: tuple[Feature, ...] = tuple(feature for months in SPANS for feature in _of_span(months))
