"""What can be told of a line before its meaning: is it one JSON object, of the contract's types?"""

import hashlib
import json

import pytest

from pozytywka_spark.ingest.intake.contracts import CONTRACTS
from pozytywka_spark.ingest.validate.rules.judge import ENTITIES, judge_line, line_hash
from pozytywka_spark.ingest.validate.rules.reading import MAX_DEPTH
from pozytywka_spark.ingest.validate.rules.verdict import Judging

SESSIONS, ARTISTS, TRACKS = ENTITIES["sessions"], ENTITIES["artists"], ENTITIES["tracks"]
LIMIT = Judging(4096)
TAIL = '"track_id": "a", "event_type": "PLAY", "session_id": 1}'
GOOD = '{"timestamp": "2023-01-01T00:00:00", "user_id": 1, ' + TAIL
BEHIND = f"one JSON object a line; text after the object at character {len(GOOD) + 1}"
FIELDS = ["timestamp", "user_id", "track_id", "event_type", "session_id"]


def judged(line, entity=SESSIONS, **options):
    return judge_line(line if isinstance(line, bytes) else line.encode(), entity, LIMIT, **options)


def deep(levels):
    """A line of so many brackets, one in the other."""
    return GOOD[:-1] + ', "deep": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


# line, reason, the field or limit that the rule names, fields absent, notes
LINES = [
    (GOOD, None, None, None, None),
    ("\ufeff" + GOOD, None, None, None, None),
    (GOOD.replace(": 1,", ": null,"), None, None, None, ["null user_id"]),
    (GOOD.replace(": 1,", ': "1",'), "wrong_type", "user_id", None, None),
    (GOOD.replace(": 1,", ": 1.5,"), "wrong_type", "user_id", None, None),
    (GOOD.replace(": 1,", ": 1.0,"), "wrong_type", "user_id", None, None),
    (GOOD.replace(": 1,", ": 1e2,"), "wrong_type", "user_id", None, None),
    (GOOD.replace(": 1,", ": 1e400,"), "wrong_type", "user_id", None, None),
    (GOOD.replace(": 1,", ": true,"), "wrong_type", "user_id", None, None),
    (GOOD.replace(": 1,", ": 9223372036854775807,"), None, None, None, None),
    (GOOD.replace(": 1,", ": 9223372036854775808,"), "wrong_type", "user_id", None, None),
    (GOOD.replace(": 1,", ": 99999999999999999999,"), "wrong_type", "user_id", None, None),
    (GOOD.replace('"a"', "7"), "wrong_type", "track_id", None, None),
    (GOOD.replace('"a"', '"7"'), None, None, None, None),
    (GOOD.replace('"a"', "-1"), None, None, None, ["-1 as track_id"]),
    (GOOD.replace('"a"', '{"id": "a"}'), "wrong_type", "track_id", None, None),
    (GOOD.replace('"PLAY"', "true"), "wrong_type", "event_type", None, None),
    (GOOD.replace('"user_id"', '"userId"'), None, None, ["user_id"], ["null user_id", "stray userId"]),
    (GOOD[:-1] + ', "mood": "sad"}', None, None, None, ["stray mood"]),
    # what stands inside of a value is neither a field nor a second object
    (GOOD[:-1] + ', "mood": {"track_id": 5}}', None, None, None, ["stray mood"]),
    (GOOD[:-1] + ', "mood": [1, {"x": "}{"}]}', None, None, None, ["stray mood"]),
    (GOOD[:-1] + ', "mood": {"a": 1, "a": 2}}', None, None, None, ["stray mood"]),
    (deep(MAX_DEPTH), None, None, None, ["stray deep"]),
    (GOOD.replace(": 1,", f": {'1' * 3000},"), "wrong_type", "user_id", None, None),
    (GOOD[:-1] + ', "pad": "' + "x" * 5000 + '"}', "too_long", "at most 4096 bytes a line", None, None),
    ("[" * 10_000, "too_long", "at most 4096 bytes a line", None, None),
]


@pytest.mark.parametrize(("line", "reason", "rule", "absent", "notes"), LINES)
def test_each_odd_line_is_told_from_a_sound_one(line, reason, rule, absent, notes) -> None:
    found = judged(line)
    assert (found.reason, found.rule, found.absent, found.notes) == (reason, rule, absent, notes)


# what stands behind an object: JSON's own white space is nothing
@pytest.mark.parametrize("behind", [" ", "\t", "\r", "\n", " \t\r\n"])
def test_white_space_around_an_object_is_nothing(behind) -> None:
    assert judged(GOOD + behind).reason is None
    assert judged(behind + GOOD).reason is None
    assert judged("\ufeff" + behind + GOOD + behind).columns == judged(GOOD).columns


