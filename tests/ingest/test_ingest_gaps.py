"""Order proves nothing where a row may be missing: in which sessions, and what is repaired all the same."""

import json

from test_ingest_repair import raw, resolve

from pozytywka_spark.ingest.gaps import told_by, with_gaps

_TIME = '{"timestamp": "2023-01-01T10:00:00.5", "user_id": 1, '


def test_what_a_rejected_line_tells_of_its_place(spark) -> None:
    cases = [
        # raw text; session, else time, else file
        (_TIME + '"session_id": 7}', 7, None, None),
        (_TIME + '"session_id":7 , "event_ty', 7, None, None),
        (_TIME + '"event_type": "PLAY", "session_id": 12', None, "2023-01-01 10:00:00.5", None),  # or 123?
        (_TIME + '"session_id": "7"}', None, "2023-01-01 10:00:00.5", None),
        ('{"timestamp": "2023-02-30T10:00:00", "session_id": null}', None, None, "f"),
        ("nonsense", None, None, "f"),
        ("", None, None, "f"),
    ]
    df = spark.createDataFrame(
        [(text, "f", n) for n, (text, *_) in enumerate(cases)], "raw string, source_file string, n int"
    )
    told = told_by(df).selectExpr("lost_session", "cast(lost_time as string)", "lost_file").collect()
    assert [tuple(row) for row in told] == [tuple(expected) for _, *expected in cases]


def test_a_line_of_two_objects_has_lost_a_row_of_each_session(spark) -> None:
    """What the second object tells counts as much as what the first does."""
    first, second = _TIME + '"session_id": 7}', '{"timestamp": "2023-01-01T11:00:00", "session_id": 8'
    cases = [
        (f"{first},{second}}}", {(7, None), (8, None)}),
        (f"{first};{first}", {(7, None), (None, "2023-01-01 10:00:00.5")}),
        (f"{first}{second}", {(7, None), (None, "2023-01-01 10:00:00.5"), (None, "2023-01-01 11:00:00")}),
    ]
    for text, expected in cases:
        df = spark.createDataFrame([(text, "f")], "raw string, source_file string")
        told = told_by(df).selectExpr("lost_session", "cast(lost_time as string)").collect()
        assert {tuple(row) for row in told} == expected


def test_sessions_that_may_lack_a_row(spark) -> None:
    rows = spark.createDataFrame(
        [
            # session, time, file, expected
            (1, "2023-01-01 06:00:00", "a", True),  # told by name
            (2, "2023-01-01 08:00:00.5", "a", True),  # two hours before what was lost, to the instant
            (2, "2023-01-01 05:00:00", "a", True),  # and so is the rest of its session
            (3, "2023-01-01 08:00:00.4", "a", False),
            (4, "2023-01-01 12:00:00.5", "a", True),
            (5, "2023-01-01 12:00:00.6", None, False),
            (6, "2023-03-01 12:00:00", "b", True),  # its file has a line that tells nothing
            (7, "2023-03-01 12:00:00", None, False),
            (8, "2023-03-01 12:00:00", "a", False),
        ],
        "session_id bigint, t string, source_file string, expected boolean",
    ).selectExpr("session_id", "cast(t as timestamp) as event_time", "source_file", "expected")  # fmt: skip
    lost = spark.createDataFrame(
        [(1, None, None), (None, "2023-01-01 10:00:00.5", None), (None, None, "b"), (99, None, None)],
        "lost_session bigint, t string, lost_file string",
    ).selectExpr("lost_session", "cast(t as timestamp) as lost_time", "lost_file")
    found = with_gaps(rows, lost).collect()
    assert len(found) == 9
    assert [row for row in found if row["gaps"] != row["expected"]] == []
    assert [row["gaps"] for row in with_gaps(rows, None).collect()] == [False] * 9


# what is lost of the session, as a line or none; what becomes of the rows without user, type and track
_PLAYS = [(0, "PLAY", "a", 1), (20, None, "a", 1), (20, "PLAY", "b", None), (30, "LIKE", None, 1)]
_REPAIRED = ["repaired", "repaired", "repaired"]
_CAUTIOUS = ["unknown_event", "repaired", "unknown_track"]


def test_only_the_user_is_told_where_a_row_is_missing(spark) -> None:
    day = 86_400
    lost = {
        0: None,
        1: json.dumps(raw(1, [(day + 10, "NAP", "a", 1)])[0]),
        2: json.dumps(raw(2, [(2 * day + 10, "LIKE", "a", 1)])[0])[:-1],
        3: json.dumps(raw(3, [(9 * day, "LIKE", "a", 1)])[0])[:-1],  # of another time
    }
    expected = {0: _REPAIRED, 1: _CAUTIOUS, 2: _CAUTIOUS, 3: _REPAIRED}
    rows = [line for line in lost.values() if line]
    for session in lost:
        rows += raw(session, [(session * day + s, *cells) for s, *cells in _PLAYS])
    assert fates(resolve(spark, rows), expected) == expected
    # told by an earlier batch it is the same, and a line that tells nothing speaks for its whole file
    before = spark.createDataFrame(
        [(lost[1], "f", "q")], "raw string, source_file string, quarantine_id string"
    )
    sound = [row for row in rows if not isinstance(row, str)]
    assert fates(resolve(spark, sound, quarantine=before), expected) == {
        session: _CAUTIOUS if session == 1 else _REPAIRED for session in lost}  # fmt: skip
    assert fates(resolve(spark, [*sound, "{"]), expected) == dict.fromkeys(lost, _CAUTIOUS)


def fates(resolved, sessions):
    """Of each session: what became of its incomplete rows, in order."""
    rows = resolved.where("outcome != 'kept'").orderBy("source_order").collect()
    found = {session: [] for session in sessions}
    for row in rows:
        session = row["session_id"] if row["session_id"] is not None else _session(row["raw"])
        if row["reason"] not in ("malformed", "unknown_event_type"):
            found[session].append("repaired" if row["outcome"] == "repaired" else row["reason"])
    return found


def _session(text):
    try:
        return json.loads(text)["session_id"]
    except json.JSONDecodeError:
        return None
