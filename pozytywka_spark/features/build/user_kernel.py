"""All months of some users: what of a month only the months before can tell, and the features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from pozytywka_spark.features.build.aggregate import aggregate_user_months
from pozytywka_spark.features.build.first_times import (
    artist_debuts,
    debuts_table,
    first_events,
    first_likes,
    likes_table,
    users_table,
)
from pozytywka_spark.features.build.group_levels import group_level, language_level
from pozytywka_spark.features.build.listened import (
    genre_level,
    plays_by_artist,
    plays_by_track,
    popularity_level,
)
from pozytywka_spark.features.build.lookups import Lookups
from pozytywka_spark.features.build.text_level import text_level
from pozytywka_spark.features.build.track_numbers import TrackNumbers, number_tracks
from pozytywka_spark.features.build.trailing import trailing_sums
from pozytywka_spark.features.build.user_months import KEYS, UserMonths

if TYPE_CHECKING:
    from pozytywka_spark.features.build.plan import CataloguePlan


@dataclass(frozen=True)
class SliceRows:
    """What is known of a slice of users.

    Of the build's months `measured`, `listened` and `liked` (see `staged`); of earlier ones, as their tables
    hold them, `likes`, `artists` (`first_times.numbered`), `users` and `user_month` (keys and what trailing
    windows add up), None where nothing is held. `texts`, as `parcels.TEXT_ROWS`, of the build's months and of
    those looked back at.
    """

    measured: pl.DataFrame
    listened: pl.DataFrame
    liked: pl.DataFrame
    likes: pl.DataFrame | None = None
    artists: pl.DataFrame | None = None
    users: pl.DataFrame | None = None
    user_month: pl.DataFrame | None = None
    texts: pl.DataFrame | None = None

    def before(self, month: date) -> SliceRows:
        """With no more of what is held than lies before the month; nothing is None."""
        return replace(
            self,
            likes=_earlier(self.likes, month),
            artists=_earlier(self.artists, month),
            users=_earlier(self.users, month),
            user_month=_earlier(self.user_month, month),
        )


@dataclass(frozen=True)
class SliceMade:
    """Rows of the tables, of the build's months, with `month` and without `user_bucket`.

    All are in order of month and user.
    """

    user_month: pl.DataFrame
    features: pl.DataFrame
    likes: pl.DataFrame
    artists: pl.DataFrame
    users: pl.DataFrame


def make_slice(rows: SliceRows, sides: Lookups, plan: CataloguePlan, months: Sequence[date]) -> SliceMade:
    """Everything of a slice. `months`, in order, are the build's.

    Raises `DataError` if a whole number leaves 64 bits, and for plays in a month that isn't measured.
    """
    rows = rows.before(months[0])
    made = _counted(rows, sides, plan).tables()
    return replace(made, features=as_features(made.user_month, rows.user_month, plan))


def make_features(
    rows: SliceRows, sides: Lookups, plan: CataloguePlan, months: Sequence[date]
) -> pl.DataFrame:
    """The features of `make_slice` alone."""
    rows = rows.before(months[0])
    return as_features(_counted(rows, sides, plan).user_month, rows.user_month, plan)


@dataclass(frozen=True)
class _Counted:
    """Measures of users' months, and what the state's tables are made of."""

    user_month: pl.DataFrame
    likes: pl.DataFrame
    debuts: pl.DataFrame
    first: pl.DataFrame
    where: UserMonths
    tracks: TrackNumbers

    def tables(self) -> SliceMade:
        """Everything but the features."""
        return SliceMade(
            self.user_month,
            self.user_month.select(KEYS),
            likes_table(self.likes, self.where, self.tracks),
            debuts_table(self.debuts, self.where, self.tracks.sides),
            users_table(self.first),
        )


def _counted(rows: SliceRows, sides: Lookups, plan: CataloguePlan) -> _Counted:
    """What it takes is let go of before features are made: they take as much."""
    measured = _in_order(rows.measured)
    where = UserMonths(measured.select(KEYS))
    strays = (rows.listened.get_column("stray"), rows.liked.get_column("stray"))
    held_ids = None if rows.likes is None else rows.likes.get_column("track_id")
    tracks = number_tracks(sides, strays, held_ids)

    likes = first_likes(rows.liked, rows.likes, where, tracks)
    by_track = plays_by_track(rows.listened, likes, where, tracks)
    by_artist = plays_by_artist(by_track)
    debuts = artist_debuts(by_artist, rows.artists, where, sides)
    first = first_events(measured, rows.users)

    levels = [measured.drop("first_event_at")]
    if popular := plan.at("popularity"):
        levels.append(aggregate_user_months(popularity_level(by_track, where, tracks), popular, where))
    if of_genres := plan.at("genre"):
        levels.append(aggregate_user_months(genre_level(by_artist, sides), of_genres, where))
    if of_groups := plan.at("group"):
        levels.append(
            aggregate_user_months(group_level(by_artist, rows.artists, where, sides), of_groups, where)
        )
    if of_languages := plan.at("language"):
        levels.append(aggregate_user_months(language_level(by_track, tracks), of_languages, where))
    if of_texts := plan.at("text"):
        levels.append(aggregate_user_months(text_level(rows.texts, where), of_texts, where))
    if of_debuts := plan.at("debut"):
        levels.append(aggregate_user_months(debuts, of_debuts, where))
    if of_users := plan.at("user"):
        timed = where.timed.join(first, on="user_id", how="left", maintain_order="left")
        levels.append(timed.select(each.made.alias(each.name) for each in of_users))
    user_month = pl.concat(levels, how="horizontal").select(*KEYS, *(each.name for each in plan.measures))
    return _Counted(user_month, likes, debuts, first, where, tracks)


def as_features(
    user_month: pl.DataFrame, earlier_months: pl.DataFrame | None, plan: CataloguePlan
) -> pl.DataFrame:
    """Grain and order: as `user_month`; a double a feature. `earlier_months`: rows of earlier months."""
    summed = [*KEYS, *dict.fromkeys(name for name, _ in plan.sums)]
    measures = user_month.select(summed)
    earlier = measures.clear() if earlier_months is None else earlier_months.select(summed)
    sums = trailing_sums(pl.concat([earlier, measures]), plan.sums).slice(earlier.height)
    timed = UserMonths(user_month.select(KEYS)).timed.select("cut_off")
    together = pl.concat([user_month, timed, sums], how="horizontal")
    return together.select(*KEYS, *(each.made.alias(each.name) for each in plan.features))


def _earlier(rows: pl.DataFrame | None, month: date) -> pl.DataFrame | None:
    if rows is None:
        return None
    earlier = rows.filter(pl.col("month") < month)
    return earlier if earlier.height else None


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by month and user; where they lie so already, none is moved."""
    keys = ("month", "user_id")
    return rows if rows.select(pl.struct(keys).is_sorted()).item() else rows.sort(keys)
