"""A month again, in DuckDB's SQL: shares no code with the kernels."""

from __future__ import annotations

import duckdb
import polars as pl

_TABLES = """
    create table e as
    select user_id, epoch_us(event_time) as us, event_type, session_id, events.track_id, t.id as known,
           case when t.id is null then events.track_id end as stray, t.duration_ms, t.id_artist,
           case event_type when 'SKIP' then 0 when 'ADVERTISEMENT' then 1 when 'BUY_PREMIUM' then 2
                           when 'PLAY' then 3 else 4 end as rank
    from events left join tracks t on t.id = events.track_id;
    create table free as select * from e where user_id is not null and user_id not in
        (select user_id from bought where user_id is not null and purchased_at < $end_us);
    create table busy as
    select *, lead(us) over w - us as until_next, us - lag(us) over w as since_last,
           lag(event_type) over w as last_type,
           count(*) filter (where event_type <> 'ADVERTISEMENT') over (w rows unbounded preceding) as island
    from (select *, case when event_type = 'PLAY' then known end as played from free
          where event_type <> 'LIKE')
    window w as (partition by user_id, session_id order by us, rank, played nulls first);
    create table liked as select user_id, known, stray, min(us) as liked_at from free
    where event_type = 'LIKE' and track_id is not null group by all;
"""
_MEASURED = """
    with timed as (
        select user_id,
            sum(listened)::bigint as listened_us, count(listened) as listened_known,
            sum(case when listened is not null then duration_ms end)::bigint as listened_ms,
            count(*) filter (where event_type = 'SKIP' and last_type = 'PLAY') as timed_skips,
            sum(since_last) filter (where event_type = 'SKIP' and last_type = 'PLAY')::bigint
                as skip_delay_us
        from (select *, case when event_type = 'PLAY' and (until_next is not null or duration_ms is not null)
                             then least(duration_ms * 1000, until_next, $end_us - us) end as listened
              from busy) group by user_id
    ), runs as (
        select user_id, max(n) as run from (
            select user_id, session_id, island, count(*) as n from busy where event_type = 'ADVERTISEMENT'
            group by all) group by user_id
    ), spans as (
        select user_id, count(*) as sessions, sum(length)::bigint as session_us from (
            select user_id, session_id, max(us) - min(us) as length from free group by all) group by user_id
    )
    select free.user_id, min(us) as first_event_at,
        count(*) filter (where event_type = 'SKIP') as skips,
        count(*) filter (where event_type = 'ADVERTISEMENT') as ads,
        count(*) filter (where event_type = 'PLAY') as plays,
        count(*) filter (where event_type = 'LIKE') as likes,
        coalesce(sum(duration_ms) filter (where event_type = 'PLAY'), 0)::bigint as duration_ms_total,
        count(duration_ms) filter (where event_type = 'PLAY') as duration_ms_known,
        coalesce(sum(len(list_intersect(a.genres, u.favourite_genres)))
                 filter (where event_type = 'PLAY'), 0)::bigint as favourites,
        max(us) as last_event_us,
        count(*) filter (where us >= $end_us - 86400000000) as late,
        coalesce(any_value(run), 0) as longest_ad_run,
        coalesce(any_value(listened_us), 0) as listened_us,
        coalesce(any_value(listened_known), 0) as listened_known,
        coalesce(any_value(listened_ms), 0) as listened_ms,
        coalesce(any_value(timed_skips), 0) as timed_skips,
        coalesce(any_value(skip_delay_us), 0) as skip_delay_us,
        any_value(sessions) as sessions, any_value(session_us) as session_us
    from free left join timed using (user_id) left join runs using (user_id) left join spans using (user_id)
    left join artists a on a.id = free.id_artist left join users u on u.user_id = free.user_id
    group by free.user_id order by free.user_id
"""
_LISTENED = """
    select p.user_id, p.known, p.stray, count(*) as plays, count(*) filter (where l.liked_at <= p.us) as liked
    from free p left join liked l on l.user_id = p.user_id
        and (l.known = p.known or (p.known is null and l.stray = p.stray))
    where p.event_type = 'PLAY' group by all order by all
"""
_PLAYED = """
    select known, stray, count(*) as plays from e where event_type = 'PLAY' and track_id is not null
    group by all order by all
"""


def month_again(
    events: pl.DataFrame, bought: pl.DataFrame, tables: dict[str, pl.DataFrame], end_us: int
) -> dict[str, pl.DataFrame]:
    """What `events` of one month come to, by the names of `MonthMade`; tracks by their ids in `known`.

    `end_us`: the cut-off in microseconds.
    """
    with duckdb.connect() as con:
        for name, rows in {**tables, "events": events, "bought": bought}.items():
            con.register(f"_{name}", rows.to_arrow())
            con.execute(f"create table {name} as select * from _{name}")
        for statement in _TABLES.split(";")[:-1]:
            con.execute(statement.replace("$end_us", str(end_us)))
        asked = {
            "measured": _MEASURED.replace("$end_us", str(end_us)),
            "listened": _LISTENED,
            "liked": "select user_id, known, stray, liked_at from liked order by all",
            "played": _PLAYED,
        }
        return {name: pl.DataFrame(con.sql(text).to_arrow_table()) for name, text in asked.items()}
