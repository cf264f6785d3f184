"""The features again, in DuckDB's SQL straight from a raw delivery: shares no code with the package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pandas as pd

AUDIO = (
    "acousticness",
    "danceability",
    "energy",
    "instrumentalness",
    "liveness",
    "loudness",
    "speechiness",
    "tempo",
    "valence",
)


def connect(
    folder: Path, database: str = ":memory:", config: Mapping[str, str | int] | None = None
) -> duckdb.DuckDBPyConnection:
    """Tables of a raw delivery: `e` events, `rows` user-months without premium at the month's end."""
    con = duckdb.connect(database, config=dict(config or {}))
    con.execute("set timezone = 'UTC'")
    columns = {
        "users": "user_id: 'BIGINT', city: 'VARCHAR', favourite_genres: 'VARCHAR[]'",
        "artists": "id: 'VARCHAR', genres: 'VARCHAR[]'",
        "tracks": "id: 'VARCHAR', name: 'VARCHAR', popularity: 'BIGINT', duration_ms: 'BIGINT', "
        "explicit: 'BIGINT', "
        "id_artist: 'VARCHAR', release_date: 'VARCHAR', " + ", ".join(f"{a}: 'DOUBLE'" for a in AUDIO),
        "track_storage": "track_id: 'VARCHAR', storage_class: 'VARCHAR', daily_cost: 'DOUBLE'",
        "sessions": "timestamp: 'TIMESTAMP', user_id: 'BIGINT', track_id: 'VARCHAR', event_type: 'VARCHAR', "
        "session_id: 'BIGINT'",
    }
    for name, spec in columns.items():
        glob = (
            str(folder / f"{name}*.jsonl*") if (folder / f"{name}.jsonl").exists() else f"{folder}/{name}/*"
        )
        con.execute(
            f"create table {name} as select * from "
            f"read_json('{glob}', format='newline_delimited', columns={{{spec}}})"
        )
    all_zero = " and ".join(f"{a} = 0" for a in AUDIO)
    known = ", ".join(f"case when {all_zero} then null else {a} end as {a}" for a in AUDIO if a != "tempo")
    con.execute(f"""
        create table t as select id, name, popularity, duration_ms, explicit, id_artist, {known},
               nullif(tempo, 0) as tempo,
               epoch(try_cast(substr(release_date || '-01-01', 1, 10) as timestamp)) as released
        from tracks
    """)
    con.execute("""
        create view e as select *, date_trunc('month', timestamp) as month,
               date_trunc('month', timestamp) + interval 1 month as cut_off
        from sessions where user_id is not null
    """)
    con.execute(
        "create table bought as select user_id, min(timestamp) as at from e "
        "where event_type = 'BUY_PREMIUM' group by user_id"
    )
    con.execute("""
        create table rows as select distinct e.user_id, e.month, e.cut_off
        from e left join bought b using (user_id) where b.at is null or not (b.at < e.cut_off)
    """)
    return con


def analysts(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """user_id, month and the analysts' 25 features of every row."""
    return con.execute(analysts_query()).df()


def analysts_query() -> str:
    """What `analysts` asks."""
    audio = ", ".join(f"avg(t.{a}) as average_{a}" for a in AUDIO)
    return f"""
        with liked as (
            select user_id, track_id, min(timestamp) as at from e where event_type = 'LIKE' group by all
        ), counted as (
            select user_id, month,
                count(*) filter (where event_type = 'ADVERTISEMENT') as number_of_advertisements,
                count(*) filter (where event_type = 'PLAY') as number_of_tracks,
                count(*) filter (where event_type = 'SKIP') as number_of_skips,
                count(*) filter (where event_type = 'LIKE') as number_of_likes
            from rows join e using (user_id, month) group by all
        ), plays as (
            select e.user_id, e.month, e.timestamp, e.track_id, t.id_artist,
                   len(list_intersect(list_distinct(coalesce(u.favourite_genres, [])),
                                      list_distinct(coalesce(a.genres, [])))) as matches
            from rows join e using (user_id, month)
            left join t on t.id = e.track_id left join artists a on a.id = t.id_artist
            left join users u on u.user_id = e.user_id
            where e.event_type = 'PLAY'
        ), averaged as (
            select p.user_id, p.month,
                count(*) filter (where l.at <= p.timestamp) as number_of_liked_tracks_listened,
                count(*) filter (where matches > 0) as number_of_tracks_in_favourite_genre,
                sum(coalesce(matches, 0)) as total_number_of_favourite_genres_listened,
                avg(t.popularity) filter (where matches > 0) as average_popularity_in_favourite_genres,
                sum(coalesce(t.duration_ms, 0)) as total_tracks_duration_ms,
                count(distinct p.id_artist) as number_of_different_artists,
                avg(t.released) as average_release_date,
                avg(t.duration_ms) as average_duration_ms,
                avg(t.explicit) as explicit_tracks_ratio,
                avg(t.popularity) as average_popularity,
                {audio},
                avg(length(t.name)) as average_track_name_length,
                avg(s.daily_cost) as average_daily_cost
            from plays p left join t on t.id = p.track_id
            left join track_storage s on s.track_id = p.track_id
            left join liked l on l.user_id = p.user_id and l.track_id = p.track_id
            group by all
        )
        select user_id, month, * exclude (user_id, month)
            replace (coalesce(number_of_liked_tracks_listened, 0) as number_of_liked_tracks_listened,
                     coalesce(number_of_tracks_in_favourite_genre, 0) as number_of_tracks_in_favourite_genre,
                     coalesce(total_number_of_favourite_genres_listened, 0)
                        as total_number_of_favourite_genres_listened,
                     coalesce(total_tracks_duration_ms, 0) as total_tracks_duration_ms,
                     coalesce(number_of_different_artists, 0) as number_of_different_artists)
        from counted left join averaged using (user_id, month) order by month, user_id
    """


def labels(con: duckdb.DuckDBPyConnection, days: int) -> pd.DataFrame:
    """user_id, month, mature, the horizon's label (null if immature), buys_ever and complete of every row.

    For deliveries without stray clocks that begin on a first: their data end with the last event's day.
    """
    return con.execute(f"{labels_query(days)} order by month, user_id").df()


def labels_query(days: int) -> str:
    """What `labels` asks, in no order."""
    return f"""
        with d as (select date_trunc('day', max(timestamp)) + interval 1 day as data_end from e)
        select r.user_id, r.month, r.cut_off, r.cut_off + interval {days} day as horizon_end,
               d.data_end >= r.cut_off + interval {days} day as mature,
               case when d.data_end >= r.cut_off + interval {days} day then
                    coalesce(b.at >= r.cut_off and b.at < r.cut_off + interval {days} day, false)::int
               end as label,
               (b.at is not null)::int as buys_ever,
               d.data_end >= r.cut_off as complete
        from rows r cross join d left join bought b using (user_id)
    """
