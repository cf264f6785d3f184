"""Eighty odd lines, a case each: what became of it before the rules were plain Python, and what does now."""

import re
from datetime import datetime, timedelta

import pytest

from pozytywka_spark.ingest.validate.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.validate.rules.verdict import Judging

SESSIONS = ENTITIES["sessions"]
SAME = "as before"
_PLAIN = {"time": "2023-01-05T10:00:00", "type": "PLAY", "user": 101, "track": "trk0000000000000000001"}

# case, what the line is; before and now: why it is rejected, or in what it differs from the plain one.
# Changed are: anything behind the object, keys that come twice, single quotes, words and blanks for
# identifiers, NUL in one, JSON's own white space, and a field's name inside of another value.
CASES = {
    1: ('plain', {}, SAME),
    2: ('duplicate key user_id 101 then 102', {'user': 102}, 'duplicate_key'),
    3: ('duplicate key, odd spacing (101 then 103)', {'user': 103}, 'duplicate_key'),
    5: ('user_id as string', 'wrong_type', SAME),
    6: ('user_id as float 101.0', 'wrong_type', SAME),
    7: ('user_id 1.01e2', 'wrong_type', SAME),
    8: ('int64 max user', {'user': 9223372036854775807}, SAME),
    9: ('beyond int64', 'wrong_type', SAME),
    10: ('user 0', {'user': 0}, SAME),
    11: ('user -7 alone in session', {'user': None}, SAME),
    12: ('user -1 alone', {'user': None, 'notes': '-1 as user_id'}, SAME),
    13: ('Z', {}, SAME),
    14: ('offset: is 31 January 23:30 UTC', {'time': '2023-01-31T23:30:00'}, SAME),
    15: ('offset without colon', {'time': '2023-01-05T04:30:00'}, SAME),
    16: ('epoch millis number', 'wrong_type', SAME),
    17: ('epoch millis text', 'bad_timestamp', SAME),
    18: ('nanoseconds', {'time': '2023-01-05T10:00:00.123456'}, SAME),
    19: ('nanoseconds, same micro as 18 but own session', {'time': '2023-01-05T10:00:00.123456'}, SAME),
    20: ('blank instead of T', {}, SAME),
    21: ('comma fraction', 'bad_timestamp', SAME),
    22: ('Polish date', 'bad_timestamp', SAME),
    23: ('no such leap day', 'bad_timestamp', SAME),
    24: ('leap day', {'time': '2024-02-29T23:59:59.999999'}, SAME),
    25: ('hour 24', 'bad_timestamp', SAME),
    26: ('second 60', 'bad_timestamp', SAME),
    27: ('lower-case t and z', 'bad_timestamp', SAME),
    28: ('no seconds (16 chars)', 'bad_timestamp', SAME),
    29: ('named zone', {'time': '2023-01-05T09:00:00'}, SAME),
    30: ('in the gap of DST', {'time': '2023-03-26T01:30:00'}, SAME),
    31: ('mixed case', {'notes': 'case of event_type'}, SAME),
    32: ('mixed, blanks', {'notes': 'case of event_type'}, SAME),
    33: ('unknown type', 'unknown_event_type', SAME),
    34: ('buy premium, blank', 'unknown_event_type', SAME),
    35: ('BUY-PREMIUM', 'unknown_event_type', SAME),
    36: ('advert lower null track',
         {'type': 'ADVERTISEMENT', 'track': None, 'notes': 'null track_id, case of event_type'}, SAME),
    37: ('two objects with comma between', {}, 'malformed'),
    40: ('one brace too many', {}, 'malformed'),
    42: ('junk behind', {}, 'malformed'),
    43: ('RS before (RFC 7464)', 'malformed', SAME),
    46: ('trailing blank', {}, SAME),
    47: ('trailing tab', 'malformed', {}),
    48: ('trailing comma', 'malformed', SAME),
    49: ('in an array', 'malformed', SAME),
    50: ('nested object with a same-named number', 'wrong_type', {'notes': 'stray context'}),
    51: ('nested, other type', {'notes': 'stray context'}, SAME),
    52: ('text that looks like a field', {'notes': 'stray note'}, SAME),
    53: ('escape in track id', {'track': 'Abc'}, SAME),
    54: ('NUL in track id', {'track': 'a\x00b'}, 'bad_identifier'),
    55: ('bar in track id', {'track': 'a|b'}, SAME),
    56: ('blanks before a track id', {'track': '  trk0000000000000000001'},
         {'notes': 'blanks around track_id'}),
    57: ('text null', {'track': 'null'}, {'track': None, 'notes': 'null as text in track_id'}),
    58: ('text None', {'track': 'None'}, {'track': None, 'notes': 'null as text in track_id'}),
    59: ('null user alone in session', {'user': None, 'notes': 'null user_id'}, SAME),
    60: ('NaN user', 'malformed', SAME),
    61: ('true user', 'wrong_type', SAME),
    62: ('user absent', {'user': None, 'notes': 'null user_id'}, SAME),
    63: ('session id as text', 'wrong_type', SAME),
    64: ('session id 64.0', 'wrong_type', SAME),
    65: ('track id a number', 'wrong_type', SAME),
    66: ('before 2000', 'out_of_range', SAME),
    67: ('2100', 'out_of_range', SAME),
    68: ('last microsecond of January', {'time': '2023-01-31T23:59:59.999999'}, SAME),
    69: ('midnight of 1 February', {'time': '2023-02-01T00:00:00'}, SAME),
    70: ('tenth of a microsecond before', {'time': '2023-01-31T23:59:59.999999'}, SAME),
    71: ('single quotes (Python repr)', {}, 'malformed'),
    72: ('comment inside', 'malformed', SAME),
    73: ('leading zero', 'malformed', SAME),
    74: ('plus sign', 'malformed', SAME),
    75: ('key in capitals', {'user': None, 'notes': 'null user_id, stray USER_ID'}, SAME),
    76: ('duplicate key, then null', 'wrong_type', 'duplicate_key'),
    77: ('duplicate key, text then number', 'malformed', 'duplicate_key'),
    79: ('sign before the year', 'bad_timestamp', SAME),
    80: ('one-digit fields', {'time': '2023-01-05T01:02:03'}, SAME),
    81: ('offset 25 h', 'bad_timestamp', SAME),
    82: ('BOM in the middle', {}, SAME),
    83: ('two objects, nothing between', 'malformed', SAME),
    85: ('a tab only', 'malformed', SAME),
    86: ('NBSP only', 'malformed', SAME),
    87: ('vertical tab behind', 'malformed', SAME),
    88: ('text before', 'malformed', SAME),
    89: ('log prefix', 'malformed', SAME),
}  # fmt: skip


