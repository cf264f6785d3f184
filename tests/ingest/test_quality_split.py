"""Checks of random worlds, cut into files, months, buckets, tasks and slices at random; no Spark.

However silver is cut, a look at it sees the same; and what it sees is what DuckDB counts of the whole.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pozytywka_spark.ingest.quality import catalogue_partials, event_partials, key_parcels
from pozytywka_spark.names import AUDIO_FEATURES, EVENT_TYPES
from tests.worlds.quality_worlds import looked_at, silver_frame

BEGIN = datetime(2023, 1, 1, tzinfo=UTC)
USERS, TRACKS = st.integers(0, 6), st.sampled_from([f"t{n}" for n in range(5)])
ARTISTS, NAMES = st.sampled_from("abc"), st.sampled_from(["x", "y", "z", None])
KINDS = st.sampled_from([*EVENT_TYPES, "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"])


@st.composite
def events(draw):
    rows = []
    for place in range(draw(st.integers(0, 40))):
        # few moments, so that many events share theirs, across months and days
        day, hour = draw(st.sampled_from([0, 0, 29, 31, 32, 59])), draw(st.integers(0, 3))
        time = BEGIN + timedelta(days=day, hours=hour)
        kind, user, session = draw(KINDS), draw(USERS), draw(st.integers(0, 8))
        track = None if kind in ("ADVERTISEMENT", "BUY_PREMIUM") else draw(TRACKS)
        month, repaired = time.date().replace(day=1), draw(st.booleans())
        rows.append((b"%016d" % place, time, kind, user, session, track, repaired, None, month, user % 3))
    return rows


@st.composite
def worlds(draw):
    sized = {"min_size": 0, "max_size": 6}
    track = st.tuples(
        TRACKS, NAMES, st.one_of(st.none(), st.integers(0, 20)), st.integers(1, 900_000), st.booleans(),
        st.one_of(st.none(), ARTISTS), st.just(date(2011, 1, 1)), st.just("day"), st.just(1),
        *(st.sampled_from([None, 0.0, 0.5, -7.25]) for _ in AUDIO_FEATURES),
    )  # fmt: skip
    stored = st.tuples(TRACKS, st.sampled_from(["SLOW", "FAST"]), st.just(0.1))
    flag, genres = st.sampled_from([None, True, False]), st.sampled_from([None, ["a"], ["a", "b", "c"]])
    rows = {
        "users": draw(st.lists(st.tuples(USERS, NAMES, genres, flag), unique_by=lambda row: row[0], **sized)),
        "artists": draw(st.lists(st.tuples(ARTISTS, NAMES, genres), unique_by=lambda row: row[0], **sized)),
        "tracks": draw(st.lists(track, unique_by=lambda row: row[0], **sized)),
        "track_storage": draw(st.lists(stored, unique_by=lambda row: row[0], **sized)),
        "events": draw(events()),
    }  # fmt: skip
    absent = draw(st.sets(st.sampled_from(list(rows)), max_size=2))
    return {name: silver_frame(name, mine) for name, mine in rows.items() if name not in absent}


# (check): how many of it are found, among which rows, of the whole tables
COUNTED = {
    ("users", "premium without purchase"): ("premium_user and bought = 0", "lives"),
    ("users", "purchase without premium"): ("not premium_user and bought > 0", "lives"),
    ("users", "several purchases"): ("bought > 1", "lives"),
    ("users", "without events"): ("done = 0", "lives"),
    ("events", "user unknown"): ("user_id not in (select user_id from users)", "events"),
    ("events", "track unknown"): ("track_id not in (select id from tracks)", "with_track"),
    ("tracks", "never played"): ("id not in (select track_id from plays)", "tracks"),
    ("tracks", "storage unknown"): ("id not in (select track_id from track_storage)", "tracks"),
    ("tracks", "artist unknown"): (
        "id_artist is not null and id_artist not in (select id from artists)", "tracks"
    ),
    ("track_storage", "track unknown"): ("track_id not in (select id from tracks)", "track_storage"),
    ("tracks", "name shared"): (
        "(select count(*) from tracks as others where others.name = tracks.name) > 1", "tracks"
    ),
    ("artists", "name shared"): (
        "(select count(*) from artists as others where others.name = artists.name) > 1", "artists"
    ),
    ("events", "like repeated"): ("times > 1", "likes"),
    ("events", "advert after the purchase"): ("event_time > bought_at", "adverts"),
    ("events", "session of several users"): ("users > 1", "sessions"),
}  # fmt: skip
VIEWS = {
    "plays": "from events where event_type = 'PLAY'",
    "with_track": "from events where track_id is not null",
    "likes": "select count(*) as times from events where event_type = 'LIKE' group by user_id, track_id",
    "sessions": "select count(distinct user_id) as users from events group by session_id",
    "adverts": "select event_time, (select min(event_time) from events as b where b.user_id = events.user_id "
    "and b.event_type = 'BUY_PREMIUM') as bought_at from events where event_type = 'ADVERTISEMENT'",
    "lives": "select premium_user, count(event_id) as done, "
    "count(*) filter (event_type = 'BUY_PREMIUM') as bought "
    "from users left join events using (user_id) group by user_id, premium_user",
}
NEEDED = {"plays": ["events"], "with_track": ["events"], "likes": ["events"], "sessions": ["events"],
          "adverts": ["events"], "lives": ["users", "events"]}  # fmt: skip


def counted_by_duckdb(tables: dict[str, pl.DataFrame]) -> dict[tuple[str, str], tuple[int, int]]:
    """Rows and total of each check whose tables are there."""
    found = {}
    with duckdb.connect() as db:
        for name, frame in tables.items():
            db.register(name, frame.to_arrow())
        there = set(tables)
        for name, query in VIEWS.items():
            if there.issuperset(NEEDED[name]):
                db.execute(f"create view {name} as {query}")
                there.add(name)
        for check, (wrong, rows) in COUNTED.items():
            if there.issuperset([rows, *re.findall(r"from (\w+)", wrong)]):
                query = f"select count(*) filter ({wrong}), count(*) from {rows}"
                found[check] = db.execute(query).fetchone()
    return found


@pytest.mark.thorough
@hypothesis_settings(max_examples=40)
@given(st.data())
def test_however_silver_is_cut_it_is_seen_the_same(data: st.DataObject) -> None:
    tables = data.draw(worlds())
    whole = looked_at(tables)
    found = {(f.entity, f.check): (f.rows, f.total) for f in whole.findings}
    expected = counted_by_duckdb(tables)
    assert {key: found[key] for key in expected} == expected

    places = data.draw(st.randoms(use_true_random=False))
    chosen = {name: [places.randrange(4) for _ in range(frame.height)] for name, frame in tables.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_parcels, "SLICE_ROWS", data.draw(st.integers(1, 20)))
        chunk_rows = data.draw(st.integers(1, 20))
        for partials in (event_partials, catalogue_partials):
            patch.setattr(partials, "CHUNK_ROWS", chunk_rows)
        cut = looked_at(tables, cut=lambda name, row: chosen[name][row], slots=data.draw(st.integers(1, 3)))
    assert cut == whole


@pytest.mark.thorough
@given(events())
def test_days_months_and_lengths_of_sessions(rows: list[tuple]) -> None:
    tables = {"events": silver_frame("events", rows)}
    seen = looked_at(tables)
    if not rows:
        assert (seen.span, seen.months, seen.sessions) == (None, {}, {})
        return
    assert seen.span is not None
    days = [row[1].date() for row in rows]
    assert seen.span.days == {day: days.count(day) for day in days}
    months = {row[8] for row in rows if seen.span.span.holds(row[8])}
    assert seen.months == {
        kind: counts
        for kind in EVENT_TYPES
        if (counts := [(m, n) for m in sorted(months) if (n := sum((r[2], r[8]) == (kind, m) for r in rows))])
    }
    sessions = [row[4] for row in rows]
    lengths = [sessions.count(session) // 5 * 5.0 for session in set(sessions)]
    assert seen.sessions == {"all": [(low, lengths.count(low)) for low in sorted(set(lengths))]}
