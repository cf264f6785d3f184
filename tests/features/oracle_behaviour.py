"""The features beyond the analysts', again: DuckDB for the month, pandas for the trailing months."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

HOUR, DAY = 3600.0, 86400.0


def base(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row a user-month: sums, counts and times from which the features are made."""
    con.execute("""
        create or replace temp table mine as
        select e.*, epoch_us(e.timestamp) as us, epoch_us(e.cut_off) as end_us
        from e join rows using (user_id, month)
    """)
    con.execute("""
        create or replace temp table busy as
        select *, lead(us) over w as next_us, lag(us) over w as last_us, lag(event_type) over w as last_type,
               row_number() over w as n,
               count(*) filter (where event_type <> 'ADVERTISEMENT') over (
                   partition by user_id, month, session_id
                   order by us, rank, track_id rows unbounded preceding) as island
        from (select *, case event_type when 'SKIP' then 0 when 'ADVERTISEMENT' then 1 else 3 end as rank
              from mine where event_type <> 'LIKE')
        window w as (partition by user_id, month, session_id order by us, rank, track_id)
    """)
    return con.execute("""
        with plays as (
            select b.*, t.duration_ms, t.id_artist, s.storage_class, a.genres[1] as genre,
                case when t.duration_ms is not null or next_us is not null then
                    list_min([x for x in [t.duration_ms * 1000, next_us - us, end_us - us] if x is not null])
                end as listened
            from busy b left join t on t.id = b.track_id left join artists a on a.id = t.id_artist
            left join track_storage s on s.track_id = b.track_id where event_type = 'PLAY'
        ), lengths as (
            select user_id, month, session_id, max(us) - min(us) as length from mine group by all
        ), sessions as (
            select user_id, month, count(*) as sessions, sum(length) as session_us from lengths group by all
        ), anyone as (
            select track_id, month, count(*) as n from e where event_type = 'PLAY' group by all
        ), prior as (
            select r.month, a.track_id, sum(a.n) as n
            from (select distinct month from rows) r join anyone a on a.month < r.month group by all
        ), debuts as (
            select e.user_id, t.id_artist, min(e.month) as debut
            from e join t on t.id = e.track_id where event_type = 'PLAY' group by all
        ), artists_heard as (
            select p.user_id, p.month, count(distinct p.id_artist) as artists,
                   count(distinct case when d.debut = p.month then p.id_artist end) as new_artists
            from plays p left join debuts d using (user_id, id_artist) group by all
        ), genre_counts as (
            select user_id, month, genre, count(*) as n from plays where genre is not null group by all
        ), entropy as (
            select user_id, month, -sum(n / total * ln(n / total)) as genre_entropy
            from (select *, sum(n) over (partition by user_id, month) as total from genre_counts) group by all
        ), runs as (
            select user_id, month, max(n) as run from (
                select user_id, month, session_id, island, count(*) as n from busy
                where event_type = 'ADVERTISEMENT' group by all) group by all
        ), by_play as (
            select p.user_id, p.month, count(*) as plays, count(distinct p.track_id) as tracks,
                sum(listened) as listened_us,
                sum(case when listened is not null then p.duration_ms end) as full_ms,
                count(*) filter (where hour(p.timestamp) >= 22 or hour(p.timestamp) < 6) as night,
                count(*) filter (where isodow(p.timestamp) >= 6) as weekend,
                avg((p.storage_class = 'SLOW')::int) as slow,
                avg((p.storage_class = 'MEDIUM')::int) as medium,
                avg((p.storage_class = 'FAST')::int) as fast,
                sum(case when t.duration_ms is not null then coalesce(prior.n, 0) end)
                    as prior_total, count(t.duration_ms) as prior_known,
                sum(t.popularity) as popularity_total, count(t.popularity) as popularity_known
            from plays p left join t on t.id = p.track_id
            left join prior on prior.month = p.month and prior.track_id = p.track_id group by all
        ), skipped as (
            select user_id, month, sum(us - last_us) as skip_us, count(*) as timed from busy
            where event_type = 'SKIP' and last_type = 'PLAY' group by all
        ), favourites as (
            select m.user_id, m.month, count(*) as favourite_plays
            from mine m join t on t.id = m.track_id join artists a on a.id = t.id_artist
            join users u on u.user_id = m.user_id
            where m.event_type = 'PLAY' and list_has_any(u.favourite_genres, a.genres) group by all
        ), everything as (
            select m.user_id, m.month, max(end_us) as end_us, min(us) as first_us, max(us) as last_us,
                count(*) filter (where event_type = 'ADVERTISEMENT') as ads,
                count(*) filter (where event_type = 'ADVERTISEMENT'
                                 and us >= end_us - 7 * 86400000000) as late_ads,
                count(*) filter (where event_type = 'SKIP') as skips,
                count(*) filter (where event_type = 'LIKE') as likes,
                count(distinct timestamp::date) as days
            from mine m group by all
        ), born as (select user_id, min(epoch_us(timestamp)) as born_us from e group by all)
        select * from everything join sessions using (user_id, month) join born using (user_id)
        left join by_play using (user_id, month) left join artists_heard using (user_id, month)
        left join entropy using (user_id, month) left join runs using (user_id, month)
        left join skipped using (user_id, month) left join favourites using (user_id, month)
        order by month, user_id
    """).df()


