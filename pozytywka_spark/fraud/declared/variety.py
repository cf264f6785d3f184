"""What is played: repeats, and how much of the day goes to few tracks or one artist."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import count_if, ratio, real
from pozytywka_spark.fraud.declared.declaration import NEVER, NO_PLAYS, Measure, Signal
from pozytywka_spark.fraud.declared.pace import plays

FEW = 5

repeats = Measure(
    name="n_repeats",
    level="event",
    value=lambda: count_if(pl.col("is_repeat")),
    arithmetic="count of PLAY of the track of the day's PLAY before it",
)
tracks = Measure(
    name="n_tracks",
    level="track",
    value=lambda: pl.len(),
    arithmetic="different tracks of PLAY",
)
top_track = Measure(
    name="top_track",
    level="track",
    value=lambda: pl.col("plays").max(),
    arithmetic="PLAY of the day's most played track",
)
top_five = Measure(
    name="top_five",
    level="track",
    value=lambda: pl.col("plays").top_k(FEW).sum(),
    arithmetic="PLAY of the day's five most played tracks",
)
artists = Measure(
    name="n_artists",
    level="artist",
    value=lambda: pl.len(),
    arithmetic="different artists of PLAY; a track whose artist isn't known counts as one of its own",
)
top_artist = Measure(
    name="top_artist",
    level="artist",
    value=lambda: pl.col("plays").max(),
    arithmetic="PLAY of the day's most played artist; a track without one counts as one of its own",
)

SIGNALS: tuple[Signal, ...] = (
    Signal(
        name="repeat_share",
        meaning="share of plays of the same track as the play before",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("n_repeats"), pl.col("n_plays")),
        arithmetic="n_repeats / n_plays",
        measures=(repeats, plays),
    ),
    Signal(
        name="distinct_tracks",
        meaning="different tracks played",
        unit="tracks",
        null=NEVER,
        value=lambda: real(pl.col("n_tracks").fill_null(0)),
        arithmetic="n_tracks, 0 without plays",
        measures=(tracks,),
    ),
    Signal(
        name="distinct_track_share",
        meaning="different tracks by plays",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("n_tracks"), pl.col("n_plays")),
        arithmetic="n_tracks / n_plays",
        measures=(tracks, plays),
    ),
    Signal(
        name="distinct_artist_share",
        meaning="different artists by plays",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("n_artists"), pl.col("n_plays")),
        arithmetic="n_artists / n_plays",
        measures=(artists, plays),
    ),
    Signal(
        name="top_track_share",
        meaning="share of plays of the most played track",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("top_track"), pl.col("n_plays")),
        arithmetic="top_track / n_plays",
        measures=(top_track, plays),
    ),
    Signal(
        name="top_five_share",
        meaning="share of plays of the five most played tracks",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("top_five"), pl.col("n_plays")),
        arithmetic="top_five / n_plays",
        measures=(top_five, plays),
    ),
    Signal(
        name="top_artist_share",
        meaning="share of plays of the most played artist",
        unit="1",
        null=NO_PLAYS,
        value=lambda: ratio(pl.col("top_artist"), pl.col("n_plays")),
        arithmetic="top_artist / n_plays",
        measures=(top_artist, plays),
    ),
)
