"""Checks of random worlds, cut into files, months, buckets, tasks and slices at random; no Spark.

However silver is cut, a look at it sees the same; and what it sees is what DuckDB counts of the whole.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
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
TRACKS, NAMES = [f"t{n}" for n in range(5)], ["x", "y", "z", None]
KINDS = [*EVENT_TYPES, "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"]
SEEDS = st.integers(0, 2**32 - 1)


def events(dice: random.Random, many: int) -> list[tuple]:
    rows = []
    for place in range(many):
        # few moments, so that many events share theirs, across months and days
        day, hour = dice.choice([0, 0, 29, 31, 32, 59]), dice.randint(0, 3)
        time = BEGIN + timedelta(days=day, hours=hour)
        kind, user, session = dice.choice(KINDS), dice.randint(0, 6), dice.randint(0, 8)
        track = None if kind in ("ADVERTISEMENT", "BUY_PREMIUM") else dice.choice(TRACKS)
        month, repaired = time.date().replace(day=1), dice.random() < 0.5
        rows.append((b"%016d" % place, time, kind, user, session, track, repaired, None, month, user % 3))
    return rows


def world(dice: random.Random, many: int) -> dict[str, pl.DataFrame]:
    """So many events, and up to six rows of each other table; up to two tables are absent."""

    def some(keys: Sequence[object]) -> list[object]:
        return dice.sample(keys, dice.randint(0, min(6, len(keys))))

    def track(key: object) -> tuple:
        return (
            key, dice.choice(NAMES), dice.choice([None, dice.randint(0, 20)]), dice.randint(1, 900_000),
            dice.random() < 0.5, dice.choice([None, *"abc"]), date(2011, 1, 1), "day", 1,
            *(dice.choice([None, 0.0, 0.5, -7.25]) for _ in AUDIO_FEATURES),
        )  # fmt: skip

    def genres() -> list[str] | None:
        return dice.choice([None, ["a"], ["a", "b", "c"]])

    rows = {
        "users": [
            (key, dice.choice(NAMES), genres(), dice.choice([None, True, False])) for key in some(range(7))
        ],
        "artists": [(key, dice.choice(NAMES), genres()) for key in some("abc")],
        "tracks": [track(key) for key in some(TRACKS)],
        "track_storage": [(key, dice.choice(["SLOW", "FAST"]), 0.1) for key in some(TRACKS)],
        "events": events(dice, many),
    }
    absent = dice.sample(list(rows), dice.randint(0, 2))
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
@hypothesis_settings(max_examples=10)
@given(SEEDS, st.integers(0, 80))
def test_however_silver_is_cut_it_is_seen_the_same(seed: int, many: int) -> None:
    dice = random.Random(seed)
    tables = world(dice, many)
    whole = looked_at(tables)
    found = {(f.entity, f.check): (f.rows, f.total) for f in whole.findings}
    expected = counted_by_duckdb(tables)
    assert {key: found[key] for key in expected} == expected

    chosen = {name: [dice.randrange(4) for _ in range(frame.height)] for name, frame in tables.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_parcels, "SLICE_ROWS", dice.randint(1, 40))
        chunk_rows = dice.randint(1, 40)
        for partials in (event_partials, catalogue_partials):
            patch.setattr(partials, "CHUNK_ROWS", chunk_rows)
        cut = looked_at(tables, cut=lambda name, row: chosen[name][row], slots=dice.randint(1, 3))
    assert cut == whole


@pytest.mark.thorough
@hypothesis_settings(max_examples=15)
@given(SEEDS, st.integers(0, 80))
def test_days_months_and_lengths_of_sessions(seed: int, many: int) -> None:
    rows = events(random.Random(seed), many)
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