def behaviour(b: pd.DataFrame, liked_plays: pd.Series) -> pd.DataFrame:
    """The features of the month that the analysts had not, from `base`."""
    zero = dict.fromkeys(
        ["plays", "tracks", "listened_us", "full_ms", "artists", "new_artists", "run", "favourite_plays",
         "skip_us", "timed", "prior_total", "prior_known", "popularity_total", "popularity_known"], 0,
    )  # fmt: skip
    b = b.fillna(zero)
    some = lambda column: column.where(column > 0).astype(float)  # noqa: E731 three letters, used throughout
    return pd.DataFrame(
        {
            "user_id": b.user_id,
            "month": b.month,
            "advertisements_per_play": b.ads / some(b.plays),
            "advertisements_per_hour_listened": b.ads / some(b.listened_us / 1e6 / HOUR),
            "longest_advertisement_run": b.run,
            "advertisements_last_7_days": b.late_ads,
            "listened_minutes": b.listened_us / 6e7,
            "listened_share": b.listened_us / 1000 / some(b.full_ms),
            "skip_rate": b.skips / some(b.plays),
            "like_rate": b.likes / some(b.plays),
            "liked_play_share": liked_plays / some(b.plays),
            "average_seconds_to_skip": b.skip_us / 1e6 / some(b.timed),
            "night_share": b.night / some(b.plays),
            "weekend_share": b.weekend / some(b.plays),
            "number_of_sessions": b.sessions,
            "active_days": b.days,
            "average_session_minutes": b.session_us / 6e7 / b.sessions,
            "average_hours_between_sessions": (b.last_us - b.first_us - b.session_us).clip(lower=0)
            / 1e6
            / HOUR
            / some(b.sessions - 1),
            "days_since_last_event": (b.end_us - b.last_us) / 1e6 / DAY,
            "tenure_days": (b.end_us - b.born_us) / 1e6 / DAY,
            "month_of_year": b.month.dt.month,
            "repeat_plays": b.plays - b.tracks,
            "new_artists": b.new_artists,
            "new_artist_share": b.new_artists / some(b.artists),
            "genre_entropy": b.genre_entropy,
            "average_prior_plays": b.prior_total / some(b.prior_known),
            "slow_storage_share": b.slow,
            "medium_storage_share": b.medium,
            "fast_storage_share": b.fast,
        }
    )


def trends(b: pd.DataFrame, spans: tuple[int, ...] = (3, 6, 12)) -> pd.DataFrame:
    """The trailing features: every user gets every month, zeros where there was none, then plain sums."""
    named = {
        "plays": "plays", "skips": "skips", "likes": "likes", "advertisements": "ads",
        "favourite_plays": "favourite_plays", "sessions": "sessions", "active_days": "days",
        "listened_minutes": "listened_us", "new_artists": "new_artists",
    }  # fmt: skip
    helpers = ["skip_us", "timed", "popularity_total", "popularity_known", "prior_total", "prior_known"]
    columns = [*named.values(), *helpers]
    months = pd.date_range(b.month.min(), b.month.max(), freq="MS")
    grid = pd.MultiIndex.from_product([b.user_id.unique(), months], names=["user_id", "month"])
    dense = b.set_index(["user_id", "month"])[columns].reindex(grid).fillna(0).astype("int64")
    own = pd.MultiIndex.from_frame(b[["user_id", "month"]])
    out: dict[str, np.ndarray] = {}
    for span in spans:
        rolled = sum(dense.groupby(level="user_id").shift(back, fill_value=0) for back in range(span))
        now, last = dense.loc[own], rolled.loc[own]
        some = last.where(last > 0).astype(float)
        for name, column in named.items():
            scale = 6e7 if name == "listened_minutes" else 1
            out[f"{name}_last_{span}_months"] = (last[column] / scale).to_numpy()
        for name, over, under, scale in (
            ("skip_rate", "skips", "plays", 1), ("like_rate", "likes", "plays", 1),
            ("advertisements_per_play", "ads", "plays", 1), ("seconds_to_skip", "skip_us", "timed", 1e6),
            ("popularity", "popularity_total", "popularity_known", 1),
            ("prior_plays", "prior_total", "prior_known", 1),
        ):  # fmt: skip
            out[f"{name}_last_{span}_months"] = (last[over] / scale / some[under]).to_numpy()
        for name in ("plays", "skips", "likes", "advertisements", "sessions", "listened_minutes"):
            out[f"{name}_to_{span}_month_mean"] = (now[named[name]] * span / some[named[name]]).to_numpy()
    return pd.DataFrame({"user_id": b.user_id, "month": b.month, **out})
