"""What a build computes: state, base table and features, from silver tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.features.activity import filter_free
from pozytywka_spark.features.catalogue import measures_of
from pozytywka_spark.features.encoded import by_user, encode_events, name_tracks, number_tracks
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.firsts import Firsts, firsts_of, merge_firsts, name_firsts, number_firsts
from pozytywka_spark.features.months import month_at, number_of
from pozytywka_spark.features.popularity import prior_plays, track_plays
from pozytywka_spark.features.recipe import Dimensions, sides_of
from pozytywka_spark.features.user_month import as_features, as_user_month
from pozytywka_spark.kept import keeping
from pozytywka_spark.schemas import Table

HISTORY_MONTHS = 11  # what the longest trailing window needs before a month
FIRSTS = {table.name: table for table in (schemas.FIRST_LIKES, schemas.ARTIST_DEBUTS, schemas.USER_DEBUTS)}


class Tables(Protocol):
    """Where a build keeps its tables: what it computes knows no lake."""

    def read(self, name: str) -> DataFrame:
        """The table's rows, those written by this build among them."""

    def write(self, df: DataFrame, table: Table) -> None:
        """Replace the rows of the build's months."""


@dataclass(frozen=True)
class Months:
    """The months of a build in order; `whole` if they are all there are."""

    chosen: Sequence[date]
    whole: bool

    @property
    def first(self) -> date:
        """The first of them."""
        return self.chosen[0]

    @property
    def last(self) -> date:
        """The last of them."""
        return self.chosen[-1]

    @property
    def oldest(self) -> date:
        """The month that the longest trailing window of the first one reaches back to."""
        return month_at(number_of(self.first) - HISTORY_MONTHS)


def write_base(
    tables: Tables,
    events: DataFrame,
    purchases: DataFrame,
    dimensions: Dimensions,
    months: Months,
    features: Sequence[Feature],
) -> None:
    """Write the state that later months need (firsts, plays by track), then `user_month`."""
    # encoded: a third more time for storing them, but half the room, which a small heap needs for joins
    with keeping() as keep:
        encoded = keep(by_user(encode_events(within(events, months), dimensions.tracks)))
        write_encoded(tables, encoded, track_plays(encoded), purchases, dimensions, months, features)


def within(events: DataFrame, months: Months) -> DataFrame:
    """Events of the months; files of others aren't read."""
    return events.where(F.col("event_month").between(F.lit(months.first), F.lit(months.last)))


def write_encoded(
    tables: Tables,
    encoded: DataFrame,
    plays: DataFrame,
    purchases: DataFrame,
    dimensions: Dimensions,
    months: Months,
    features: Sequence[Feature],
) -> None:
    """As `write_base`, of encoded events that lie by user and everyone's `track_plays` in the months."""
    tracks = dimensions.tracks
    free = filter_free(encoded, purchases)
    firsts = name_firsts(firsts_of(free, tracks), tracks)
    if not months.whole:
        firsts = merge_firsts(_before(tables, months.first), firsts).map(
            lambda name, df: df.where(F.col("month") >= F.lit(months.first))
        )
    for name, df in firsts.named().items():
        tables.write(df, FIRSTS[name])
    tables.write(name_tracks(plays, tracks), schemas.TRACK_PLAYS)
    until = Firsts(*(tables.read(name).where(F.col("month") <= F.lit(months.last)) for name in FIRSTS))
    # of artists only those that a user met in a month of the build are counted
    until = replace(until, artists=until.artists.where(F.col("month") >= F.lit(months.first)))
    played = tables.read("track_plays").where(F.col("month") < F.lit(months.last))
    measures = measures_of(features)
    popularity = prior_plays(number_tracks(played, tracks), months.chosen)
    sides = sides_of(dimensions, popularity, number_firsts(until, tracks), months.chosen)
    tables.write(
        as_user_month(free, sides, measures),
        schemas.user_month_table([measure.name for measure in measures]),
    )


def built_features(tables: Tables, months: Months, features: Sequence[Feature]) -> DataFrame:
    """Grain: user and month. The features of the months, from `user_month` of these and the 11 before."""
    rows = tables.read("user_month").where(F.col("month").between(F.lit(months.oldest), F.lit(months.last)))
    return as_features(rows, features).where(F.col("month") >= F.lit(months.first))


def _before(tables: Tables, month: date) -> Firsts:
    return Firsts(*(tables.read(name).where(F.col("month") < F.lit(month)) for name in FIRSTS))
