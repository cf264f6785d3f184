"""What can be told of a line before its meaning."""

import pytest
from deliveries import lines_of
from pyspark.sql import functions as F

from pozytywka_spark.ingest.contracts import ARTISTS, SESSIONS, TRACKS
from pozytywka_spark.ingest.lines import parse

TAIL = '"track_id": "a", "event_type": "PLAY", "session_id": 1}'
GOOD = '{"timestamp": "2023-01-01T00:00:00", "user_id": 1, ' + TAIL

# line, fault, the field or limit it names, fields absent, fields unknown
LINES = [
    (GOOD, None, None, None, None),
    ("\ufeff" + GOOD, None, None, None, None),
    (GOOD.replace(": 1,", ": null,"), None, None, [], []),
    (GOOD.replace(": 1,", ': "1",'), "wrong_type", "user_id", [], []),
    (GOOD.replace(": 1,", ": 1.5,"), "wrong_type", "user_id", [], []),
    (GOOD.replace(": 1,", ": 1e400,"), "wrong_type", "user_id", [], []),
    (GOOD.replace(": 1,", ": 99999999999999999999,"), "wrong_type", "user_id", [], []),
    (GOOD.replace(": 1,", ": NaN,"), "malformed", None, None, None),
    (GOOD.replace('"a"', "7"), "wrong_type", "track_id", [], []),
    (GOOD.replace('"a"', '"7"'), None, None, [], []),
    (GOOD.replace('"a"', "-1"), None, None, [], []),
    (GOOD.replace('"a"', '{"id": "a"}'), "wrong_type", "track_id", [], []),
    (GOOD.replace('"PLAY"', "true"), "wrong_type", "event_type", [], []),
    (GOOD.replace('"user_id"', '"userId"'), None, None, ["user_id"], ["userId"]),
    (GOOD[:-1] + ', "mood": {"track_id": 5}}', "wrong_type", "track_id", [], ["mood"]),
    (GOOD[:-1] + ', "mood": [1, {"x": "}{"}]}', "malformed", None, [], ["mood"]),
    (GOOD[:-1] + ', "mood": "sad"}', None, None, [], ["mood"]),
    (GOOD + GOOD, "malformed", None, [], []),
    (GOOD + " ", None, None, None, None),
    (GOOD + " x", "malformed", None, [], []),
    (GOOD[:40], "malformed", None, None, None),
    ("{", "malformed", None, None, None),
    ("null", "malformed", None, None, None),
    ("[" + GOOD + "]", "malformed", None, None, None),
    ("\x00\x01", "malformed", None, None, None),
    (GOOD[:-1] + ', "deep": ' + "[" * 1500 + "]" * 1500 + "}", "malformed", None, None, None),
    (GOOD[:-1] + ', "pad": "' + "x" * 5000 + '"}', "too_long", "at most 4096 bytes a line", None, None),
]


def test_each_odd_line_is_told_from_a_sound_one(spark) -> None:
    lines = lines_of(spark, [line for line, *_ in LINES])
    parsed = parse(lines, SESSIONS, 4096).orderBy("source_order")
    found = [tuple(r) for r in parsed.select("fault", "fault_rule", "absent", "unknown").collect()]
    assert found == [tuple(expected) for _, *expected in LINES]


def test_bytes_that_are_not_utf8_are_told(spark) -> None:
    lines = lines_of(spark, [GOOD]).withColumn("value", F.expr("cast(unhex('7BFF7D') as string)"))
    assert parse(lines, SESSIONS, 4096).select("fault").first()[0] == "invalid_utf8"


@pytest.mark.parametrize(
    ("contract", "line", "fault", "rule"),
    [
        (ARTISTS, '{"id": -1, "name": "x", "genres": null}', None, None),
        (ARTISTS, '{"id": "a", "name": "1999", "genres": ["b"]}', None, None),
        (ARTISTS, '{"id": "a", "name": "x", "genres": "rock"}', "wrong_type", "genres"),
        (ARTISTS, '{"id": "a", "name": ["x"], "genres": {"a": 1}}', "wrong_type", "name, genres"),
        (TRACKS, '{"id": "a", "explicit": true, "tempo": "fast"}', "wrong_type", "explicit, tempo"),
    ],
)
def test_types_of_the_catalogue(spark, contract, line, fault, rule) -> None:
    row = parse(lines_of(spark, [line]), contract, 4096).select("fault", "fault_rule").first()
    assert tuple(row) == (fault, rule)
