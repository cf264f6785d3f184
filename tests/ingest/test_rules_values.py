"""From raw values to silver ones: each literal beside what it becomes."""

import json
import math
from datetime import UTC, date, datetime, timedelta

import pytest

from pozytywka_spark.ingest.rules import times
from pozytywka_spark.ingest.rules.identifiers import number_id, text_id
from pozytywka_spark.ingest.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.rules.sessions import event_type
from pozytywka_spark.ingest.rules.verdict import Judging

EPOCH = datetime(1970, 1, 1)
ANY_TIME = Judging(2**20)
EVENT = {"timestamp": "2023-01-03T05:09:55", "user_id": 1, "track_id": "t1", "event_type": "PLAY",
         "session_id": 3}  # fmt: skip


def judged(entity, row, judging=ANY_TIME, **options):
    line = row if isinstance(row, str) else json.dumps(row)
    return judge_line(line.encode(), ENTITIES[entity], judging, **options)


def silver(entity, row, **options):
    """Silver columns by name, and the verdict."""
    found = judged(entity, row, **options)
    return dict(zip(ENTITIES[entity].columns, found.columns, strict=True)), found


def micros(time):
    return None if time is None else (time - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("raw", "expected", "note"),
    [("PLAY", "PLAY", None), ("play", "PLAY", "case of event_type"), (" Skip ", "SKIP", "case of event_type"),
     ("advertisment", "ADVERTISEMENT", "spelling of event_type"),
     ("Advertisement", "ADVERTISEMENT", "case of event_type"),
     ("", None, None), ("  ", None, None), (None, None, None), ("PAUSE", "PAUSE", None),
     ("nap", "NAP", None)],
)  # fmt: skip
def test_event_types(raw, expected, note) -> None:
    notes = []
    assert event_type(raw, notes) == expected
    assert notes == ([note] if note else [])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("2023-01-03T05:09:55", datetime(2023, 1, 3, 5, 9, 55)),
     ("2023-01-03T05:14:02.707000", datetime(2023, 1, 3, 5, 14, 2, 707000)),
     ("2023-01-03 05:14:02.7", datetime(2023, 1, 3, 5, 14, 2, 700000)),
     ("2023-01-31T23:59:59.999999", datetime(2023, 1, 31, 23, 59, 59, 999999)),
     ("2023-01-31T23:59:59.9999999", datetime(2023, 1, 31, 23, 59, 59, 999999)),
     ("2023-02-30T00:00:00", None), ("2023-01-03T25:61:00", None), ("2023-01-03", None),
     ("T05:09:55.000000000", None), ("12345-01-03T05:09:55", None), ("1672722595", None), ("", None)],
)  # fmt: skip
def test_event_times(raw, expected) -> None:
    assert times.iso_micros(raw) == micros(expected)


# number or digits, unit, microseconds
EPOCHS = [
    (1672912800, "s", 1672912800000000),
    ("1672912800", "s", 1672912800000000),
    (1672912800.5, "s", 1672912800500000),
    (1672912800.123456, "s", 1672912800123456),
    ("1672912800.1234567", "s", 1672912800123456),
    (1672912800123, "ms", 1672912800123000),
    (1672912800123.0, "ms", 1672912800123000),
    ("1672912800123", "ms", 1672912800123000),
    (1672912800123456, "us", 1672912800123456),
    (0, "s", 0),
    (10**18, "us", 10**18),
    (10**18, "s", None),
    (-1, "s", None),
    ("-1", "s", None),
    ("", "s", None),
    (" 1672912800", "s", None),
    ("1.67e9", "s", None),
    ("٣", "s", None),
    (float("inf"), "s", None),
    (10**400, "s", None),
    (True, "s", None),
]


@pytest.mark.parametrize(("raw", "unit", "expected"), EPOCHS)
def test_numbers_as_times(raw, unit, expected) -> None:
    assert times.epoch_micros(raw, unit) == expected


def test_numbers_are_times_only_where_the_file_counts() -> None:
    number, digits = EVENT | {"timestamp": 1672912800}, EVENT | {"timestamp": "1672912800"}
    assert judged("sessions", number)[1:3] == ("wrong_type", "timestamp")
    assert judged("sessions", digits).reason == "bad_timestamp"
    for row in (number, digits):
        columns, found = silver("sessions", row, unit="s")
        assert (found.reason, columns["event_time"]) == (None, 1672912800_000000)
        assert found.notes == ["timestamp_from_epoch"]
    iso = judged("sessions", EVENT, unit="ms")  # such a row says what it means
    assert (iso.columns, iso.notes) == (judged("sessions", EVENT).columns, None)
    assert judged("sessions", EVENT | {"timestamp": 5}, unit="s").reason == "out_of_range"
    assert judged("sessions", EVENT | {"timestamp": None}, unit="s").reason == "bad_timestamp"
    assert judged("sessions", EVENT | {"timestamp": True}, unit="s")[1:3] == ("wrong_type", "timestamp")
    assert judged("sessions", EVENT | {"user_id": 1.5, "timestamp": 5}, unit="s").rule == "user_id"


