"""Inputs of moderation as frames, from the cases that the plain replay reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from tests.moderation.plain_replay import Case

CASES = {"case_id": pl.String, "group": pl.String, "opened_at": pl.Int64}
ANSWERS = {
    "case_id": pl.String,
    "reviewer": pl.String,
    "verdict": pl.String,
    "source": pl.String,
    "decided_at": pl.Int64,
}
DECISIONS = {"case_id": pl.String, "decision": pl.String, "mode": pl.String, "release_at": pl.Int64}
LOOKS = {"case_id": pl.String, "requested_at": pl.Int64, "looks": pl.Int32}
BEFORE = {"case_id": pl.String, "verdict": pl.String}


def cases_frame(rows: Sequence[tuple[str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=CASES, orient="row")


def answers_frame(rows: Sequence[tuple[str, str, str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ANSWERS, orient="row")


def decisions_frame(rows: Sequence[tuple[str, str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=DECISIONS, orient="row")


def looks_frame(rows: Sequence[tuple[str, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=LOOKS, orient="row")


def before_frame(rows: Mapping[str, str] | None = None) -> pl.DataFrame:
    return pl.DataFrame(list((rows or {}).items()), schema=BEFORE, orient="row")


def of_cases(cases: Sequence[Case]) -> dict[str, pl.DataFrame]:
    """The arguments of `releases_of` that say what happened."""
    return {
        "cases": cases_frame([(case.case_id, "pace", 0) for case in cases]),
        "answers": answers_frame(
            [(case.case_id, who, word, "person", when) for case in cases for when, who, word in case.answers]
        ),
        "decisions": decisions_frame(
            [(case.case_id, what, mode, when) for case in cases for when, mode, what in case.decisions]
        ),
        "looks": looks_frame(
            [(case.case_id, case.asked_again, 3) for case in cases if case.asked_again is not None]
        ),
    }
