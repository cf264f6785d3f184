"""Lines made to trip a parser, and what becomes of each: by the way a task goes, and by the rules alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from test_rules_cases import CASES, SAME, lines, told  # noqa: F401 - `lines` is a fixture

from pozytywka_spark.ingest.intake.reader import parts_of
from pozytywka_spark.ingest.intake.textlines import Piece, lines_in
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from tests.ingest.pass_one import by_rules, rows_of, run, run_over, surveyed

LIMIT = 2**20
TEXTS = {"timestamp": '"2023-01-03T05:09:55"', "user_id": "1", "track_id": '"t"', "event_type": '"PLAY"',
         "session_id": "3"}  # fmt: skip


def other(**changes: str) -> str:
    """The plain line with other text for the values of some fields."""
    texts = TEXTS | changes
    return "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"


PLAIN = other()


def timed(text: str) -> str:
    return other(timestamp=f'"{text}"')


def sound(**values: Any) -> dict[str, Any]:
    """What a taken line says, where it isn't as the plain one."""
    return values


NESTED = "[" * 200_000 + "]" * 200_000
# what the line is, its text; why it is rejected, or what its row says that the plain one's doesn't
Line = str | bytes | Callable[[], str]
HOSTILE: dict[str, tuple[Line, str | dict[str, Any]]] = {
    "plain": (PLAIN, sound()),
    # keys
    "a key twice": (PLAIN[:-1] + ', "user_id": 2}', "duplicate_key"),
    "a key twice, alike": (PLAIN[:-1] + ', "user_id": 1}', "duplicate_key"),
    "a key twice, once escaped": (PLAIN[:-1] + ', "user_\\u0069d": 2}', "duplicate_key"),
    "a key by escapes": (PLAIN.replace("user_id", "user_\\u0069d"), sound()),
    "another order": (json.dumps(dict(reversed(json.loads(PLAIN).items()))), sound()),
    "a key more": (PLAIN[:-1] + ', "x": {"user_id": 7}}', sound(rescued='{"x":"{\\"user_id\\":7}"}')),
    "an empty key": (PLAIN[:-1] + ', "": 1}', sound(rescued='{"":"1"}')),
    "no keys": ("{}", "bad_timestamp"),
    # numbers
    "a float for an integer": (other(user_id="1.0"), "wrong_type"),
    "an exponent": (other(user_id="1e2"), "wrong_type"),
    "a number as text": (other(user_id='"1"'), "wrong_type"),
    "a boolean for a number": (other(user_id="true"), "wrong_type"),
    "a leading zero": (other(user_id="01"), "malformed"),
    "a plus": (other(user_id="+1"), "malformed"),
    "minus zero": (other(user_id="-0"), sound(user_id=0)),
    "minus zero as float": (other(user_id="-0.0"), "wrong_type"),
    "eighteen digits": (other(user_id="9" * 18), sound(user_id=10**18 - 1)),
    "2^63 - 1": (other(user_id=str(2**63 - 1)), sound(user_id=2**63 - 1)),
    "2^63": (other(user_id=str(2**63)), "wrong_type"),
    "2^64 + 1": (other(session_id=str(2**64 + 1)), "wrong_type"),
    "five thousand digits": (other(session_id="9" * 5000), "malformed"),
    "1e400": (other(session_id="1e400"), "wrong_type"),
    "NaN": (other(user_id="NaN"), "malformed"),
    "Infinity": (other(user_id="-Infinity"), "malformed"),
    "hexadecimal": (other(user_id="0x1"), "malformed"),
    "underscores": (other(user_id="1_0"), "malformed"),
    "digits that aren't ASCII": (other(user_id="١"), "malformed"),
    # punctuation
    "a trailing comma": (PLAIN[:-1] + ",}", "malformed"),
    "a comma behind": (PLAIN + ",", "malformed"),
    "two objects": (PLAIN + PLAIN, "malformed"),
    "two objects, a blank between": (PLAIN + " " + PLAIN, "malformed"),
    "an array": (f"[{PLAIN}]", "malformed"),
    "text behind": (PLAIN + " x", "malformed"),
    "blanks around": (f"  {PLAIN}  ", sound()),
    "blanks everywhere": (PLAIN.replace('":', '"\t : ').replace(",", " , ").replace("{", "{ "), sound()),
    "tabs for blanks": (PLAIN.replace(", ", ",\t"), sound()),
    "two blanks": (PLAIN.replace(", ", ",  "), sound()),
    "no blanks": (PLAIN.replace(" ", ""), sound()),
    "a tab behind": (PLAIN + "\t", sound()),
    "a vertical tab behind": (PLAIN + "\x0b", "malformed"),
    "a no-break space behind": (PLAIN + "\xa0", "malformed"),
    "single quotes": (PLAIN.replace('"', "'"), "malformed"),
    "a comment": (PLAIN.replace("{", "{/* */"), "malformed"),
    "cut off": (PLAIN[:60], "malformed"),
    "cut off by its brace": (PLAIN[:-1], "malformed"),
    # text
    "a lone surrogate": (other(track_id='"\\ud800"'), "bad_identifier"),
    "a pair of surrogates": (other(track_id='"\\ud83d\\ude00"'), sound(track_id="\U0001f600")),
    "a lone surrogate elsewhere": (PLAIN[:-1] + ', "x": "\\udc00"}', sound(rescued='{"x":"?"}')),
    "an escaped NUL": (other(track_id='"a\\u0000"'), "bad_identifier"),
    "an escaped NUL in a type": (other(event_type='"PLAY\\u0000"'), "unknown_event_type"),
    "a bare NUL": (other(track_id='"a\0"'), "malformed"),
    "a bare tab in text": (other(track_id='"a\t"'), "malformed"),
    "NUL behind": (PLAIN + "\0", "malformed"),
    "an escape": (other(track_id='"\\u0074"'), sound()),
    "a solidus escaped": (other(track_id='"a\\/"'), sound(track_id="a/")),
    "no such escape": (other(track_id='"\\x41"'), "malformed"),
    "DEL": (other(track_id='"\x7f"'), sound(track_id="\x7f")),
    "NEL in text": (other(track_id='"a\x85b"'), sound(track_id="a\x85b")),
    "a line separator in text": (other(track_id='"a\u2028b"'), sound(track_id="a\u2028b")),
    "a line separator behind": (PLAIN + "\u2028", "malformed"),
    "invalid UTF-8": (other(track_id='"X"').encode().replace(b"X", b"\xff"), "invalid_utf8"),
    "a sign in too many bytes": (other(track_id='"X"').encode().replace(b"X", b"\xc0\xaf"), "invalid_utf8"),
    "a surrogate in UTF-8": (other(track_id='"X"').encode().replace(b"X", b"\xed\xa0\x80"), "invalid_utf8"),
    "a byte order mark": (b"\xef\xbb\xbf" + PLAIN.encode(), sound()),
    "a byte order mark behind": (PLAIN.encode() + b"\xef\xbb\xbf", "malformed"),
    "two byte order marks": (b"\xef\xbb\xbf" * 2 + PLAIN.encode(), "malformed"),
    # what stands for none
    "no track": (other(track_id="null"), sound(track_id=None)),
    "a track that says none": (other(track_id='"NaN"'), sound(track_id=None)),
    "-1 as track": (other(track_id='"-1"'), sound(track_id=None)),
    "the number -1 as track": (other(track_id="-1"), sound(track_id=None)),
    "blanks around a track": (other(track_id='" t "'), sound()),
    "a blank track": (other(track_id='"  "'), sound(track_id=None)),
    "-1 as user": (other(user_id="-1"), sound(user_id=None)),
    "-1 as session": (other(session_id="-1"), "missing_session_id"),
    "an object for a track": (other(track_id='{"id": "t"}'), "wrong_type"),
    "a track on an advert": (other(event_type='"ADVERTISEMENT"'), "unexpected_track"),
    # times
    "no such day": (timed("2023-02-30T05:09:55"), "bad_timestamp"),
    "no such day and hour": (timed("2023-02-30T25:00:00"), "bad_timestamp"),
    "no such leap day": (timed("2023-02-29T05:09:55"), "bad_timestamp"),
    "a leap day": (timed("2024-02-29T05:09:55"), sound(event_time="2024-02-29 05:09:55+00:00")),
    "hour 24": (timed("2023-01-03T24:00:00"), "bad_timestamp"),
    "a leap second": (timed("2016-12-31T23:59:60"), "bad_timestamp"),
    "a point and no fraction": (timed("2023-01-03T05:09:55."), sound()),
    "six digits": (timed("2023-01-03T05:09:55.000001"), sound(event_time="2023-01-03 05:09:55.000001+00:00")),
    "seven digits are cut": (timed("2023-01-03T05:09:55.0000019"),
                             sound(event_time="2023-01-03 05:09:55.000001+00:00")),
    "a blank for T": (timed("2023-01-03 05:09:55"), sound()),
    "Z": (timed("2023-01-03T05:09:55Z"), sound()),
    "an offset": (timed("2023-01-03T06:09:55+01:00"), sound()),
    "one digit": (timed("2023-1-03T05:09:055"), "bad_timestamp"),
    "digits that are not ASCII in a time": (timed("2023-01-03T05:09:5٥"), "bad_timestamp"),
    "1999": (timed("1999-12-31T23:59:59.999999"), "out_of_range"),
    "2100": (timed("2100-01-01T00:00:00"), "out_of_range"),
    "a number as time": (other(timestamp="1672722595"), "wrong_type"),
    # size and depth
    "a hundred deep": (PLAIN[:-1] + ', "x": ' + "[" * 99 + "]" * 99 + "}", sound(rescued="…")),
    "too deep": (PLAIN[:-1] + ', "x": ' + "[" * 100 + "]" * 100 + "}", "malformed"),
    "far too deep": (PLAIN[:-1] + f', "x": {NESTED}}}', "malformed"),
    "at the limit": (PLAIN.replace('"t"', f'"{"t" * (LIMIT - len(PLAIN) + 1)}"'), sound(track_id="…")),
    "over the limit": (PLAIN.replace('"t"', f'"{"t" * (LIMIT - len(PLAIN) + 2)}"'), "too_long"),
    # a file is read in blocks of 4 MB
    "longer than blocks": (lambda: other(track_id=f'"{"t" * (13 << 20)}"'), "too_long"),
    "longer than blocks of blanks": (lambda: " " * (13 << 20) + PLAIN, "too_long"),
    # no objects
    "nothing but a tab": ("\t", "malformed"),
    "a word": ("null", "malformed"),
    "text": ('"text"', "malformed"),
    "a record separator before": ("\x1e" + PLAIN, "malformed"),
    "UTF-16": (PLAIN.encode("utf-16-le"), "malformed"),
}  # fmt: skip