@pytest.mark.parametrize(
    "between", ["", " ", ",", ", ", ";", "|", "\t", "\x00", "\x01", "\x1e", "\x0b", "\u2028", " and "]
)
def test_two_objects_on_a_line_lose_neither(between) -> None:
    line = GOOD + between + GOOD
    found = judged(line)
    # white space apart, the text begins where the object ends
    space = len(between) - len(between.lstrip(" \t"))
    assert found.reason == "malformed"
    assert found.rule == f"one JSON object a line; text after the object at character {len(GOOD) + 1 + space}"
    assert found.raw == line  # both are there to be delivered again
    assert set(found.columns) == {None}


@pytest.mark.parametrize(
    "behind",
    ["}", "]", ",", "x", ";", "|", '"x":1}', "\x00", "\xa0", "\x0b", "\x0c", "\x85", "\u2028", "\u3000",
     "\ufeff", "\x1e", "/* c */", "// c", "# c", "\\n", "1", "null"],
)  # fmt: skip
def test_anything_but_white_space_behind_an_object_is_malformed(behind) -> None:
    assert judged(GOOD + behind)[1:3] == ("malformed", BEHIND)
    assert judged(GOOD + " " + behind).reason == "malformed"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("garbage " + GOOD, "text before the object at character 1"),
        (" 2023-01-05 10:00:00 INFO " + GOOD, "text before the object at character 2"),
        ("\ufeff\ufeff" + GOOD, "text before the object at character 2"),
        ("\xa0" + GOOD, "text before the object at character 1"),
        ("\x1e" + GOOD, "a record separator (RFC 7464) before the object"),
        ("[" + GOOD + "]", "an array"),
        ("\t", "nothing but white space"),
        ("\ufeff", "nothing but white space"),
        ("\xa0", "no object at all"),
        ("null", "no object at all"),
        ("5", "no object at all"),
        ("\x00\x01", "no object at all"),
        (GOOD[:40], "no JSON at character 38: unterminated string"),
        ("{", "no JSON at character 2: expecting property name enclosed in double quotes"),
        (GOOD[:-1] + ",}", "no JSON at character 1"),  # later versions of Python point at the comma
        (GOOD.replace('"a"', '["a",]'), "no JSON at character 6"),
        (GOOD.replace('"', "'"), "no JSON at character 2: expecting property name enclosed in double quotes"),
        (GOOD.replace("1, ", "1 /* c */, "), "no JSON at character 51: expecting ',' delimiter"),
        (GOOD.replace(": 1,", ": 01,"), "no JSON at character 50: expecting ',' delimiter"),
        (GOOD.replace(": 1,", ": +1,"), "no JSON at character 49: expecting value"),
        (GOOD.replace(": 1,", ": 1.,"), "no JSON at character 50: expecting ',' delimiter"),
        (GOOD.replace(": 1,", ": .5,"), "no JSON at character 49: expecting value"),
        (GOOD.replace(": 1,", ": 0x1,"), "no JSON at character 50: expecting ',' delimiter"),
        (GOOD.replace(": 1,", ": NaN,"), "no JSON: a bare NaN"),
        (GOOD.replace(": 1,", ": -Infinity,"), "no JSON: a bare -Infinity"),
        (GOOD[:-1] + ', "mood": [NaN]}', "no JSON: a bare NaN"),
        (GOOD.replace('"a"', '"a\tb"'), "no JSON at character 66: invalid control character"),
        (GOOD.replace('"a"', '"\\x41"'), "no JSON at character 65: invalid \\escape"),
        (deep(MAX_DEPTH + 1), "brackets nested more than 100 deep"),
        ("{" + '"a":{' * 600, "brackets nested more than 100 deep"),
    ],
)  # fmt: skip
def test_malformed_lines_say_what_is_wrong_and_where(line, what) -> None:
    found = judged(line)
    assert found.reason == "malformed"
    assert found.rule.startswith(f"one JSON object a line; {what}")
    assert found.raw == line


