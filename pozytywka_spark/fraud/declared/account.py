"""The account itself: its age, its purchase, and how the day differs from its own past."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import count_if, ratio, real
from pozytywka_spark.features.declared.event_codes import is_kind
from pozytywka_spark.fraud.declared.declaration import NEVER, Measure, Signal
from pozytywka_spark.fraud.declared.pace import hours, night_plays, plays
from pozytywka_spark.fraud.declared.reactions import paid_skips, skips
from pozytywka_spark.fraud.declared.variety import artists, top_five
from pozytywka_spark.names import BUY_PREMIUM

_NO_PAST = "null: no plays, or none in the 28 days before"

purchases = Measure(
    name="n_purchases",
    level="event",
    value=lambda: count_if(is_kind(BUY_PREMIUM)),
    arithmetic="count of BUY_PREMIUM",
)
plays_first = Measure(
    name="n_plays_before_purchase",
    level="event",
    value=lambda: count_if(pl.col("is_before_purchase")),
    arithmetic="count of PLAY before the day's first BUY_PREMIUM, 0 without one",
)


def _past(measure: Measure) -> Measure:
    """The sum over the account's days in [day - 28 days, day)."""
    return Measure(
        name=f"past_{measure.name}",
        level="past",
        value=lambda: pl.col(measure.name).fill_null(0),
        arithmetic=f"sum of {measure.name} over [day - 28 days, day)",
    )


past_days = Measure(
    name="past_days",
    level="past",
    value=lambda: pl.lit(1),
    arithmetic="days with an event in [day - 28 days, day)",
)
past_plays, past_night, past_hours = _past(plays), _past(night_plays), _past(hours)
past_skips, past_paid = _past(skips), _past(paid_skips)
past_artists, past_five = _past(artists), _past(top_five)


def _to_mean(name: str) -> pl.Expr:
    mean = ratio(pl.col(f"past_{name}"), pl.col("past_days"))
    return pl.when(mean > 0).then(real(pl.col(name).fill_null(0)) / mean)


def _change(name: str) -> pl.Expr:
    now = ratio(pl.col(name).fill_null(0), pl.col("n_plays"))
    return now - ratio(pl.col(f"past_{name}"), pl.col("past_n_plays"))


SIGNALS: tuple[Signal, ...] = (
    Signal(
        name="account_age_days",
        meaning="days since the account's first event; 0 on its first day",
        unit="days",
        null=NEVER,
        value=lambda: real((pl.col("day") - pl.col("first_day")).dt.total_days()),
        arithmetic="day - first_day",
    ),
    Signal(
        name="plays_so_far",
        meaning="plays of the account up to the day's end, since its first event",
        unit="events",
        null=NEVER,
        value=lambda: real(pl.col("plays_before") + pl.col("n_plays")),
        arithmetic="plays_before + n_plays",
        measures=(plays,),
    ),
    Signal(
        name="bought_premium",
        meaning="1 if premium was bought on the day, else 0",
        unit="1",
        null=NEVER,
        value=lambda: real(pl.col("n_purchases") > 0),
        arithmetic="n_purchases > 0",
        measures=(purchases,),
    ),
    Signal(
        name="plays_before_purchase",
        meaning="plays of the account before the day's first purchase, since its first event",
        unit="events",
        null="null: no purchase on the day",
        value=lambda: pl.when(pl.col("n_purchases") > 0).then(
            real(pl.col("plays_before") + pl.col("n_plays_before_purchase"))
        ),
        arithmetic="plays_before + n_plays_before_purchase if n_purchases > 0",
        measures=(purchases, plays_first),
    ),
    Signal(
        name="past_active_days",
        meaning="days with an event among the 28 days before",
        unit="days",
        null=NEVER,
        value=lambda: real(pl.col("past_days")),
        arithmetic="past_days",
        measures=(past_days,),
    ),
    Signal(
        name="plays_to_own_mean",
        meaning="plays by the account's mean of its active days among the 28 before",
        unit="1",
        null="null: no plays in the 28 days before",
        value=lambda: _to_mean("n_plays"),
        arithmetic="n_plays / (past_n_plays / past_days)",
        measures=(plays, past_plays, past_days),
    ),
    Signal(
        name="hours_to_own_mean",
        meaning="hours with a play by the account's mean of its active days among the 28 before",
        unit="1",
        null="null: no plays in the 28 days before",
        value=lambda: _to_mean("n_hours"),
        arithmetic="n_hours / (past_n_hours / past_days)",
        measures=(hours, past_hours, past_days),
    ),
    Signal(
        name="night_share_change",
        meaning="night share less that of the 28 days before",
        unit="1",
        null=_NO_PAST,
        value=lambda: _change("n_night_plays"),
        arithmetic="n_night_plays / n_plays - past_n_night_plays / past_n_plays",
        measures=(night_plays, plays, past_night, past_plays),
    ),
    Signal(
        name="skip_share_change",
        meaning="skips by plays less those of the 28 days before",
        unit="1",
        null=_NO_PAST,
        value=lambda: _change("n_skips"),
        arithmetic="n_skips / n_plays - past_n_skips / past_n_plays",
        measures=(skips, plays, past_skips, past_plays),
    ),
    Signal(
        name="distinct_artist_share_change",
        meaning="different artists by plays less those of the 28 days before, day by day",
        unit="1",
        null=_NO_PAST,
        value=lambda: _change("n_artists"),
        arithmetic="n_artists / n_plays - past_n_artists / past_n_plays",
        measures=(artists, plays, past_artists, past_plays),
    ),
    Signal(
        name="past_paid_skip_share",
        meaning="share of plays of the 28 days before skipped from the 30th to before the 40th second",
        unit="1",
        null="null: no plays in the 28 days before",
        value=lambda: ratio(pl.col("past_n_paid_skips"), pl.col("past_n_plays")),
        arithmetic="past_n_paid_skips / past_n_plays",
        measures=(past_paid, past_plays, paid_skips, plays),
    ),
    Signal(
        name="past_top_five_share",
        meaning="share of plays of the 28 days before that went to each day's five most played tracks",
        unit="1",
        null="null: no plays in the 28 days before",
        value=lambda: ratio(pl.col("past_top_five"), pl.col("past_n_plays")),
        arithmetic="past_top_five / past_n_plays",
        measures=(past_five, past_plays, top_five, plays),
    ),
)
