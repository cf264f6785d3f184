"""Users' first days and tracks' first months over all months of a build, beside those of earlier ones.

No Spark here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.forecasting.measures import UNKNOWN
from pozytywka_spark.forecasting.series_work import Names
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import SERIES_TRACKS, SERIES_USERS

# Kinds of parcels: by month, new users and first purchases by day and city; users by city who bought before
# the build's first month
NEW, BOUGHT_BEFORE = "new", "bought_before"
_STATE = pl.Schema({"user_id": pl.Int64, "city": pl.String, "first_day": pl.Date, "bought_day": pl.Date})


@dataclass(frozen=True)
class UserFirsts:
    """A bucket's users: their firsts by month of the build, and files of `series_users` of earlier months."""

    bucket: int
    earlier: tuple[DataFile, ...]
    firsts: Mapping[date, tuple[Parcel, ...]]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        fresh = sum(each.size for parcels in self.firsts.values() for each in parcels)
        return fresh + sum(each.size for each in self.earlier)


@dataclass(frozen=True)
class TrackFirsts:
    """Tracks that events name, by month of the build, and files of `series_tracks` of earlier months."""

    earlier: tuple[DataFile, ...]
    named: Mapping[date, tuple[Parcel, ...]]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        fresh = sum(each.size for parcels in self.named.values() for each in parcels)
        return fresh + sum(each.size for each in self.earlier)


@dataclass(frozen=True)
class FindFirsts:
    """Work on `UserFirsts` and `TrackFirsts`: writes `series_users` and `series_tracks` of the build's
    months, stages NEW and BOUGHT_BEFORE; tells nothing. `tracks`: parcels TRACKS."""

    names: Names
    tracks: tuple[Parcel, ...]

    def __call__(
        self, items: Sequence[UserFirsts | TrackFirsts], files: TaskFiles
    ) -> Iterator[dict[str, Any]]:
        """Nothing."""
        for item in items:
            if isinstance(item, UserFirsts):
                self._users(item, files)
            else:
                self._tracks(item, files)
        yield from ()

    def _users(self, item: UserFirsts, files: TaskFiles) -> None:
        earlier = _STATE.to_frame()
        if item.earlier:
            earlier = files.read(item.earlier, list(_STATE))
        codes = _codes(self.names)
        before = earlier.filter(pl.col("bought_day").is_not_null()).join(codes, on="city", how="left")
        files.stage(BOUGHT_BEFORE, before.group_by(city="code").agg(bought_before=pl.len().cast(pl.Int64)))
        for month, rows in firsts_by_month(item.firsts, earlier, files).items():
            new = rows.group_by("city", day="first_day").agg(new_users=pl.len().cast(pl.Int64))
            bought = rows.group_by("city", day="bought_day").agg(bought_first=pl.len().cast(pl.Int64))
            counted = [
                each.filter(pl.col("day").is_not_null()).select("day", "city", name)
                for each, name in ((new, "new_users"), (bought, "bought_first"))
            ]
            both = counted[0].join(counted[1], on=["day", "city"], how="full", coalesce=True)
            files.stage(NEW, both.fill_null(0), (str(month),))
            named = rows.join(codes, left_on="city", right_on="code", how="left").select(
                "user_id",
                city="city_right",
                first_day=pl.col("first_day").cast(pl.Date),
                bought_day=pl.col("bought_day").cast(pl.Date),
            )
            files.write(SERIES_USERS, named.sort("user_id"), {"month": month, "user_bucket": item.bucket})

    def _tracks(self, item: TrackFirsts, files: TaskFiles) -> None:
        tracks = files.shared(self.tracks) if self.tracks else None
        seen = pl.Series("track_id", [], pl.String)
        if item.earlier:
            seen = files.read(item.earlier, ["track_id"]).get_column("track_id")
        for month in sorted(item.named):
            rows = files.read(item.named[month]).unique()
            ids = rows.get_column("stray").drop_nulls()
            if tracks is not None:
                places = rows.get_column("track").drop_nulls().cast(pl.Int64)
                ids = pl.concat([tracks.get_column("track_id").gather(places), ids.alias("track_id")])
            fresh = ids.unique().rename("track_id").to_frame()
            fresh = fresh.join(seen.to_frame(), on="track_id", how="anti")
            seen = pl.concat([seen, fresh.get_column("track_id")])
            files.write(SERIES_TRACKS, _with_sides(fresh, tracks).sort("track_id"), {"month": month})


def firsts_by_month(
    parcels: Mapping[date, Sequence[Parcel]], earlier: pl.DataFrame, files: TaskFiles
) -> dict[date, pl.DataFrame]:
    """Grain: user and month of the first event or purchase: `user_id`, `city` (a code), `first_day` and
    `bought_day` (days since 1970), null where it isn't the first of all or lies in another month."""
    seen = earlier.filter(pl.col("first_day").is_not_null()).select("user_id").to_series()
    sold = earlier.filter(pl.col("bought_day").is_not_null()).select("user_id").to_series()
    found = {}
    for month in sorted(parcels):
        rows = files.read(parcels[month])
        again, sold_before = pl.col("user_id").is_in(seen.implode()), pl.col("user_id").is_in(sold.implode())
        firsts = rows.with_columns(
            first_day=pl.when(~again).then("first_day"), bought_day=pl.when(~sold_before).then("bought_day")
        )
        has_first, has_bought = pl.col("first_day").is_not_null(), pl.col("bought_day").is_not_null()
        seen = pl.concat([seen, firsts.filter(has_first).get_column("user_id")])
        sold = pl.concat([sold, firsts.filter(has_bought).get_column("user_id")])
        found[month] = firsts.filter(has_first | has_bought)
    return found


def _codes(names: Names) -> pl.DataFrame:
    """City names and their codes."""
    every = [*names.cities, UNKNOWN]
    return pl.DataFrame({"city": every, "code": pl.Series(range(len(every)), dtype=pl.Int32)})


def _with_sides(ids: pl.DataFrame, tracks: pl.DataFrame | None) -> pl.DataFrame:
    if tracks is None:
        nothing = {"duration_ms": pl.Int64, "group_id": pl.String, "daily_cost": pl.Float64}
        return ids.with_columns(pl.lit(None, kind).alias(name) for name, kind in nothing.items())
    return ids.join(tracks, on="track_id", how="left")
