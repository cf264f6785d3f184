"""Lines read by the places of their values: only lines in form, as the pattern and the parser read them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.ingest.validate import usual_form
from pozytywka_spark.ingest.validate.fast_path import FORM
from pozytywka_spark.ingest.validate.usual_form import Quick, look_quickly
from tests.ingest.odd_lines import PLAY, mutants

TRACK = "6afea581e2d33bf935e940"
USUAL = PLAY | {"track_id": TRACK}
PATTERN = re.compile(FORM.replace(r"\z", r"\Z").encode())


def quickly(lines: list[bytes], longest: int = 4096, latest: int | None = None) -> Quick:
    texts = [line + b"\n" for line in lines]
    return look_quickly(b"".join(texts), np.cumsum([0, *map(len, texts)]), longest, latest)


def event_of(line: bytes) -> tuple[object, ...]:
    """What Python's own parser makes of a line in form."""
    row = json.loads(line)
    time = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
    return time, row["event_type"], row["user_id"], row["session_id"], row["track_id"] or None


def changed(**fields: object) -> bytes:
    return json.dumps(USUAL | fields).encode()


READ = {
    "as Python writes": changed(),
    "without blanks": json.dumps(USUAL, separators=(",", ":")).encode(),
    "no fraction": changed(timestamp="2023-12-31T23:59:59"),
    "milliseconds": changed(timestamp="2024-02-29T00:00:00.007"),
    "microseconds": changed(timestamp="2099-12-31T10:20:30.123456"),
    "an advert": changed(event_type="ADVERTISEMENT", track_id=""),
    "a purchase": changed(event_type="BUY_PREMIUM", track_id=""),
    "zeros": changed(user_id=0, session_id=0),
    "eight digits": changed(user_id=98765432, session_id=10000000),
    "a long track": changed(track_id="x" * 100),
    "blanks in a track": changed(track_id="a b c d e f g"),
}


@pytest.mark.parametrize("line", READ.values(), ids=READ)
def test_usual_lines_are_read(line: bytes) -> None:
    found = quickly([line])
    assert found.places.tolist() == [0]
    assert found.events.rows() == [event_of(line)]


LEFT = {
    "nine digits": changed(user_id=123456789),
    "a short track": changed(track_id="abc"),
    "none as a text": changed(track_id="null"),
    "a track too long": changed(track_id="x" * 101),
    "a blank before the track": changed(track_id=" " + TRACK),
    "a blank behind it": changed(track_id=TRACK + " "),
    "a track on an advert": changed(event_type="ADVERTISEMENT"),
    "none on a play": changed(track_id=""),
    "another type": changed(event_type="PLAYS"),
    "lower case": changed(event_type="play"),
    "a fraction of two digits": changed(timestamp="2023-01-03T05:09:55.12"),
    "30 February": changed(timestamp="2023-02-30T05:09:55"),
    "29 February of a common year": changed(timestamp="2023-02-29T05:09:55"),
    "month 13": changed(timestamp="2023-13-03T05:09:55"),
    "month 0": changed(timestamp="2023-00-03T05:09:55"),
    "day 0": changed(timestamp="2023-01-00T05:09:55"),
    "hour 24": changed(timestamp="2023-01-03T24:09:55"),
    "a leap second": changed(timestamp="2023-01-03T05:09:60"),
    "1999": changed(timestamp="1999-01-03T05:09:55"),
    "2100": changed(timestamp="2100-01-03T05:09:55"),
    "a zone": changed(timestamp="2023-01-03T05:09:55Z"),
    "a number as text": changed(user_id="101"),
    "null": changed(user_id=None),
    "a fraction": changed(user_id=101.5),
    "a sign": changed(user_id=-1),
    "a zero in front": changed(user_id=101).replace(b"101", b"0101"),
    "an exponent": changed(user_id=101).replace(b"101", b"1e2"),
    "two blanks": changed().replace(b", ", b",  "),
    "a blank before the comma": changed().replace(b", ", b" , "),
    "a tab": changed().replace(b", ", b",\t"),
    "another order": json.dumps({name: USUAL[name] for name in reversed(USUAL)}).encode(),
    "a field more": json.dumps(USUAL | {"x": 1}).encode(),
    "a name misspelt": changed().replace(b"user_id", b"user_ip"),
    "trailing text": changed() + b" ",
    "an escape": changed().replace(b"PLAY", b"PL\\u0041Y"),
    "not ASCII": changed(track_id=TRACK).replace(b"6afe", "zażó".encode()),
    "a NUL": changed().replace(b"6afe", b"\x00afe"),
    "a DEL": changed().replace(b"6afe", b"\x7fafe"),
    "a carriage return": changed() + b"\r",
    "cut short": changed()[:-1],
    "nothing": b"",
}