@pytest.mark.parametrize(
    ("raw", "expected", "precision"),
    [("2011-05-06", date(2011, 5, 6), "day"), ("2011-05", date(2011, 5, 1), "month"),
     ("2011", date(2011, 1, 1), "year"), ("1900-02-29", None, "day"),
     ("2000-02-29", date(2000, 2, 29), "day"),
     ("2023-02-30", None, "day"), ("2011-13", None, "month"), ("2011-00", None, "month"), ("11", None, None),
     ("2011-5", None, None), (" 2011", None, None), ("2011-05-06T00:00:00", None, None),
     ("٢٠١١", None, "year"), ("", None, None), (None, None, None)],
)  # fmt: skip
def test_release_dates(raw, expected, precision) -> None:
    columns, found = silver("tracks", track(release_date=raw))
    days = None if expected is None else (expected - EPOCH.date()).days
    assert (columns["release_date"], columns["release_date_precision"]) == (days, precision)
    assert found.reason == ("bad_date" if raw is not None and expected is None else None)


_WORDS = ("null", "None", "nan", "NaN", "NULL", "none", " null ")


@pytest.mark.parametrize(
    ("raw", "expected", "notes"),
    [("a", "a", []), ("", None, []), (None, None, []), ("-1", None, ["-1 as x"]), (" -1 ", None, ["-1 as x"]),
     *((word, None, ["null as text in x"]) for word in _WORDS),
     *((blank, None, ["blank x"]) for blank in (" ", "   ", "\t", "\xa0", "\u3000", "\r\n")),
     *((around, "a b", ["blanks around x"]) for around in (" a b", "a b ", "\ta b", "a b\xa0")),
     ("nullable", "nullable", []), ("nan1", "nan1", []), ("a|b", "a|b", [])],
)  # fmt: skip
def test_text_that_names_something_or_nothing(raw, expected, notes) -> None:
    told = []
    assert (text_id(raw, "x", told), told) == (expected, notes)


@pytest.mark.parametrize(
    ("raw", "expected", "notes"),
    [(5, 5, []), (0, 0, []), (None, None, []), (-1, None, ["-1 as x"]), (-7, None, []),
     ("null", None, ["null as text in x"]), (" ", None, ["blank x"]), ("", None, ["blank x"])],
)  # fmt: skip
def test_numbers_that_name_something_or_nothing(raw, expected, notes) -> None:
    told = []
    assert (number_id(raw, "x", told), told) == (expected, notes)


# entity, row, what must become of its identifier
_ARTIST = {"id": "a", "name": "n", "genres": []}
IDENTIFIERS = [
    ("sessions", EVENT, "track_id", None),
    ("sessions", EVENT, "user_id", None),
    ("sessions", EVENT, "session_id", "missing_session_id"),
    ("artists", _ARTIST, "id", "missing_id"),
    ("track_storage", {"track_id": "t", "storage_class": "SLOW", "daily_cost": 1}, "track_id",
     "missing_track_id"),
    ("users", {"user_id": 1, "city": None, "favourite_genres": None, "premium_user": None}, "user_id",
     "missing_user_id"),
]  # fmt: skip


@pytest.mark.parametrize(("entity", "row", "name", "reason"), IDENTIFIERS)
def test_every_identifier_keeps_the_same_rules(entity, row, name, reason) -> None:
    for word in ("null", "None", "NaN", "  "):
        columns, found = silver(entity, row | {name: word})
        note = f"blank {name}" if word.isspace() else f"null as text in {name}"
        assert (columns[name], found.reason) == (None, reason)
        assert note in found.notes
        assert f"null {name}" not in found.notes
    if isinstance(row[name], str):
        columns, found = silver(entity, row | {name: f" {row[name]} "})
        assert (columns[name], found.reason, found.notes[-1]) == (row[name], None, f"blanks around {name}")
        assert judged(entity, row | {name: "a\0b"})[1:3] == (
            "bad_identifier",
            f"{name}: no NUL in an identifier",
        )
        assert judged(entity, row | {name: 7})[1:3] == ("wrong_type", name)
    else:
        assert judged(entity, row | {name: "7"})[1:3] == ("wrong_type", name)


