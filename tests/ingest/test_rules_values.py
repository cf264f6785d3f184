"""From raw values to silver ones: each literal beside what it becomes."""

from datetime import date, datetime, timedelta

import pytest

from pozytywka_spark.ingest.validate.rules import times
from pozytywka_spark.ingest.validate.rules.identifiers import number_id, text_id
from pozytywka_spark.ingest.validate.rules.sessions import event_type
from tests.ingest.rule_rows import EPOCH, EVENT, judged, silver, track


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
