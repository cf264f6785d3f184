"""A sound line is read as the rules would read it, and what is odd in any way is doubtful; no session."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.ingest.intake.textlines import Lines, Piece, lines_in
from pozytywka_spark.ingest.validate.fast_path import FORM, look_first
from pozytywka_spark.ingest.validate.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.validate.rules.times import iso_micros
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from tests.ingest.odd_lines import ADVERT, JUDGING, PLAY, mutants
from tests.ingest.pass_one import by_rules, rows_of, run_over

TIME = datetime(2023, 1, 3, 5, 9, 55, tzinfo=UTC)

# The same form said otherwise: with look-ahead and possessive repetition, and of days only their digits
_NUMBER = "(?:0|[1-9][0-9]{0,17}+)"
_TRACK = r"(?!-1\"|(?i:null|none|nan)\"| )[ !#-\[\]-~]{1,100}+(?<! )"
OTHER_FORM = re.compile(
    r'\{"timestamp": ?"(20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)", ?'
    rf'"user_id": ?{_NUMBER}, ?"track_id": ?"(?:{_TRACK}", ?"event_type": ?"(?:PLAY|SKIP|LIKE)'
    rf'|", ?"event_type": ?"(?:ADVERTISEMENT|BUY_PREMIUM))", ?"session_id": ?{_NUMBER}\}}\Z'
)


def encoded(lines: list[str], end: bytes = b"\n") -> bytes:
    # some hold half of a surrogate pair
    return b"".join(line.encode("utf-8", "surrogatepass") + end for line in lines)


def sound_of(lines: list[str], judging: Judging = JUDGING) -> pl.DataFrame:
    return look_first(Piece(encoded(lines), 0), judging).sound


@pytest.mark.thorough
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=repr)
def test_whatever_the_line_it_becomes_what_the_rules_make_of_it(tmp_path: Path, end: bytes) -> None:
    lines = [json.dumps(PLAY), json.dumps(ADVERT), *mutants(6000)]
    file = tmp_path / "sessions.jsonl"
    file.write_bytes(encoded(lines, end))
    found, stats = run_over(file, judging=JUDGING)
    cut = lines_in(Piece(file.read_bytes(), 0))
    wanted, told = by_rules(zip(cut.texts, cut.offsets, strict=True), judging=JUDGING, path=str(file))
    rows = rows_of(found)
    assert rows.keys() == wanted.keys() == {"complete", "incomplete", "rejected", "lost"}
    for kind, frame in rows.items():
        order = ["source_order"] if kind != "lost" else frame.columns
        assert_frame_equal(frame, wanted[kind].sort(order))
    assert stats == told
    # both ways were gone often
    assert 0.15 * len(lines) < sound_of(lines).height < 0.6 * len(lines)


def test_the_pattern_lets_pass_what_the_same_form_said_otherwise_does() -> None:
    lines = [json.dumps(PLAY), json.dumps(ADVERT), *mutants(6000)]
    sound = set(sound_of(lines, Judging(4096))["source_order"])
    at = 0
    for line in lines:
        found = OTHER_FORM.match(line)
        # an end inside makes two lines of it, of which the first begins here
        if "\n" not in line and "\r" not in line:
            assert (at in sound) == (found is not None and iso_micros(found[1]) is not None), line
        at += len(encoded([line]))


def test_what_is_sound_passes_the_rules_as_it_stands() -> None:
    lines = [json.dumps(PLAY), json.dumps(ADVERT), *mutants(6000)]
    text = encoded(lines)
    for row in sound_of(lines).iter_rows(named=True):
        at = row["source_order"]
        line = text[at : text.index(b"\n", at)]
        found = judge_line(line, ENTITIES["sessions"], JUDGING)
        track = row["track_id"]
        micros = (row["event_time"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        wanted = (micros, row["event_type"], row["user_id"], row["session_id"], track, track is None)
        assert found.columns == wanted, line
        assert (found.reason, found.notes) == (None, None if track else ["empty track_id"]), line
        assert (found.raw, found.rescued, found.absent) == (None, None, None)


@pytest.mark.parametrize(
    "track",
    ["null", "None", "nan", "NaN", "NULL", "none", "nOnE", " ", " a", "a ", "-1", " -1", "a\\u0000b", "",
     "x" * 101, "ł", "a\\\\b"],
)  # fmt: skip
def test_identifiers_that_need_a_rule_are_doubtful(track: str) -> None:
    seen = look_first(Piece(encoded([json.dumps(PLAY).replace(PLAY["track_id"], track)]), 0), JUDGING)
    assert (seen.sound.height, len(seen.doubtful.texts)) == (0, 1)


@pytest.mark.parametrize("track", ["nullable", "nano", "none1", "-10", "a b", "a-1", "x" * 100, "."])
def test_identifiers_that_only_look_odd_are_sound(track: str) -> None:
    assert sound_of([json.dumps(PLAY).replace(PLAY["track_id"], track)])["track_id"].to_list() == [track]


def test_the_pattern_knows_the_calendar() -> None:
    days = [f"{year}-{month:02}-{day:02}" for year in (1999, 2000, 2023, 2024, 2096, 2099, 2100)
            for month in range(14) for day in range(33)]  # fmt: skip
    hours = [
        f"2023-01-03T{hour:02}:{rest}" for hour in range(26) for rest in ("00:00", "59:59", "60:00", "00:60")
    ]
    times = [*(f"{day}T05:09:55" for day in days), *hours]
    lines = pa.array([json.dumps(PLAY | {"timestamp": time}).encode() for time in times])
    real = [time[:2] == "20" and iso_micros(time) is not None for time in times]
    assert pc.match_substring_regex(lines, FORM).to_pylist() == real


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")], ids=["as Python", "as Spark"])
def test_plain_lines_are_sound(separators: tuple[str, str]) -> None:
    later = TIME + timedelta(milliseconds=7)
    rows = [PLAY, ADVERT, PLAY | {"timestamp": later.replace(tzinfo=None).isoformat()}]
    lines = [json.dumps(row, separators=separators) for row in rows]
    offsets = [0, len(lines[0]) + 1, len(lines[0]) + len(lines[1]) + 2]
    assert sound_of(lines, Judging(4096)).rows() == [
        (TIME, "PLAY", 1, 3, "7Jau94kk3h9", offsets[0]),
        (TIME, "ADVERTISEMENT", 1, 3, None, offsets[1]),
        (later, "PLAY", 1, 3, "7Jau94kk3h9", offsets[2]),
    ]


def test_the_last_line_needs_no_end() -> None:
    text = encoded([json.dumps(PLAY), json.dumps(ADVERT)])
    assert look_first(Piece(text[:-1], 5), JUDGING).sound.equals(look_first(Piece(text, 5), JUDGING).sound)
    assert look_first(Piece(text, 5), JUDGING).sound["source_order"].to_list() == [
        5,
        5 + len(json.dumps(PLAY)) + 1,
    ]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_over_the_limit_is_doubtful(end: bytes) -> None:
    line, size = Piece(encoded([json.dumps(PLAY)], end), 0), len(json.dumps(PLAY))
    assert [look_first(line, Judging(limit)).sound.height for limit in (size - 1, size)] == [0, 1]


def test_an_event_after_the_limit_is_doubtful() -> None:
    lines = [json.dumps(PLAY), json.dumps(PLAY | {"timestamp": "2023-01-03T05:09:55.000001"})]
    for latest, sound in ((TIME, 1), (TIME + timedelta(microseconds=1), 2), (None, 2)):
        seen = look_first(Piece(encoded(lines), 0), Judging(4096, latest))
        assert (seen.sound.height, len(seen.doubtful.texts)) == (sound, 2 - sound)


def test_nothing_and_blank_lines_are_no_rows() -> None:
    for text in (b"", b"\n", b"  \n\n \r\n", b"\r \r"):
        seen = look_first(Piece(text, 0), JUDGING)
        assert (seen.sound.height, seen.doubtful) == (0, Lines([], []))
    assert look_first(Piece(b" \n\t\n", 0), JUDGING).doubtful == Lines([b"\t"], [2])
