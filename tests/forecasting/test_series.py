"""The series over a lake: exact beside another engine, incremental equal to full, killed and repeated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.forecasting.series import build_series
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from tests.forecasting.oracle import differing, series_by_sql, with_views
from tests.worlds.histories import Rows, content, deliver, histories, prepared, write_catalogue

TABLES = ("series_daily", "series_monthly", "series_users", "series_tracks")
CITIES = ("Gdynia", "Radom", None)


def catalogue_of(catalogue: Mapping[str, Rows]) -> dict[str, Rows]:
    """With cities, of which some users have none; costs of some tracks, some beyond the table of tracks."""
    tracks = catalogue["tracks"]
    return dict(catalogue) | {
        "users": [
            row | {"city": CITIES[row["user_id"] % 3]} for row in catalogue["users"] if row["user_id"] % 7
        ],
        "tracks": [row | {"duration_ms": 90_000 + i} for i, row in enumerate(tracks) if i % 5],
        "track_storage": [
            {"track_id": row["id"], "storage_class": "SLOW", "daily_cost": 0.1 + i / 7}
            for i, row in enumerate(tracks) if i % 6
        ],
    }  # fmt: skip


def grouped(lake: Lake, groups: dict[str, str], artists: dict[str, str]) -> None:
    """Tables of genre groups."""
    for table, rows in (
        (schemas.GENRE_GROUPS, [{"genre": genre, "group_id": group} for genre, group in groups.items()]),
        (schemas.ARTIST_GROUPS, [{"id": artist, "group_id": group} for artist, group in artists.items()]),
    ):
        lake.overwrite(pa.Table.from_pylist(rows, arrow_schema(table.schema)), table)


def frame(lake: Lake, table: str) -> pl.DataFrame:
    rows = pl.from_arrow(lake.rows(table))
    assert isinstance(rows, pl.DataFrame)
    return rows


def by_sql(lake: Lake, bounds: tuple[date, date]) -> pl.DataFrame:
    """What DuckDB makes of the silver tables; a track's group is that of its artist in `artist_groups`."""
    grouped = lake.exists("artist_groups")
    with duckdb.connect() as connection:
        for name in ("events", "users", "tracks", "track_storage"):
            connection.register(f"{name}_rows", lake.rows(name))
        groups = lake.rows("artist_groups") if grouped else pa.table({"id": [""], "group_id": [""]})
        connection.register("groups_rows", groups)
        tracks = "(FROM tracks_rows t LEFT JOIN groups_rows g ON t.id_artist = g.id SELECT t.*, g.group_id)"
        tables = {
            "events": "events_rows",
            "users": "users_rows",
            "tracks": tracks,
            "storage": "track_storage_rows",
        }
        with_views(connection, tables, bounds)
        rows = series_by_sql(connection)
    return rows if grouped else rows.filter(pl.col("group_id") == "all")


def check(lake: Lake, built: Any) -> None:
    """Every measure, every day, without a gap; sums over cities and groups."""
    mine = frame(lake, "series_daily")
    assert differing(mine, by_sql(lake, (built.first, built.end))).is_empty()
    assert mine.height == built.series * built.days
    assert mine.select("measure", "city", "group_id", "day").is_unique().all()
    monthly = frame(lake, "series_monthly")
    stocks = ["premium_users", "active_users"]
    sums = mine.filter(~pl.col("measure").is_in(stocks)).group_by("measure", "city", "group_id", "month")
    both = monthly.join(
        sums.agg(pl.col("value").sum().alias("summed")), on=["measure", "city", "group_id", "month"]
    )
    assert both.height == monthly.filter(~pl.col("measure").is_in(stocks)).height > 0
    assert ((both["value"] - both["summed"]).abs() <= 1e-9 * both["value"].clip(lower_bound=1)).all()


@pytest.mark.parametrize("buckets", [1, 3])
def test_incremental_equals_full_and_the_other_engine(
    spark: SparkSession, tmp_path: Path, buckets: int
) -> None:
    worlds = histories(12)
    catalogue = catalogue_of(worlds.catalogue)
    settings, lake = prepared(spark, tmp_path / "torn")
    settings, whole = prepared(spark, tmp_path / "whole")
    for each in (lake, whole):
        write_catalogue(each, catalogue)
    if buckets > 1:
        artists = catalogue["artists"]
        told = {row["id"]: "pop" if i % 2 else "jazz" for i, row in enumerate(artists) if i % 4}
        # whom the table of artists lacks has the group of the genre
        lacking = {row["id"]: "rock" for row in artists if row["id"] not in told and row["genres"] == ["g0"]}
        grouped(lake, {"g0": "rock"}, told)
        grouped(whole, {"g0": "other"}, told | lacking)
    for number, events in enumerate(worlds.deliveries):
        deliver(lake, events, noted=number % 2 == 0, buckets=buckets)
        built = build_series(settings, lake)
        assert built.months
        assert build_series(settings, lake).unchanged
    deliver(whole, worlds.events, buckets=1)
    full = build_series(settings, whole)
    assert (full.first, full.end, full.series) == (built.first, built.end, built.series)
    for table in TABLES:
        assert content(lake, table) == content(whole, table)
    check(whole, full)


