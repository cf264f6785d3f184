"""A sound line is read as the rules would read it, and what is odd in any way is doubtful; no session."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from odd_lines import ADVERT, JUDGING, PLAY, mutants
from polars.testing import assert_frame_equal

from pozytywka_spark.ingest.contracts import SESSIONS
from pozytywka_spark.ingest.first_look import look_first
from pozytywka_spark.ingest.joined import Origin
from pozytywka_spark.ingest.judged import Judged
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.ingest.textlines import Lines, Piece, lines_in

TIME = datetime(2023, 1, 3, 5, 9, 55, tzinfo=UTC)


def piece(lines: list[str], end: bytes = b"\n") -> Piece:
    # as bytes, for some hold half of a surrogate pair
    return Piece(b"".join(line.encode("utf-8", "surrogatepass") + end for line in lines), 0)


def nothing_lost(raw: str | None, path: str) -> list[tuple[int | None, int | None, str | None]]:
    return [(None, None, f"{path} {raw}")]


def judged(lines: Lines, sound: pl.DataFrame | None = None, judging: Judging = JUDGING):
    collected = Judged(SESSIONS, judging, nothing_lost)
    if sound is not None:
        collected.add_sound(sound.with_columns(source=pl.lit(7, pl.Int32)))
    collected.judge(Origin(7, "/d", None), lines)
    return collected.take()


def assert_both_ways_equal(lines: list[str], end: bytes = b"\n") -> int:
    """A first look and the rules for the rest, or the rules alone: the same rows; how many were sound."""
    given = piece(lines, end)
    seen = look_first(given, JUDGING)
    frames, stats = judged(seen.doubtful, seen.sound)
    by_rules, told = judged(
        Lines(*zip(*((t, o) for t, o in both(lines_in(given)) if t.strip(b" ")), strict=True))
    )
    assert stats == told
    assert frames.keys() == by_rules.keys()
    for kind, rows in frames.items():
        order = ["source_order"] if "source_order" in rows.columns else rows.columns
        assert_frame_equal(rows.sort(order), by_rules[kind].sort(order))
    return seen.sound.height


def both(lines: Lines):
    return zip(lines.texts, lines.offsets, strict=True)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=repr)
def test_whatever_the_line_it_becomes_what_the_rules_make_of_it(end: bytes) -> None:
    lines = [json.dumps(PLAY), json.dumps(ADVERT), *mutants(6000)]
    # both ways were gone often
    assert 0.15 * len(lines) < assert_both_ways_equal(lines, end) < 0.6 * len(lines)
