"""A small world of users over months, and DuckDB's account of it."""

from __future__ import annotations

from dataclasses import fields

import duckdb
import polars as pl

from pozytywka_spark.months import start_micros
from tests.worlds.slice_world import (
    APRIL,
    FEBRUARY,
    JANUARY,
    MARCH,
    World,
    track_rows,
)

MONTHS = (JANUARY, FEBRUARY, MARCH, APRIL)
ORACLE = """
with told as (
  select p.*, t.artist_id, t.genre, t.known,
    coalesce((select sum(a.plays) from anyone a
              where a.track_id = p.track_id and a.month < p.month), 0) as prior,
    exists (select 1 from likes l where l.user_id = p.user_id and l.track_id = p.track_id
            and l.month < p.month) as liked_before,
    not exists (select 1 from plays q join tracks s using (track_id)
                where q.user_id = p.user_id and s.artist_id = t.artist_id
                and q.month < p.month) as new
  from plays p left join tracks t using (track_id)
), genres as (
  select user_id, month, max(many) as most from (
    select user_id, month, genre, sum(plays) as many from told where genre is not null group by all
  ) group by all
), summed as (
  select user_id, month,
    count(distinct artist_id) filter (new and artist_id is not null) as new_artists,
    coalesce(sum(plays * prior) filter (known), 0)::bigint as prior,
    coalesce(sum(plays) filter (known), 0)::bigint as prior_known,
    sum(case when liked_before then plays else liked_plays end)::bigint as liked_plays,
    count(distinct track_id) as tracks, count(distinct artist_id) as artists,
    coalesce(sum(plays) filter (genre is null), 0)::bigint as genreless
  from told group by all
)
select m.user_id, m.month, coalesce(new_artists, 0) as new_artists, m.plays,
  coalesce(prior, 0) as prior,
  coalesce(prior_known, 0) as prior_known, coalesce(liked_plays, 0) as liked_plays,
  coalesce(tracks, 0) as tracks, coalesce(artists, 0) as artists,
  coalesce(most, 0)::bigint as most_of_a_genre, coalesce(genreless, 0) as genreless,
  min(first_event_at) over (partition by user_id) as debut_us,
  case when new_artists > 0 then epoch_us(m.month + interval 1 month) // 1000 else 0 end
    as debuts_before
from months m left join summed using (user_id, month) left join genres using (user_id, month)
order by m.month, m.user_id
"""


def small_world() -> World:
    """User 1 likes T0000 in January and plays it since; user 2 has a stray, and months without a play."""
    return World(
        pl.DataFrame(
            [
                (1, JANUARY, start_micros(JANUARY) + 7, 5),
                (1, FEBRUARY, start_micros(FEBRUARY) + 7, 3),
                (1, APRIL, start_micros(APRIL) + 7, 2),
                (2, FEBRUARY, start_micros(FEBRUARY), 4),
                (2, MARCH, start_micros(MARCH), 0),
            ],
            ["user_id", "month", "first_event_at", "plays"],
            orient="row",
        ),
        pl.DataFrame(
            [
                (1, JANUARY, "T0000", 4, 1),
                (1, JANUARY, "T0010", 1, 0),  # not known
                (1, FEBRUARY, "T0000", 2, 0),
                (1, FEBRUARY, "T0001", 1, 0),  # of the same artist
                (1, APRIL, "T0004", 2, 2),
                (2, FEBRUARY, "S1", 3, 1),
                (2, FEBRUARY, "T0011", 1, 0),  # without artist
            ],
            ["user_id", "month", "track_id", "plays", "liked_plays"],
            orient="row",
        ),
        pl.DataFrame(
            [
                (1, JANUARY, "T0000", start_micros(JANUARY) + 50),
                (1, FEBRUARY, "T0000", start_micros(FEBRUARY) + 50),
                (2, MARCH, "S1", start_micros(MARCH) + 9),
            ],
            ["user_id", "month", "track_id", "liked_at"],
            orient="row",
        ),
        pl.DataFrame(
            [(JANUARY, "T0000", 10), (FEBRUARY, "T0000", 100), (JANUARY, "T0011", 6), (APRIL, "T0004", 9)],
            ["month", "track_id", "plays"],
            orient="row",
        ),
        track_rows(),
    )


def oracle_of(world: World) -> pl.DataFrame:
    """The measures from identifiers, in SQL."""
    with duckdb.connect() as connection:
        for each in fields(World):
            connection.register(each.name, getattr(world, each.name).to_arrow())
        return connection.sql(ORACLE).pl()