def test_only_what_changed_is_made_anew(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(6)
    catalogue = catalogue_of(worlds.catalogue)
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, catalogue)
    deliver(lake, worlds.events)
    first = build_series(settings, lake)
    assert len(first.months) == 4
    before = lake.version("series_daily")
    # users and tracks that nobody has met yet change nothing
    more = catalogue | {
        "users": [*catalogue["users"], {"user_id": 900, "city": "Radom", "favourite_genres": []}],
        "tracks": [
            *catalogue["tracks"],
            {"id": "fresh", "name": "fresh", "id_artist": "a", "duration_ms": 1},
        ],
    }
    write_catalogue(lake, more)
    assert build_series(settings, lake).unchanged
    assert lake.version("series_daily") == before
    # a track of another length changes the months from its first event on
    late = max(
        frame(lake, "series_tracks").iter_rows(named=True), key=lambda row: (row["month"], row["track_id"])
    )
    shorter = [row | {"duration_ms": 5} if row["id"] == late["track_id"] else row for row in more["tracks"]]
    write_catalogue(lake, more | {"tracks": shorter})
    again = build_series(settings, lake)
    assert again.months == tuple(month for month in first.months if month >= late["month"]) != first.months
    check(lake, again)
    # who moves house was counted elsewhere from the first day on
    moved = [row | {"city": "Radom"} for row in more["users"]]
    write_catalogue(lake, more | {"tracks": shorter, "users": moved})
    check(lake, build_series(settings, lake))
    # a price changes all
    dearer = Settings.model_validate(settings.model_dump() | {"scoring": {"policy": {"value_of_sale": 30}}})
    assert build_series(dearer, lake).months == first.months


class Breaking:
    """A lake that dies right after a write."""

    def __init__(self, lake: Lake, after: int) -> None:
        self.lake, self.left = lake, after

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.lake, name)
        if name not in ("overwrite", "replace_partitions"):
            return attribute

        def write(*args: Any, **kwargs: Any) -> Any:
            done = attribute(*args, **kwargs)
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return done

        return write


def test_a_build_broken_after_any_commit_is_repeated(spark: SparkSession, tmp_path: Path) -> None:
    worlds = histories(4)
    settings, lake = prepared(spark, tmp_path / "broken")
    write_catalogue(lake, catalogue_of(worlds.catalogue))
    deliver(lake, worlds.deliveries[0])
    build_series(settings, lake)
    deliver(lake, worlds.deliveries[2])
    for writes in range(1, 6):
        with pytest.raises(KeyboardInterrupt):
            build_series(settings, Breaking(lake, writes))  # type: ignore[arg-type]  # a stand-in
    build_series(settings, lake)
    settings, whole = prepared(spark, tmp_path / "whole")
    write_catalogue(whole, catalogue_of(worlds.catalogue))
    deliver(whole, [*worlds.deliveries[0], *worlds.deliveries[2]])
    build_series(settings, whole)
    for table in TABLES:
        assert content(lake, table) == content(whole, table)
    assert build_series(settings, lake).unchanged


def test_a_day_counts_once_the_data_go_past_its_end(spark: SparkSession, tmp_path: Path) -> None:
    settings, lake = prepared(spark, tmp_path)
    write_catalogue(lake, catalogue_of(histories(1).catalogue))

    def plays(first: int, last: int, hour: int) -> Rows:
        start = datetime.fromisoformat(f"2023-01-01T{hour:02}:00:00+00:00")
        return [
            {"event_time": start + timedelta(days=day, seconds=60 * n), "event_type": "PLAY", "user_id": 1,
             "session_id": 100 * day + hour, "track_id": "t0-1"}
            for day in range(first, last) for n in range(20)
        ]  # fmt: skip

    deliver(lake, plays(0, 1, 10))
    with pytest.raises(DataError, match=r"no day of the lake is complete: its only one, 2023-01-01"):
        build_series(settings, lake)
    deliver(lake, plays(1, 31, 10))
    built = build_series(settings, lake)
    assert built.end == date(2023, 1, 31)
    assert frame(lake, "series_monthly").is_empty()
    deliver(lake, plays(31, 32, 1))
    built = build_series(settings, lake)
    assert (built.end, built.months) == (date(2023, 2, 1), (date(2023, 1, 1),))
    assert set(frame(lake, "series_monthly")["month"]) == {date(2023, 1, 1)}