def as_bytes(line: Line) -> bytes:
    """Its text; the longest are made when they are asked for, for every run of tests loads this file."""
    text = line() if callable(line) else line
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("case", "end"),
    [
        (case, end)
        for case in HOSTILE
        for end in (b"\n", b"\r\n")
        if end == b"\n" or "than blocks" not in case
    ],
)
def test_what_becomes_of_a_hostile_line(tmp_path: Path, case: str, end: bytes) -> None:
    line, wanted = HOSTILE[case]
    # between sound lines, none of which it may touch
    data = PLAIN.encode() + end + as_bytes(line) + end + PLAIN.encode() + end
    (file := tmp_path / "sessions.jsonl").write_bytes(data)
    found, stats = run_over(file, judging=Judging(LIMIT))
    at = len(PLAIN.encode() + end)
    rows = rows_of(found)
    assert stats.rows == 3
    neighbours = rows["complete"].filter(pl.col("source_order") != at)
    assert neighbours["source_order"].to_list() == [0, len(data) - len(PLAIN.encode() + end)]
    mine = [frame.filter(pl.col("source_order") == at) for kind, frame in rows.items() if kind != "lost"]
    row = next(frame for frame in mine if frame.height).row(0, named=True)
    if isinstance(wanted, str):
        assert row["reason"] == wanted
        return
    assert row.get("reason") is None
    plain = {"event_time": "2023-01-03 05:09:55+00:00", "event_type": "PLAY", "user_id": 1, "session_id": 3,
             "track_id": "t", "rescued": None}  # fmt: skip
    said = {name: row[name] if name != "event_time" else str(row[name]) for name in plain}
    for name, value in (plain | wanted).items():
        assert value == "…" or said[name] == value, name
    assert "…" in wanted.values() or {name for name in said if said[name] != plain[name]} == wanted.keys()


