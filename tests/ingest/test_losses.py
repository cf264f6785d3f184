"""Order proves nothing where a row may be missing: what a lost line tells, and which sessions it tears."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.ingest.parcels import LOST_ROWS
from pozytywka_spark.ingest.resolve.missing_rows import losses_of, torn_sessions
from pozytywka_spark.ingest.resolve.older_missing_rows import OlderLosses
from pozytywka_spark.ingest.resolve.rejected import BatchStamp
from tests.in_memory import MemoryFiles

_TIME = '{"timestamp": "2023-01-01T10:00:00.5", "user_id": 1, '
_LOST = datetime(2023, 1, 1, 10, 0, 0, 500_000, UTC)


def micros(time):
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_TIME + '"session_id": 7}', (7, None, None)),
        (_TIME + '"session_id":7 , "event_ty', (7, None, None)),
        (_TIME + '"event_type": "PLAY", "session_id": 12', (None, micros(_LOST), None)),  # or 123?
        (_TIME + '"session_id": "7"}', (None, micros(_LOST), None)),
        (_TIME + '"session_id": 1234567890123456789}', (None, micros(_LOST), None)),
        ('{"timestamp": "2023-02-30T10:00:00", "session_id": null}', (None, None, "f")),
        ('{"timestamp": "10:00:00.0000000000000"', (None, None, "f")),
        ('{"timestamp":\u00a0"2023-01-01T10:00:00"', (None, None, "f")),
        ("nonsense", (None, None, "f")),
        ("", (None, None, "f")),
        (None, (None, None, "f")),
    ],
)
def test_what_a_rejected_line_tells_of_its_place(text, expected) -> None:
    assert losses_of(text, "f") == [expected]


def test_a_line_of_two_objects_has_lost_a_row_of_each_session() -> None:
    """What the second object tells counts as much as what the first does."""
    first, second = _TIME + '"session_id": 7}', '{"timestamp": "2023-01-01T11:00:00", "session_id": 8'
    later = _LOST.replace(hour=11, microsecond=0)
    cases = {
        f"{first},{second}}}": {(7, None, None), (8, None, None)},
        f"{first};{first}": {(7, None, None), (None, micros(_LOST), None)},
        f"{first}{second}": {(7, None, None), (None, micros(_LOST), None), (None, micros(later), None)},
    }
    assert {text: set(losses_of(text, "f")) for text in cases} == cases


def frame_of(rows):
    """Rows of (session, time, place of the file)."""
    schema = {"session_id": pl.Int64, "event_time": pl.Datetime("us", "UTC"), "source": pl.Int32}
    return pl.DataFrame(rows, pl.Schema(schema), orient="row")


def lost(*rows):
    return pl.DataFrame(rows, LOST_ROWS, orient="row")


def test_sessions_that_may_lack_a_row() -> None:
    day, tenth = datetime(2023, 1, 1, tzinfo=UTC), timedelta(milliseconds=100)
    rows = [
        # session, time, file, expected
        (1, day.replace(hour=6), 0, True),  # told by name
        (2, _LOST - timedelta(hours=2), 0, True),  # two hours before what was lost, to the instant
        (2, day.replace(hour=5), 0, True),  # and so is the rest of its session
        (3, _LOST - timedelta(hours=2) - tenth, 0, False),
        (4, _LOST + timedelta(hours=2), 0, True),
        (5, _LOST + timedelta(hours=2) + tenth, None, False),
        (6, day.replace(month=3), 1, True),  # its file has a line that tells nothing
        (7, day.replace(month=3), None, False),
        (8, day.replace(month=3), 0, False),
    ]
    losses = lost((1, None, None), (None, _LOST, None), (None, None, "b"), (99, None, None))
    found = torn_sessions(frame_of([row[:3] for row in rows]), losses, ["a", "b"])
    assert sorted(found) == sorted({session for session, *_, torn in rows if torn})
    assert torn_sessions(frame_of([row[:3] for row in rows]), lost(), ["a", "b"]).to_list() == []


_MINUTES = st.integers(0, 1200)


@pytest.mark.thorough
@given(
    st.lists(st.tuples(st.integers(1, 4), _MINUTES, st.sampled_from([None, 0, 1, 2]))),
    st.lists(
        st.one_of(
            st.tuples(st.integers(1, 5), st.none(), st.none()),
            st.tuples(st.none(), _MINUTES, st.none()),
            st.tuples(st.none(), st.none(), st.sampled_from("abcd")),
        ),
        max_size=3,
    ),
)
def test_torn_sessions_are_those_that_a_plain_loop_finds(rows, losses) -> None:
    start, paths = datetime(2023, 1, 1, tzinfo=UTC), ["a", "b", "c"]
    expected = {
        session
        for session, minute, file in rows
        for name, at, path in losses
        if name == session
        or (at is not None and abs(at - minute) <= 120)
        or (path is not None and file is not None and paths[file] == path)
    }
    at = [(session, start + timedelta(minutes=minute), file) for session, minute, file in rows]
    gone = [(s, None if m is None else start + timedelta(minutes=m), path) for s, m, path in losses]
    assert sorted(torn_sessions(frame_of(at), lost(*gone), paths)) == sorted(expected)


def test_what_quarantine_held_before_tells_unless_it_comes_again() -> None:
    files, columns = MemoryFiles(), ("quarantine_id", "raw", "source_file", "stream", "batch")
    line = '{"session_id": %d}'
    rows = [
        ("a", line % 1, "/d/a", "s", 1),
        ("b", line % 2, "/d/a", "s", 2),  # of this batch
        ("c", line % 3, "/d/a", "s", 1),  # comes again
        ("d", line % 4, "/d/a", None, None),  # of an older release
        ("e", None, "/d/b", "other", 2),
        ("f", _TIME, "/d/b", "s", 1),
        ("g", _TIME, "/d/c", "s", 1),
    ]
    schema = dict.fromkeys(columns[:4], pl.String) | {"batch": pl.Int64}
    held = files.put_file(pl.DataFrame(rows, schema, orient="row"), {"entity": "sessions"})
    again = files.put("rejected", pl.DataFrame({"line_id": ["c", None, "x"]}))
    told = list(OlderLosses(BatchStamp("sessions", "s", 2, 9), (again,))([held], files))
    lost = files.staged("lost")[()]
    assert lost.schema == LOST_ROWS
    assert set(lost.rows()) == {(1, None, None), (4, None, None), (None, None, "/d/b"), (None, _LOST, None)}
    assert told == [{"lost": 4}]