def test_a_track_without_artist_is_kept_and_one_with_a_broken_artist_is_not() -> None:
    for word, note in (
        ("null", "null as text in id_artist"),
        (" ", "blank id_artist"),
        (-1, "-1 as id_artist"),
    ):
        columns, found = silver("tracks", track(id_artist=word))
        assert (columns["id_artist"], found.reason, found.notes) == (None, None, [note])
    assert judged("tracks", track(id_artist="a\0"))[1:3] == (
        "bad_identifier",
        "id_artist: no NUL in an identifier",
    )


def track(**changes):
    audio = dict.fromkeys(("danceability", "energy", "speechiness", "acousticness", "instrumentalness",
                           "liveness", "valence"), 0.5) | {"loudness": -7.0, "tempo": 120.0}  # fmt: skip
    return {"id": "t", "name": "n", "popularity": 1, "duration_ms": 1000, "explicit": 1, "id_artist": "a",
            "release_date": "2011-01", "key": 3, **audio, **changes}  # fmt: skip


_SILENT = dict.fromkeys((name for name, value in track().items() if isinstance(value, float)), 0)
TRACKS = [
    (track(), None, 120.0, 0.5),
    (track(tempo=0), None, None, 0.5),
    (track(**_SILENT), None, None, None),
    (track(key=-1), None, 120.0, 0.5),
    (track(popularity=101), "popularity: from 0 to 100", 120.0, 0.5),
    (track(popularity=-1), "popularity: from 0 to 100", 120.0, 0.5),
    (track(duration_ms=0), "duration_ms: from 1 to 86400000", 120.0, 0.5),
    (track(energy=1.5), "energy: from 0 to 1", 120.0, 1.5),
    (track(energy=1), None, 120.0, 1.0),
    (track(loudness=3.1), None, 120.0, 0.5),
    (track(tempo=400.1), "tempo: from 0 to 400", 400.1, 0.5),
    (track(tempo=10**400), "tempo: from 0 to 400", math.inf, 0.5),
    (track(id=-1), "id: an identifier", 120.0, 0.5),
    (track(id=None), "id: an identifier", 120.0, 0.5),
    (track(id_artist=-1), None, 120.0, 0.5),
    (track(release_date="2011-02-30"), "release_date: YYYY, YYYY-MM or YYYY-MM-DD", 120.0, 0.5),
    (track(explicit=2), "explicit: from 0 to 1", 120.0, 0.5),
    # no JSON, so nothing of the row can be told
    (track(loudness=math.inf), "one JSON object a line; no JSON: a bare Infinity", None, None),
    (track(tempo=math.nan), "one JSON object a line; no JSON: a bare NaN", None, None),
]


@pytest.mark.parametrize(("row", "rule", "tempo", "energy"), TRACKS)
def test_tracks_out_of_range_are_rejected_and_unknown_audio_is_null(row, rule, tempo, energy) -> None:
    columns, found = silver("tracks", row)
    assert (found.rule, columns["tempo"], columns["energy"]) == (rule, tempo, energy)
    assert (found.reason is None) == (rule is None)
    codes = {"id": "missing_id", "release_date": "bad_date", "one JSON object a line; no JSON": "malformed"}
    assert rule is None or found.reason == codes.get(rule.split(":")[0], "out_of_range")


def test_events_that_break_the_contract() -> None:
    rows = [
        (EVENT, None),
        (EVENT | {"event_type": "pause"}, "unknown_event_type"),
        (EVENT | {"timestamp": "2023-02-30T00:00:00"}, "bad_timestamp"),
        (EVENT | {"timestamp": None}, "bad_timestamp"),
        (EVENT | {"timestamp": "1970-01-01T00:00:00"}, "out_of_range"),
        (EVENT | {"timestamp": "2100-01-01T00:00:00"}, "out_of_range"),
        (EVENT | {"session_id": -1}, "missing_session_id"),
        (EVENT | {"event_type": "BUY_PREMIUM"}, "unexpected_track"),
        (EVENT | {"event_type": "BUY_PREMIUM", "track_id": ""}, None),
        (EVENT | {"event_type": "BUY_PREMIUM", "track_id": "null"}, None),
        (EVENT | {"user_id": None, "track_id": None, "event_type": None}, None),
    ]
    assert [judged("sessions", row).reason for row, _ in rows] == [reason for _, reason in rows]
    # "" says that there is no track, a missing one says nothing
    says = [
        silver("sessions", EVENT | {"track_id": raw})[0]["no_track"] for raw in ("", None, " ", "null", "t")
    ]
    assert says == [True, False, False, False, False]