@pytest.mark.thorough
def test_no_line_is_too_odd_to_be_judged() -> None:
    huge = Judging(2**30)
    for line in (
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b'{"a": ' + b"1" * 100_000 + b"}",
        b'{"a": "' + b"{" * 10**6,
    ):
        assert judge_line(line, SESSIONS, huge).reason == "malformed"
    levels = MAX_DEPTH - 1
    nested = '{"a": [' * (levels // 2) + '"\\ud800"' + "]}" * (levels // 2)
    assert judge_line(f'{GOOD[:-1]}, "deep": {nested}}}'.encode(), SESSIONS, huge).reason is None
    long = b'{"a": "' + b"x" * 50_000_000 + b'"}'
    found = judged(long)
    assert (found.reason, len(found.raw)) == ("too_long", len(long))


# what is added to the line; the keys that the rule names
TWICE = [
    ('"user_id": 2', "user_id"),
    ('"user_id": 1', "user_id"),  # the same value: who wrote the row twice may have meant another
    ('"user_id" :null', "user_id"),
    ('"user_id": "x"', "user_id"),
    ('"user\\u005fid": 2', "user_id"),
    ('"track_id": 7, "user_id": []', "user_id, track_id"),
    ('"mood": 1, "mood": 2', "mood"),
    ('"": 1, "": 1', ""),
]


@pytest.mark.parametrize(("more", "keys"), TWICE)
def test_a_key_that_comes_twice_is_told(more, keys) -> None:
    for line in (GOOD[:-1] + f", {more}}}", "{" + more + ", " + GOOD[1:]):
        found = judged(line)
        assert found.reason == "duplicate_key"
        assert set(found.rule.removeprefix("each key once; twice: ").split(", ")) == set(keys.split(", "))
        assert (found.raw, found.notes) == (line, None)
    assert judged(GOOD.replace("user_id", "USER_ID")[:-1] + ', "user_id": 2}').reason is None  # another key


def test_bytes_that_are_not_utf8_are_told() -> None:
    for line, byte in (
        (b"{\xff}", 2),
        (b"\xff\xfe\x00not", 1),
        (GOOD.encode() + b"\xed\xa0\x80", len(GOOD) + 1),
    ):
        found = judged(line)
        assert (found.reason, found.rule) == ("invalid_utf8", f"UTF-8; byte {byte} is not")
        assert "\ufffd" in found.raw


@pytest.mark.parametrize(
    ("entity", "line", "reason", "rule"),
    [
        (ARTISTS, '{"id": -1, "name": "x", "genres": null}', "missing_id", "id: an identifier"),
        (ARTISTS, '{"id": "a", "name": "1999", "genres": ["b"]}', None, None),
        (ARTISTS, '{"id": "a", "name": "x", "genres": "rock"}', "wrong_type", "genres"),
        (ARTISTS, '{"id": "a", "name": ["x"], "genres": {"a": 1}}', "wrong_type", "name, genres"),
        (TRACKS, '{"id": "a", "explicit": true, "tempo": "fast"}', "wrong_type", "explicit, tempo"),
        (TRACKS, '{"id": "a", "popularity": 2147483648}', "wrong_type", "popularity"),
    ],
)
def test_types_of_the_catalogue(entity, line, reason, rule) -> None:
    assert judged(line, entity)[1:3] == (reason, rule)


def test_fields_that_the_contract_does_not_know_are_rescued() -> None:
    more = (
        '"a": "x", "b": null, "c": 1.50, "d": 1e7, "e": [1, 2.0, {"f" : "\\u0142", "f": {}}], "g": true, '
        '"h": 12345678901234567890123, "i": 1e400, "j": 1e-5'
    )
    found = json.loads(judged(GOOD[:-1] + f", {more}}}").rescued)
    assert found == {"a": "x", "b": None, "c": "1.5", "d": "1.0E7", "e": '[1,2.0,{"f":"ł","f":{}}]',
                     "g": "true", "h": "12345678901234567890123", "i": '"Infinity"',
                     "j": "1.0E-5"}  # fmt: skip


def test_half_of_a_surrogate_pair_is_no_identifier_and_elsewhere_a_question_mark() -> None:
    half = json.dumps({"id": "\ud800", "name": "x", "genres": []})
    assert judged(half, ARTISTS)[1:3] == (
        "bad_identifier",
        "id: no half of a surrogate pair in an identifier",
    )
    name = json.dumps({"id": "\U0001f600", "name": "x\ud83d", "genres": ["\udc00y"], "z": ["\ud800"]})
    assert judged(name, ARTISTS).columns == ("\U0001f600", "x?", ["?y"])
    assert judged(name, ARTISTS).rescued == '{"z":"[\\"?\\"]"}'


def test_a_line_is_named_by_a_hash_of_entity_and_text_or_as_it_was() -> None:
    assert line_hash("sessions", b"{}") == hashlib.md5(b"sessions|{}").hexdigest()
    bad = "{"
    assert judged(bad).line_id == line_hash("sessions", b"{")
    assert judged(bad, line_id="q").line_id == "q"
    assert judged(GOOD).line_id is None
    assert judged(GOOD, keep_text=True)[-2:] == (GOOD, line_hash("sessions", GOOD.encode()))


def test_the_rules_are_those_of_the_contracts() -> None:
    wanted = {"string": ("text",), "bigint": ("long", "number_key"), "int": ("whole",), "double": ("number",),
              "boolean": ("flag",), "array<string>": ("texts",)}  # fmt: skip
    for contract in CONTRACTS:
        rules = ENTITIES[contract.entity]
        assert tuple(rules.fields) == contract.required
        assert (rules.ignored, rules.safe) == (contract.ignored, contract.safe)
        for name, kind in contract.fields.items():
            assert rules.fields[name].__name__ in wanted[kind], name
        later = {"event_id", "repaired", "repair_reason", "event_month", "user_bucket"}
        assert set(contract.table.columns) - set(rules.columns) <= later


def test_many_keys_that_come_twice_are_told_at_once() -> None:
    keys = ", ".join(f'"k{n}": 1' for n in range(100_000))
    found = judge_line(f"{{{keys}, {keys}}}".encode(), SESSIONS, Judging(2**30))
    assert found.rule == "each key once; twice: k0, k1, k2, k3, k4, …"