@pytest.mark.thorough
@pytest.mark.parametrize("line", LEFT.values(), ids=LEFT)
def test_all_else_is_left_to_others_and_spoils_no_neighbour(line: bytes) -> None:
    assert quickly([line]).places.tolist() == []
    around = quickly([changed(user_id=1), line, changed(user_id=2)])
    assert around.places.tolist() == [0, 2]
    assert around.events["user_id"].to_list() == [1, 2]


def test_lines_of_the_other_form_are_left_to_others() -> None:
    blanks, none = READ["as Python writes"], READ["without blanks"]
    assert quickly([blanks, none, blanks]).places.tolist() == [0, 2]
    assert quickly([none, blanks, none]).places.tolist() == [0, 2]
    mixed = blanks.replace(b'"user_id": ', b'"user_id":')
    assert quickly([blanks, mixed, blanks]).places.tolist() == [0, 2]


def test_many_lines_are_walked_in_parts() -> None:
    """More than are walked at once, tracks of two lengths in each part, and one line that isn't read."""
    lines = [
        changed(user_id=number, track_id=f"{number:013}" if number % 3 else f"{number:022}")
        for number in range(2 * usual_form._LINES + 100)
    ]
    lines[20_000] = b"?"
    found = quickly(lines)
    expected = [number for number in range(len(lines)) if number != 20_000]
    assert found.places.tolist() == found.events["user_id"].to_list() == expected
    assert found.events["track_id"].cast(pl.Int64).to_list() == expected


def test_bounds_of_length_and_time() -> None:
    line, time = changed(), event_of(changed())[0]
    assert isinstance(time, datetime)
    micros = int(time.timestamp()) * 1_000_000 + time.microsecond
    assert [quickly([line], longest).events.height for longest in (len(line) - 1, len(line))] == [0, 1]
    assert [quickly([line], 4096, latest).events.height for latest in (micros - 1, micros)] == [0, 1]


def test_a_last_line_without_an_end_and_no_lines_at_all() -> None:
    line = changed()
    assert look_quickly(line, np.array([0, len(line)]), 4096, None).events.rows() == [event_of(line)]
    assert look_quickly(b"", np.array([0]), 4096, None).events.is_empty()
    assert look_quickly(b"", np.zeros(0, np.int64), 4096, None).events.is_empty()


def test_mutated_lines_are_read_only_if_they_are_in_form() -> None:
    lines = [line.encode("utf-8", "surrogatepass") for line in mutants(4000)]
    lines = [line for line in lines if b"\n" not in line]
    found = quickly(lines)
    read = [lines[place] for place in found.places]
    assert len(read) > 100
    assert all(PATTERN.fullmatch(line) for line in read)
    assert found.events.rows() == [event_of(line) for line in read]


@pytest.mark.thorough
@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)),
            st.integers(0, 10**8 - 1),
            st.sampled_from(["PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"]),
            st.integers(13, 100),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_any_usual_lines_are_read_as_they_are(rows: list[tuple[datetime, int, str, int]]) -> None:
    lines = []
    for time, number, kind, length in rows:
        track = "" if kind in ("ADVERTISEMENT", "BUY_PREMIUM") else ("t" + str(number)).ljust(length, "_")
        row = {"timestamp": time.isoformat(), "user_id": number, "track_id": track, "event_type": kind}
        lines.append(json.dumps(row | {"session_id": number // 3}).encode())
    found = quickly(lines)
    assert found.events.rows() == [event_of(line) for line in lines]
