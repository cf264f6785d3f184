"""Skips and when they come, likes, adverts."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import count_if, ratio, real
from pozytywka_spark.features.declared.event_codes import is_kind, is_like
from pozytywka_spark.fraud.declared.declaration import NEVER, NO_PLAYS, Measure, Signal
from pozytywka_spark.fraud.declared.pace import plays
from pozytywka_spark.names import ADVERTISEMENT, SKIP

# A play counts for its artist from the thirtieth second on: who skips just after it lives off that
PAID_MS, SOON_MS = 30_000, 40_000

skips = Measure(
    name="n_skips", level="event", value=lambda: count_if(is_kind(SKIP)), arithmetic="count of SKIP"
)
paid_skips = Measure(
    name="n_paid_skips",
    level="event",
    value=lambda: count_if((pl.col("skip_ms") >= PAID_MS) & (pl.col("skip_ms") < SOON_MS)),
    arithmetic="count of SKIP of the track of the day's last PLAY, in [30 s, 40 s) after it",
)
skip_median = Measure(
    name="skip_median_half_ms",
    level="event",
    value=lambda: (pl.col("skip_ms").median() * 2).cast(pl.Int64),
    arithmetic="median over SKIP of the track of the day's last PLAY of milliseconds since it, in halves",
)
likes = Measure(name="n_likes", level="event", value=lambda: count_if(is_like()), arithmetic="count of LIKE")
adverts = Measure(
    name="n_adverts",
    level="event",
    value=lambda: count_if(is_kind(ADVERTISEMENT)),
    arithmetic="count of ADVERTISEMENT",
)

SIGNALS: tuple[Signal, ...] = (
    Signal(
        name="skip_share",
        meaning="skips by plays",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("n_skips"), pl.col("n_plays")),
        arithmetic="n_skips / n_plays",
        measures=(skips, plays),
    ),
    Signal(
        name="median_skip_seconds",
        meaning="median time from a play to its skip",
        unit="s",
        null="null: no skip of the track that was playing",
        # Polars divides by a number through its reciprocal, but for a single row: the same bits either way
        value=lambda: real(pl.col("skip_median_half_ms")) * (1 / 2_000.0),
        arithmetic="skip_median_half_ms / 2000",
        measures=(skip_median,),
    ),
    Signal(
        name="paid_skip_share",
        meaning="share of plays skipped from the 30th to before the 40th second, just after they count",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("n_paid_skips"), pl.col("n_plays")),
        arithmetic="n_paid_skips / n_plays",
        measures=(paid_skips, plays),
    ),
    Signal(
        name="like_share",
        meaning="likes by plays",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("n_likes"), pl.col("n_plays")),
        arithmetic="n_likes / n_plays",
        measures=(likes, plays),
    ),
    Signal(
        name="adverts",
        meaning="adverts heard",
        unit="events",
        null=NEVER,
        value=lambda: real(pl.col("n_adverts")),
        arithmetic="n_adverts",
        measures=(adverts,),
    ),
    Signal(
        name="adverts_per_play",
        meaning="adverts per play",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("n_adverts"), pl.col("n_plays")),
        arithmetic="n_adverts / n_plays",
        measures=(adverts, plays),
    ),
)
