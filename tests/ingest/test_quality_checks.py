"""Checks of silver on tables of a few rows, each with its own thing wrong; no Spark."""

from datetime import UTC, date, datetime

import pytest

from pozytywka_spark.ingest.quality import catalogue_partials, event_partials, key_parcels
from pozytywka_spark.names import AUDIO_FEATURES
from pozytywka_spark.schemas import TRACKS
from tests.worlds.quality_worlds import looked_at, silver_frame


def track(key, artist="a", **changes):
    base = {"id": key, "name": "n", "popularity": 7, "duration_ms": 200_000, "explicit": False,
            "id_artist": artist, "release_date": date(2011, 1, 1), "release_date_precision": "day", "key": 1,
            **dict.fromkeys(AUDIO_FEATURES, 0.5), "loudness": -7.0, "tempo": 120.0}  # fmt: skip
    return tuple((base | changes)[name] for name in TRACKS.columns)


def event(minute, kind, user, session, track=None, repaired=False, month=1):
    time = datetime(2023, month, 1, 10, minute, tzinfo=UTC)
    reason = "user_from_session" if repaired else None
    key = f"e{session}-{minute}".encode()
    return (key, time, kind, user, session, track, repaired, reason, date(2023, month, 1), user % 2)


def tables():
    silent = dict.fromkeys(AUDIO_FEATURES)
    rows = {
        "users": [(1, "Radom", ["a", "b", "c"], True), (2, "Opole", None, None), (3, None, ["a"], False),
                  (4, "Radom", ["a", "b", "c"], True)],
        "artists": [("a", "x", None), ("b", "x", ["folk"])],
        "tracks": [track("t1"), track("t2", None, name="m", popularity=0, instrumentalness=0.0),
                   track("t3", "nobody", release_date_precision="year", loudness=0.1, **{"tempo": None}),
                   track("t4", release_date=None, duration_ms=7_200_001, **silent)],
        "track_storage": [("t1", "SLOW", 0.1), ("t2", "FAST", 0.2), ("t9", "SLOW", 0.1)],
        "events": [event(0, "PLAY", 1, 10, "t1"), event(1, "LIKE", 1, 10, "t1"),
                   event(2, "LIKE", 1, 10, "t1"), event(3, "BUY_PREMIUM", 1, 10),
                   event(3, "ADVERTISEMENT", 1, 11), event(4, "ADVERTISEMENT", 1, 11, repaired=True),
                   event(5, "PLAY", 9, 12, "t8", month=2), event(6, "SKIP", 3, 12, "t8", month=2),
                   event(7, "BUY_PREMIUM", 3, 13, month=2), event(8, "BUY_PREMIUM", 3, 13, month=2)],
    }  # fmt: skip
    return {name: silver_frame(name, mine) for name, mine in rows.items()}


WRONG = {
    ("users", "favourite genres null"): (1, 4), ("users", "premium flag null"): (1, 4),
    ("users", "premium flag false"): (1, 4), ("users", "premium without purchase"): (1, 4),
    ("users", "purchase without premium"): (1, 4), ("users", "several purchases"): (1, 4),
    ("users", "without events"): (2, 4), ("users", "other than 3 favourite genres"): (1, 4),
    ("users", "class premium"): (2, 4), ("users", "column city"): (1, 4),
    ("artists", "genres null"): (1, 2), ("artists", "name shared"): (2, 2),
    ("tracks", "artist null"): (1, 4), ("tracks", "artist unknown"): (1, 4),
    ("tracks", "storage unknown"): (2, 4),
    ("tracks", "audio features unknown"): (1, 4), ("tracks", "tempo unknown"): (2, 4),
    ("tracks", "louder than 0 dB"): (1, 4), ("tracks", "instrumentalness zero"): (1, 4),
    ("tracks", "popularity zero"): (1, 4), ("tracks", "release date to the year"): (1, 4),
    ("tracks", "release date to the month"): (0, 4), ("tracks", "release date null"): (1, 4),
    ("tracks", "longer than 2 hours"): (1, 4), ("tracks", "never played"): (3, 4),
    ("tracks", "name shared"): (3, 4),
    ("track_storage", "class SLOW"): (2, 3), ("track_storage", "class MEDIUM"): (0, 3),
    ("track_storage", "class FAST"): (1, 3), ("track_storage", "track unknown"): (1, 3),
    ("events", "user unknown"): (1, 10), ("events", "track unknown"): (2, 5),
    ("events", "class PLAY"): (2, 10),
    ("events", "class SKIP"): (1, 10), ("events", "class LIKE"): (2, 10), ("events", "adverts"): (2, 10),
    ("events", "purchases"): (3, 10), ("events", "repaired"): (1, 10),
    ("events", "advert or purchase without track"): (5, 10), ("events", "like repeated"): (1, 1),
    ("events", "advert after the purchase"): (1, 2), ("events", "session of several users"): (1, 4),
    ("events", "months of history"): (2, 10), ("events", "column track_id"): (5, 10),
}  # fmt: skip


