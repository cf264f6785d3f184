"""Which accounts play which tracks far more than the tracks' popularity and the account's taste explain.

An account's plays n of a track are compared with what is expected of it, λ, as the mean of a Poisson
variable. λ has two parts, in which a track's weight is the sum of log2(1 + plays) over accounts, so that
those who play it over and over hardly add to its popularity:

- popularity: the account's plays · the track's share of all weights;
- taste, for the track's artist, one of the artist's genres, or hits, whichever explains most: the account's
  plays of *other* tracks of it · the track's weight by theirs. It counts in full from `TASTE_TRACKS` other
  tracks on: who plays one track of an artist has shown no taste. A hit has `HIT` times the median number of
  listeners, which no ring gives a track.

The track is played far more than that where n is at least `Far.plays` and `Far.times` λ, and where the
chance of n plays or more is at most `Far.chance`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import special

FIXED = 2.0**32  # of the fixed point that weights are summed in
TASTE_TRACKS = 3
HIT = 10.0
HIT_LISTENERS = 30  # of a hit, at least
HITS = "hits"

# Columns. PAIRS: account, track, plays; WEIGHTS: track, weight, listeners;
# TASTES: track, taste (a row each of its tastes)
ACCOUNT, TRACK, PLAYS = "user_id", "track_id", "plays"
WEIGHT, LISTENERS, TASTE, EXPECTED = "weight", "listeners", "taste", "expected"


@dataclass(frozen=True)
class Far:
    """What is far more than explained."""

    plays: int = 3
    times: float = 3.0
    chance: float = 1e-4


def pairs_of(parts: pl.DataFrame) -> pl.DataFrame:
    """Rows of PAIRS from those of parts of them: an account and track once, with the sum of their plays."""
    return parts.group_by(ACCOUNT, TRACK).agg(pl.col(PLAYS).sum())


def weights_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """Rows of WEIGHTS among some accounts, in whole numbers, so that sums are the same in any order."""
    weight = ((1.0 + pl.col(PLAYS)).log(2.0) * FIXED).round().cast(pl.Int64)
    return pairs.group_by(TRACK).agg(weight.sum().alias(WEIGHT), pl.len().cast(pl.Int64).alias(LISTENERS))


def together(weights: pl.DataFrame) -> pl.DataFrame:
    """Rows of WEIGHTS among all accounts, of those among some."""
    return weights.group_by(TRACK).agg(pl.col(WEIGHT, LISTENERS).sum())


def tastes_of(tracks: pl.DataFrame, artists: pl.DataFrame) -> pl.DataFrame:
    """TASTES, of the tables `tracks` (id, id_artist) and `artists` (id, genres)."""
    named = tracks.select(pl.col("id").alias(TRACK), artist="id_artist").drop_nulls().unique(TRACK)
    genres = artists.select(artist="id", taste="genres").explode("taste").drop_nulls().unique()
    by_genre = named.join(genres, on="artist").select(
        TRACK, pl.concat_str(pl.lit("genre "), TASTE).alias(TASTE)
    )
    by_artist = named.select(TRACK, pl.concat_str(pl.lit("artist "), "artist").alias(TASTE))
    return pl.concat([by_artist, by_genre])


def with_hits(tastes: pl.DataFrame, weights: pl.DataFrame) -> pl.DataFrame:
    """Rows of TASTES, among them the one for hits."""
    usual = weights.get_column(LISTENERS).median()
    least = max(HIT * float(usual) if isinstance(usual, float) else 0.0, float(HIT_LISTENERS))
    hits = weights.filter(pl.col(LISTENERS) >= least).select(TRACK, pl.lit(HITS).alias(TASTE))
    return pl.concat([tastes, hits])


def far_more(pairs: pl.DataFrame, weights: pl.DataFrame, tastes: pl.DataFrame, far: Far) -> pl.DataFrame:
    """The PAIRS with far more plays than expected, and `expected`; all pairs of an account lie in `pairs`."""
    share = weights.with_columns(share=pl.col(WEIGHT) / weights.get_column(WEIGHT).sum())
    played = pairs.group_by(ACCOUNT).agg(pl.col(PLAYS).sum().alias("all_plays"))
    likely = _far(
        pairs.filter(pl.col(PLAYS) >= far.plays)
        .join(share, on=TRACK)
        .join(played, on=ACCOUNT)
        .with_columns((pl.col("all_plays") * pl.col("share")).alias(EXPECTED)),
        far,
    )
    # a taste only explains more: few pairs are left to ask about it
    by_taste = _by_taste(pairs, weights, tastes, likely)
    explained = likely.join(by_taste, on=[ACCOUNT, TRACK], how="left").with_columns(
        pl.col(EXPECTED) + pl.col("by_taste").fill_null(0.0)
    )
    return _far(explained, far).select(ACCOUNT, TRACK, PLAYS, EXPECTED).sort(ACCOUNT, TRACK)


def _far(rows: pl.DataFrame, far: Far) -> pl.DataFrame:
    rows = rows.filter(pl.col(PLAYS) >= far.times * pl.col(EXPECTED))
    plays = rows.get_column(PLAYS).to_numpy().astype(np.float64)
    # the chance of n or more of a Poisson variable is the regularised lower gamma function of n at λ
    chance = special.gammainc(plays, rows.get_column(EXPECTED).to_numpy())
    return rows.filter(pl.Series(chance <= far.chance))


def _by_taste(
    pairs: pl.DataFrame, weights: pl.DataFrame, tastes: pl.DataFrame, likely: pl.DataFrame
) -> pl.DataFrame:
    """What a taste explains at most of each of the `likely` pairs: account, track, by_taste."""
    asked = likely.join(tastes, on=TRACK)
    theirs = tastes.join(asked.select(TASTE).unique(), on=TASTE, how="semi").join(weights, on=TRACK)
    weight = theirs.group_by(TASTE).agg(pl.col(WEIGHT).sum().alias("whole"))
    mine = (
        pairs.join(likely.select(ACCOUNT).unique(), on=ACCOUNT, how="semi")
        .join(theirs.select(TRACK, TASTE), on=TRACK)
        .group_by(ACCOUNT, TASTE)
        .agg(pl.col(PLAYS).sum().alias("taste_plays"), pl.len().alias("taste_tracks"))
    )
    others = pl.col("taste_tracks").cast(pl.Float64) - 1.0
    shown = pl.min_horizontal(others / TASTE_TRACKS, pl.lit(1.0))
    other_plays = pl.col("taste_plays") - pl.col(PLAYS)
    explained = shown * other_plays * pl.col(WEIGHT) / (pl.col("whole") - pl.col(WEIGHT))
    return (
        asked.join(mine, on=[ACCOUNT, TASTE])
        .join(weight, on=TASTE)
        .filter(others > 0)
        .group_by(ACCOUNT, TRACK)
        .agg(explained.max().alias("by_taste"))
    )


def surprise(rows: pl.DataFrame) -> pl.Series:
    """How unlikely each pair is, in nats: n ln(n / λ) - (n - λ), the Poisson deviance's half."""
    n, expected = pl.col(PLAYS), pl.col(EXPECTED)
    return rows.select((n * (n / expected).log() - (n - expected)).alias("surprise")).to_series()