def test_an_event_after_the_limit_lies_in_the_future() -> None:
    limit = Judging(2**20, datetime(2023, 1, 3, 5, 9, 55, 5, tzinfo=UTC))
    told = [
        ("2023-01-03T05:09:55", None),
        ("2023-01-03T05:09:55.000005", None),
        ("2023-01-03T05:09:55.000006", "in_the_future"),
        ("2023-01-03T06:09:55+01:00", None),
        ("2023-01-03T05:09:55-00:01", "in_the_future"),
        ("2031-01-03T05:09:55", "in_the_future"),
        ("2100-01-03T05:09:55", "out_of_range"),
    ]
    assert [judged("sessions", EVENT | {"timestamp": t}, limit).reason for t, _ in told] == [
        r for _, r in told
    ]
    rule = "timestamp: not after 2023-01-03T05:09:55, the time of the ingest and ingest.future_days"
    assert judged("sessions", EVENT | {"timestamp": "2031-01-01T00:00:00"}, limit).rule == rule


def test_only_rows_in_doubt_carry_their_text() -> None:
    rows = [EVENT, EVENT | {"user_id": None}, EVENT | {"event_type": "x"}, EVENT | {"event_type": "skip"},
            EVENT | {"event_type": "SKIP", "track_id": None}]  # fmt: skip
    found = [judged("sessions", row) for row in rows]
    assert [(v.raw is not None, v.line_id is not None) for v in found] == [
        (False, False), (True, True), (True, True), (False, False), (True, True)]  # fmt: skip


def test_storage_classes() -> None:
    row = {"track_id": "t", "storage_class": "slow", "daily_cost": 0.1}
    rows = [row, row | {"storage_class": "ICE"}, row | {"storage_class": None}, row | {"daily_cost": -1},
            row | {"daily_cost": 1_000_000.5}, row | {"storage_class": " Fast "}]  # fmt: skip
    found = [silver("track_storage", each) for each in rows]
    assert [(columns["storage_class"], verdict.reason) for columns, verdict in found] == [
        ("SLOW", None), ("ICE", "unknown_storage_class"), (None, "unknown_storage_class"),
        ("SLOW", "out_of_range"), ("SLOW", "out_of_range"), ("FAST", None),
    ]  # fmt: skip
    assert found[1][1].rule == "storage_class: one of SLOW, MEDIUM, FAST"


def test_rejected_users_keep_no_name_and_no_street() -> None:
    secret, place = "Zdzisława", "Ogrodowa"
    sound = {"user_id": 1, "name": secret, "city": "Radom", "street": f"ul. {place} 5",
             "favourite_genres": ["folk"], "premium_user": True}  # fmt: skip
    text = json.dumps(sound, ensure_ascii=False)
    rows = [
        sound | {"user_id": -1},
        sound | {"user_id": secret},
        sound | {"city": {"street": place}, "user_id": None},
        sound | {"city": f"ul. {place} 5", "user_id": None},
        sound | {"favourite_genres": {"name": secret}},
        sound | {"premium_user": secret},
        sound | {"full name": secret, "user_id": None},
        sound | {"full name": {"first": secret}},
        f'{{"user_id": 5, "name": "{secret}", "street": "{place}',
        f"{secret} {place}",
        f"{text[:-1]}, \"name\": \"{secret}\"}}",
        f"{text[:-1]}, \"{secret}\": 1, \"{secret}\": 2}}",
        f"{text}, {text}",
        f"{secret}: {text}",
    ]  # fmt: skip
    found = [judged("users", row) for row in rows]
    told = " ".join(str((v.raw, v.rule, v.rescued)) for v in found)
    assert secret not in told
    assert place not in told
    assert found[0].raw == (
        '{"user_id":-1,"city":"Radom","favourite_genres":["folk"],"premium_user":true,"name":"***","street":"***"}'
    )
    assert found[7].rescued == '{"full name":"***"}'
    assert found[9].raw == "********* ********"
    assert found[10].rule == "a key once; twice: name"
    assert found[11].rule == "a key once; twice: a key that the contract doesn't know"
    # what is stored of a doubled key is judged again as it was: it doesn't come back with one of its values
    again = [judged("users", v.raw).reason for v in found]
    assert again[10:] == ["duplicate_key", "duplicate_key", "malformed", "malformed"]