def test_both_ways_are_equal_on_all_of_them_at_once(tmp_path: Path) -> None:
    short = [as_bytes(line) for line, _ in HOSTILE.values() if not callable(line)]
    (file := tmp_path / "sessions.jsonl").write_bytes(b"\n".join(short))
    found, stats = run_over(file, judging=Judging(LIMIT))
    cut = lines_in(Piece(file.read_bytes(), 0))
    wanted, told_ = by_rules(zip(cut.texts, cut.offsets, strict=True), judging=Judging(LIMIT), path=str(file))
    for kind, frame in rows_of(found).items():
        if kind != "lost":
            assert_frame_equal(frame, wanted[kind].sort("source_order"))
    assert stats == told_


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_an_odd_line_of_a_delivery_ends_the_same_by_a_task(tmp_path: Path, lines: Any, case: int) -> None:  # noqa: F811
    (file := tmp_path / "sessions.jsonl").write_bytes(lines[case])
    found, stats = run_over(file)
    _, before, now = CASES[case]
    wanted = before if now == SAME else now
    rows = {kind: frame for kind, frame in rows_of(found).items() if kind != "lost"}
    ((kind, row),) = ((kind, frame.row(0, named=True)) for kind, frame in rows.items())
    if isinstance(wanted, str):
        assert (kind, row["reason"]) == ("rejected", wanted)
        return
    assert told(lines[case], case) == wanted
    assert kind in ("complete", "incomplete")
    values = {"user": row["user_id"], "type": row["event_type"], "track": row["track_id"],
              "time": row["event_time"].replace(tzinfo=None).isoformat(),
              "notes": ", ".join(sorted(stats.notes))}  # fmt: skip
    said = {name: value for name, value in wanted.items() if name != "notes"}
    assert {name: values[name] for name in said} == said
    assert sorted(stats.notes) == sorted(filter(None, wanted.get("notes", "").split(", ")))


def test_utf_16_is_no_row_whatever_its_marks(tmp_path: Path) -> None:
    (file := tmp_path / "sessions.jsonl").write_bytes((PLAIN + "\n" + PLAIN + "\n").encode("utf-16"))
    found, stats, _ = run(parts_of([surveyed(file)], 1))
    assert stats[str(file)].rows == stats[str(file)].rejected == 3
    assert set(rows_of(found)["rejected"]["reason"]) == {"invalid_utf8", "malformed"}