@pytest.fixture(scope="module")
def lines(request):
    """Lines by case; skipped where the files aren't."""
    file = request.config.rootpath.parent / "shared" / "data" / "cases" / "lines" / "sessions.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is not on this machine")
    found = {}
    for line in file.read_bytes().split(b"\n")[:-1]:
        session = re.search(rb"session_id['\"]: \"?(\d+)", line)
        found[int(session[1]) if session else {b"\t": 85}.get(line, 86)] = line
    return found


@pytest.mark.parametrize("case", CASES)
def test_what_becomes_of_an_odd_line(lines, case) -> None:
    _, before, now = CASES[case]
    assert told(lines[case], case) == (before if now == SAME else now)


def test_every_case_is_told(lines) -> None:
    assert lines.keys() == CASES.keys()
    rejected = [
        lines[case]
        for case, (_, before, now) in CASES.items()
        if isinstance(before if now == SAME else now, str)
    ]
    assert all(judge_line(line, SESSIONS, Judging(2**20)).raw == line.decode() for line in rejected)


def told(line, session):
    found = judge_line(line, SESSIONS, Judging(2**20))
    if found.reason:
        return found.reason
    time, kind, user, number, track, _ = found.columns
    assert number == session
    what = {"time": iso(time), "type": kind, "user": user, "track": track}
    differs = {name: value for name, value in what.items() if value != _PLAIN[name]}
    return differs | ({"notes": ", ".join(found.notes)} if found.notes else {})


def iso(micros):
    return (datetime(1970, 1, 1) + timedelta(microseconds=micros)).isoformat()
