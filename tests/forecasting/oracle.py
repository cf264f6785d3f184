"""The series once more, in DuckDB's SQL: another engine, another way of saying them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb
import polars as pl

# Views: `events` (event_time UTC), `users` (user_id, city), `tracks` (track_id, duration_ms, group_id),
# `storage` (track_id, daily_cost), and `bounds` (since, until), days. Grain: measure, city, group and day
# with any of it; `city` and `grp` are null for the sums over all
SQL = """
WITH e AS (
  SELECT e.user_id, e.session_id, e.track_id, e.event_type AS kind, epoch_us(e.event_time) AS t,
         epoch_us(e.event_time) // 86400000000 AS d,
         COALESCE(u.city, 'unknown') AS city, COALESCE(k.group_id, 'unknown') AS grp,
         k.duration_ms * 1000 AS duration, k.track_id AS listed,
         CASE e.event_type WHEN 'SKIP' THEN 0 WHEN 'ADVERTISEMENT' THEN 1 WHEN 'BUY_PREMIUM' THEN 2
                           WHEN 'PLAY' THEN 3 END AS place
  FROM events e LEFT JOIN users u USING (user_id) LEFT JOIN tracks k USING (track_id), bounds
  WHERE e.event_time >= since AND e.event_time < until
), timed AS (
  SELECT *, LEAD(t) OVER (PARTITION BY user_id, session_id, d
                          ORDER BY t, place, listed NULLS FIRST) - t AS gap
  FROM e WHERE kind <> 'LIKE'
), counted AS (
  SELECT d, city, grp, COUNT(*) FILTER (kind = 'PLAY') AS plays, COUNT(*) FILTER (kind = 'SKIP') AS skips,
         COUNT(*) FILTER (kind = 'LIKE') AS likes
  FROM e WHERE kind IN ('PLAY', 'SKIP', 'LIKE')
  GROUP BY GROUPING SETS ((d), (d, city), (d, grp), (d, city, grp))
), listened AS (
  SELECT d, city, grp, SUM(CASE WHEN gap IS NOT NULL OR duration IS NOT NULL
                           THEN LEAST(duration, gap, (d + 1) * 86400000000 - t) ELSE 0 END) / 3.6e9 AS hours
  FROM timed WHERE kind = 'PLAY' GROUP BY GROUPING SETS ((d), (d, city), (d, grp), (d, city, grp))
), spent AS (
  SELECT d, city, COUNT(*) FILTER (kind = 'ADVERTISEMENT') AS adverts,
         COUNT(*) FILTER (kind = 'BUY_PREMIUM') AS purchases, COUNT(DISTINCT user_id) AS active
  FROM e GROUP BY GROUPING SETS ((d), (d, city))
), firsts AS (
  SELECT user_id, city, MIN(d) AS first, MIN(d) FILTER (kind = 'BUY_PREMIUM') AS bought
  FROM e WHERE user_id IS NOT NULL GROUP BY ALL
), new AS (
  SELECT first AS d, city, COUNT(*) AS n FROM firsts GROUP BY GROUPING SETS ((first), (first, city))
), days AS (
  SELECT UNNEST(range(epoch_us(since) // 86400000000, epoch_us(until) // 86400000000)) AS d FROM bounds
), premium AS (
  SELECT days.d, city, COUNT(*) AS n FROM days JOIN firsts ON bought <= days.d
  GROUP BY GROUPING SETS ((days.d), (days.d, city))
), stored AS (
  SELECT d, SUM(daily_cost) AS cost FROM
    (SELECT DISTINCT d, track_id FROM e WHERE kind = 'PLAY') JOIN storage USING (track_id) GROUP BY d
)
SELECT 'plays' AS measure, city, grp, d, plays::DOUBLE AS value FROM counted
UNION ALL SELECT 'skips', city, grp, d, skips FROM counted
UNION ALL SELECT 'likes', city, grp, d, likes FROM counted
UNION ALL SELECT 'listened_hours', city, grp, d, hours FROM listened
UNION ALL SELECT 'adverts', city, NULL, d, adverts FROM spent
UNION ALL SELECT 'purchases', city, NULL, d, purchases FROM spent
UNION ALL SELECT 'active_users', city, NULL, d, active FROM spent
UNION ALL SELECT 'revenue', city, NULL, d, purchases * $sale + adverts * $advert FROM spent
UNION ALL SELECT 'new_users', city, NULL, d, n FROM new
UNION ALL SELECT 'premium_users', city, NULL, d, n FROM premium
UNION ALL SELECT 'storage_cost', NULL, NULL, d, cost FROM stored
"""


def with_views(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str], bounds: tuple[date, date]
) -> None:
    """The views over what may stand behind FROM, by silver table; `group_id` is one of tracks' columns."""
    connection.execute("SET TimeZone = 'UTC'")
    views = {
        "events": "*",
        "users": "user_id, city",
        "tracks": "id AS track_id, duration_ms, group_id",
        "storage": "track_id, daily_cost",
    }
    for name, columns in views.items():
        connection.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM {tables[name]}")
    since, until = (f"TIMESTAMPTZ '{day} 00:00:00+00'" for day in bounds)
    connection.execute(f"CREATE VIEW bounds AS SELECT {since} AS since, {until} AS until")


def series_by_sql(
    connection: duckdb.DuckDBPyConnection, sale: float = 20.0, advert: float = 0.01
) -> pl.DataFrame:
    """The rows: `measure`, `city`, `group_id`, `day`, `value`; nothing where there is nothing."""
    rows = connection.sql(SQL, params={"sale": sale, "advert": advert}).pl()
    return rows.select(
        "measure",
        pl.col("city").fill_null("all"),
        group_id=pl.col("grp").fill_null("all"),
        day=pl.col("d").cast(pl.Int32).cast(pl.Date),
        value="value",
    )


def differing(mine: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Rows of either that the other hasn't, or of another value, beyond 1e-9 of it; none is 0."""
    keys = ["measure", "city", "group_id", "day"]
    both = mine.select(*keys, "value").join(theirs, on=keys, how="full", suffix="_sql", coalesce=True)
    value, other = pl.col("value"), pl.col("value_sql").fill_null(0.0)
    apart = (value - other).abs() > 1e-9 * pl.max_horizontal(pl.lit(1.0), other.abs())
    return both.filter(value.is_null() | apart)
