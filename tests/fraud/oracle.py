"""Signals once more, in DuckDB's SQL: another engine, another way of saying them."""

from __future__ import annotations

import duckdb
import polars as pl

# `events` (day_events.COLUMNS, event_time UTC) and `artists` (track_id, artist_id)
SQL = """
WITH e AS (
  SELECT user_id, session_id, track_id, epoch_us(event_time) AS t,
         CASE event_type WHEN 'SKIP' THEN 0 WHEN 'ADVERTISEMENT' THEN 1 WHEN 'BUY_PREMIUM' THEN 2
                         WHEN 'PLAY' THEN 3 WHEN 'LIKE' THEN 4 END AS k
  FROM events WHERE user_id IS NOT NULL
), d AS (
  SELECT *, t // 86400000000 AS d, t % 86400000000 // 3600000000 AS h FROM e
), w AS (
  SELECT *,
    LAST_VALUE(CASE WHEN k = 3 THEN {'t': t, 'track': track_id} END IGNORE NULLS) OVER
      (PARTITION BY user_id, d ORDER BY t, k NULLS FIRST, track_id NULLS FIRST, session_id
       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last,
    LAG(t) OVER
      (PARTITION BY user_id, d ORDER BY t, k NULLS FIRST, track_id NULLS FIRST, session_id) AS before,
    MIN(CASE WHEN k = 2 THEN t END) OVER (PARTITION BY user_id, d) AS bought_at
  FROM d
), m AS (
  SELECT *,
    CASE WHEN k = 3 THEN (t - last.t) // 1000 END AS gap,
    CASE WHEN k = 0 AND track_id = last.track THEN (t - last.t) // 1000 END AS skip,
    k = 3 AND track_id = last.track AS again
  FROM w
), day AS (
  SELECT user_id, d,
    COUNT(*) FILTER (k = 3) AS plays,
    COUNT(DISTINCT session_id) AS sessions,
    COUNT(DISTINCT h) FILTER (k = 3) AS hours,
    COUNT(*) FILTER (k = 3 AND h < 6) AS night,
    median(gap) / 1000 AS gap_median,
    COUNT(gap) AS gaps,
    stddev_pop(gap) / NULLIF(avg(gap), 0) AS deviation,
    MAX((t - before) // 1000) / 3600000.0 AS pause,
    COUNT(*) FILTER (again) AS repeats,
    COUNT(DISTINCT track_id) FILTER (k = 3) AS tracks,
    COUNT(*) FILTER (k = 0) AS skips,
    COUNT(*) FILTER (skip >= 30000 AND skip < 40000) AS paid,
    median(skip) / 1000 AS skip_median,
    COUNT(*) FILTER (k = 4) AS likes,
    COUNT(*) FILTER (k = 1) AS adverts,
    COUNT(*) FILTER (k = 2) AS bought,
    COUNT(*) FILTER (k = 3 AND t < bought_at) AS first_plays
  FROM m GROUP BY ALL
), hour AS (
  SELECT user_id, d, MAX(n) AS busiest FROM
    (SELECT user_id, d, h, COUNT(*) AS n FROM d WHERE k = 3 GROUP BY ALL) GROUP BY ALL
), track AS (
  SELECT user_id, d, MAX(n) AS top, SUM(n) FILTER (place <= 5) AS five FROM
    (SELECT user_id, d, COUNT(*) AS n,
        ROW_NUMBER() OVER (PARTITION BY user_id, d ORDER BY COUNT(*) DESC) AS place
     FROM d WHERE k = 3 AND track_id IS NOT NULL GROUP BY user_id, d, track_id) GROUP BY ALL
), artist AS (
  SELECT user_id, d, MAX(n) AS top_artist, COUNT(*) AS artists FROM
    (SELECT user_id, d, COALESCE('a' || artist_id, 't' || track_id) AS who, COUNT(*) AS n
     FROM d LEFT JOIN artists USING (track_id) WHERE k = 3 AND track_id IS NOT NULL GROUP BY ALL) GROUP BY ALL
), whole AS (
  SELECT * FROM day LEFT JOIN hour USING (user_id, d) LEFT JOIN track USING (user_id, d)
  LEFT JOIN artist USING (user_id, d)
), past AS (
  SELECT *,
    MIN(d) OVER (PARTITION BY user_id) AS first_day,
    COALESCE(SUM(plays) OVER
      (PARTITION BY user_id ORDER BY d ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS plays_before,
    COUNT(*) OVER near AS days_, SUM(plays) OVER near AS plays_, SUM(hours) OVER near AS hours_,
    SUM(night) OVER near AS night_, SUM(skips) OVER near AS skips_,
    SUM(COALESCE(artists, 0)) OVER near AS artists_,
    SUM(paid) OVER near AS paid_, SUM(COALESCE(five, 0)) OVER near AS five_
  FROM whole
  WINDOW near AS (PARTITION BY user_id ORDER BY d RANGE BETWEEN 28 PRECEDING AND 1 PRECEDING)
)
SELECT user_id, DATE '1970-01-01' + CAST(d AS INTEGER) AS day,
  plays::DOUBLE AS plays, sessions::DOUBLE AS sessions,
  COALESCE(busiest, 0)::DOUBLE AS busiest_hour_plays, hours::DOUBLE AS active_hours,
  night / NULLIF(plays, 0) AS night_share,
  gap_median AS median_gap_seconds,
  CASE WHEN gaps > 1 THEN deviation END AS gap_deviation,
  pause AS longest_pause_hours,
  repeats / NULLIF(plays, 0) AS repeat_share,
  tracks::DOUBLE AS distinct_tracks, CASE WHEN tracks > 0 THEN tracks / plays END AS distinct_track_share,
  artists / NULLIF(plays, 0) AS distinct_artist_share,
  top / NULLIF(plays, 0) AS top_track_share, five / NULLIF(plays, 0) AS top_five_share,
  top_artist / NULLIF(plays, 0) AS top_artist_share,
  skips / NULLIF(plays, 0) AS skip_share, skip_median AS median_skip_seconds,
  paid / NULLIF(plays, 0) AS paid_skip_share,
  likes / NULLIF(plays, 0) AS like_share, adverts::DOUBLE AS adverts,
  adverts / NULLIF(plays, 0) AS adverts_per_play,
  (d - first_day)::DOUBLE AS account_age_days, (plays_before + plays)::DOUBLE AS plays_so_far,
  (bought > 0)::INTEGER::DOUBLE AS bought_premium,
  CASE WHEN bought > 0 THEN (plays_before + first_plays)::DOUBLE END AS plays_before_purchase,
  days_::DOUBLE AS past_active_days,
  plays / NULLIF(plays_ / NULLIF(days_, 0), 0) AS plays_to_own_mean,
  hours / NULLIF(hours_ / NULLIF(days_, 0), 0) AS hours_to_own_mean,
  night / NULLIF(plays, 0) - night_ / NULLIF(plays_, 0) AS night_share_change,
  skips / NULLIF(plays, 0) - skips_ / NULLIF(plays_, 0) AS skip_share_change,
  COALESCE(artists, 0) / NULLIF(plays, 0) - artists_ / NULLIF(plays_, 0) AS distinct_artist_share_change,
  paid_ / NULLIF(plays_, 0) AS past_paid_skip_share,
  five_ / NULLIF(plays_, 0) AS past_top_five_share
FROM past ORDER BY user_id, day
"""


def signals_by_sql(events: pl.DataFrame, artists: pl.DataFrame) -> pl.DataFrame:
    """user_id, day and all signals, of events from their accounts' first day on."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("events", events.to_arrow())
        connection.register("artists", artists.to_arrow())
        return connection.sql(SQL).pl()