# a table as one file; or each row in a file and chunk of its own, two tasks and a slice for each row
WAYS = {"whole": (None, 1, 2_000_000), "cut": (lambda table, place: place, 2, 1)}


@pytest.fixture(params=WAYS)
def look_at(request, monkeypatch):
    cut, slots, slice_rows = WAYS[request.param]
    monkeypatch.setattr(key_parcels, "SLICE_ROWS", slice_rows)
    for partials in (event_partials, catalogue_partials):
        monkeypatch.setattr(partials, "CHUNK_ROWS", slice_rows)
    return lambda tables: looked_at(tables, cut=cut, slots=slots)


@pytest.mark.thorough
def test_each_check_finds_what_is_wrong(look_at) -> None:
    seen = look_at(tables())
    found = {(f.entity, f.check): (f.rows, f.total) for f in seen.findings}
    assert {key: found[key] for key in WRONG} == WRONG
    # nothing was found that this test doesn't know, but for nulls told column by column
    others = {key for key, (rows, _) in found.items() if rows and not key[1].startswith("column ")}
    assert others <= WRONG.keys()
    told = {(f.entity, f.check): f for f in seen.findings}
    assert len(told) == len(seen.findings)
    assert told["events", "user unknown"].examples == ("9",)
    assert told["events", "user unknown"].severity == "error"
    assert told["tracks", "release date to the month"].severity == "ok"
    assert told["tracks", "column duration_ms"].meaning == "null; values from 200000 to 7200001"
    assert seen.months["PLAY"] == [(date(2023, 1, 1), 1), (date(2023, 2, 1), 1)]
    assert seen.sessions == {"premium": [(0.0, 2)], "others": [(0.0, 2)]}
    assert dict(seen.tracks["popularity"]) == {0.0: 1, 5.0: 3}


def test_tables_that_are_not_there_are_not_held_against_the_others(look_at) -> None:
    there = tables()
    alone = look_at({"tracks": there["tracks"]})
    found = {f.check: f.rows for f in alone.findings if f.severity != "ok"}
    assert "never played" not in found
    assert "storage unknown" not in found
    assert (alone.months, alone.sessions) == ({}, {})
    assert look_at({}).findings == ()


def test_a_table_without_rows_is_there_all_the_same(look_at) -> None:
    seen = look_at({name: frame.head(0) for name, frame in tables().items()})
    assert {f.check for f in seen.findings} == {
        f.check for f in looked_at(tables()).findings if "the data's" not in f.check
    }
    assert {(f.rows, f.total) for f in seen.findings} == {(0, 0)}
    assert (seen.span, seen.months, seen.sessions, seen.tracks) == (None, {}, {}, {})


def test_users_that_nothing_is_known_of_are_the_events_own_matter(look_at) -> None:
    seen = look_at({"events": tables()["events"]})
    found = {f.check: (f.rows, f.total) for f in seen.findings}
    assert "user unknown" not in found
    assert found["advert after the purchase"] == (1, 2)
    assert found["like repeated"] == (1, 1)
    assert seen.sessions == {"all": [(0.0, 4)]}


def test_adverts_are_late_from_the_first_purchase_on_in_its_month_and_later_ones(look_at) -> None:
    # minute, type, user, month; late: after 1's purchase in its month, and both of March
    did = [(0, "ADVERTISEMENT", 1, 1), (0, "ADVERTISEMENT", 1, 2), (1, "BUY_PREMIUM", 1, 2),
           (1, "ADVERTISEMENT", 1, 2), (2, "ADVERTISEMENT", 1, 2), (3, "BUY_PREMIUM", 1, 3),
           (2, "ADVERTISEMENT", 1, 3),
           (4, "ADVERTISEMENT", 1, 3), (5, "ADVERTISEMENT", 2, 3)]  # fmt: skip
    rows = [event(minute, kind, user, 10 * month, month=month) for minute, kind, user, month in did]
    found = {f.check: (f.rows, f.total) for f in look_at({"events": silver_frame("events", rows)}).findings}
    assert found["advert after the purchase"] == (3, 7)
    assert found["session of several users"] == (1, 3)


def test_what_has_no_name_is_nobodys_namesake(look_at) -> None:
    rows = [track("t1", name=None), track("t2", name=None), track("t3", name="n"), track("t4", name="n")]
    found = {f.check: f for f in look_at({"tracks": silver_frame("tracks", rows)}).findings}
    assert (found["name shared"].rows, found["name shared"].examples) == (2, ("t3", "t4"))
