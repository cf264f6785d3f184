"""A made slice of users, its sides, and a small plan that reads every level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.first_times import numbered
from pozytywka_spark.features.build.lookups import Lookups
from pozytywka_spark.features.build.parcels import LIKED_ROWS, LISTENED_ROWS
from pozytywka_spark.features.build.plan import CataloguePlan, Named
from pozytywka_spark.features.build.user_kernel import SliceMade, SliceRows
from pozytywka_spark.features.declared.arithmetic import total
from pozytywka_spark.months import month_after, start_micros

JANUARY, FEBRUARY, MARCH, APRIL = (date(2023, month, 1) for month in (1, 2, 3, 4))
TRACKS = 12
# fields of `SliceMade` by the tables that hold them
TABLES = {
    "first_likes": "likes",
    "artist_debuts": "artists",
    "user_debuts": "users",
    "user_month": "user_month",
    "features": "features",
}
KNOWN = pl.col("prior_plays").is_not_null()


def _measure(name: str, level: str, made: pl.Expr) -> Named:
    return Named(name, made.cast(pl.Int64), level)  # type: ignore[arg-type]


PLAN = CataloguePlan(
    measures=(
        _measure("new_artists", "debut", pl.len()),
        _measure("plays", "event", pl.col("plays")),  # stands for what the second pass has counted
        _measure("prior", "popularity", total(pl.col("plays") * pl.col("prior_plays"))),
        _measure("prior_known", "popularity", total(pl.col("plays").filter(KNOWN))),
        _measure("liked_plays", "genre", total(pl.col("liked_plays"))),
        _measure("tracks", "genre", total(pl.col("tracks"))),
        _measure("artists", "genre", total(pl.col("artists"))),
        _measure("most_of_a_genre", "genre", pl.col("plays").filter(pl.col("genre").is_not_null()).max()),
        _measure("genreless", "genre", total(pl.col("plays").filter(pl.col("genre").is_null()))),
        _measure("debut_us", "user", pl.col("first_event_at")),
        _measure("debuts_before", "debut", (pl.col("cut_off") // 1000).min()),
    ),
    sums=(("plays", 3), ("new_artists", 2), ("plays", 12)),
    features=(
        Named("liked_share", pl.col("liked_plays") / pl.when(pl.col("plays") > 0).then("plays")),
        Named("plays_3", pl.col("plays_over_3").cast(pl.Float64)),
        Named("new_2", pl.col("new_artists_over_2").cast(pl.Float64)),
        Named("plays_12", pl.col("plays_over_12").cast(pl.Float64)),
        Named("tenure", (pl.col("cut_off") - pl.col("debut_us")).cast(pl.Float64)),
        Named("calendar", pl.col("month").dt.month().cast(pl.Float64)),
    ),
)


def track_rows(tracks: int = TRACKS) -> pl.DataFrame:
    """Two tracks an artist, two genres.

    A0001 has none, the last track has no artist, and the one before isn't known.
    """
    numbers = np.arange(tracks)
    rows = pl.DataFrame({"track": numbers, "artist": numbers // 2, "genre": numbers // 2 % 2})
    last = pl.col("track") == tracks - 1
    return rows.select(
        pl.col("track").cast(pl.UInt32),
        pl.format("T{}", pl.col("track").cast(pl.String).str.zfill(4)).alias("track_id"),
        pl.when(~last).then("artist").cast(pl.UInt32),
        pl.when(~last)
        .then(pl.format("A{}", pl.col("artist").cast(pl.String).str.zfill(4)))
        .alias("artist_id"),
        pl.when(~last & (pl.col("artist") % 5 != 1)).then("genre").cast(pl.UInt32),
        known=pl.col("track") != tracks - 2,
    )


@dataclass(frozen=True)
class World:
    """Facts by identifier, as the oracle reads them.

    `months`: `first_event_at`, `plays` by user and month; `plays`: `plays`, `liked_plays` by user, month and
    track; `likes`: `liked_at` by user, month and track; `anyone`: plays by month and track.
    """

    months: pl.DataFrame
    plays: pl.DataFrame
    likes: pl.DataFrame
    anyone: pl.DataFrame
    tracks: pl.DataFrame

    def of_users(self, users: pl.Expr) -> World:
        return World(
            self.months.filter(users),
            self.plays.filter(users),
            self.likes.filter(users),
            self.anyone,
            self.tracks,
        )

    def rows(self, months: Sequence[date], held: SliceMade | None = None) -> SliceRows:
        """What the third pass is given of some months, in no order."""
        mine = pl.col("month").is_in(list(months))
        listened = self._numbered(self.plays.filter(mine))
        liked = self._numbered(self.likes.filter(mine))
        rows = SliceRows(
            self.months.filter(mine).sample(fraction=1, shuffle=True, seed=1),
            listened.select(*LISTENED_ROWS)
            .cast(dict(LISTENED_ROWS))
            .sample(fraction=1, shuffle=True, seed=2),
            liked.select(*LIKED_ROWS).cast(dict(LIKED_ROWS)).sample(fraction=1, shuffle=True, seed=3),
        )
        if held is None:
            return rows
        return SliceRows(
            rows.measured,
            rows.listened,
            rows.liked,
            held.likes,
            numbered(held.artists, self.sides()),
            held.users,
            held.user_month,
        )

    def sides(self) -> Lookups:
        by_id = self.anyone.join(self.tracks.select("track_id", "track"), on="track_id")
        return Lookups(self.tracks, by_id.select("track", "month", "plays"))

    def _numbered(self, rows: pl.DataFrame) -> pl.DataFrame:
        named = rows.join(self.tracks.select("track_id", "track"), on="track_id", how="left")
        return named.with_columns(stray=pl.when(pl.col("track").is_null()).then("track_id"))


def made_world(seed: int, users: int = 8, months: int = 15, first: date = JANUARY) -> World:
    """Users with months missing, plays of strays and of tracks without artist, likes and second likes."""
    random = np.random.default_rng(seed)
    named = [*track_rows().get_column("track_id"), "S1", "S2"]
    measured: list[tuple[int, date, int, int]] = []
    plays: list[tuple[int, date, str, int, int]] = []
    likes: list[tuple[int, date, str, int]] = []
    for user in random.choice(10**12, users, replace=False).tolist():
        for place in range(months):
            if random.random() < 0.5:
                continue
            month = month_after(first, place)
            start = start_micros(month)
            counted = 0
            for track in random.choice(named, random.integers(0, 6), replace=False).tolist():
                often = int(random.integers(1, 5))
                plays.append((user, month, track, often, int(random.integers(0, often + 1))))
                counted += often
            for track in random.choice(named, random.integers(0, 3), replace=False).tolist():
                likes.append((user, month, track, start + int(random.integers(0, 10**12))))
            measured.append((user, month, start + int(random.integers(0, 10**12)), counted))
    rows = pl.DataFrame(plays, ["user_id", "month", "track_id", "plays", "liked_plays"], orient="row")
    anyone = rows.group_by("month", "track_id").agg(pl.col("plays").sum() + int(random.integers(0, 9)))
    return World(
        pl.DataFrame(measured, ["user_id", "month", "first_event_at", "plays"], orient="row"),
        rows,
        pl.DataFrame(likes, ["user_id", "month", "track_id", "liked_at"], orient="row"),
        anyone,
        track_rows(),
    )


def months_of(world: World) -> list[date]:
    return world.months.get_column("month").unique().sort().to_list()


def together(parts: Sequence[SliceMade]) -> SliceMade:
    """Tables of several builds below each other."""
    return SliceMade(
        *(
            pl.concat([getattr(part, name) for part in parts]).sort(keys)
            for name, keys in (
                ("user_month", ["month", "user_id"]),
                ("features", ["month", "user_id"]),
                ("likes", ["month", "user_id", "track_id"]),
                ("artists", ["month", "user_id", "artist_id"]),
                ("users", ["user_id"]),
            )
        )
    )


def assert_same_tables(tables: Mapping[str, pl.DataFrame], expected: SliceMade) -> None:
    """Rows of the tables in any order."""
    found = {field: tables[name].select(getattr(expected, field).columns) for name, field in TABLES.items()}
    made = together([SliceMade(**found)])
    for field in TABLES.values():
        assert_frame_equal(getattr(made, field), getattr(expected, field))
