"""Which cases are open, and how they stand in the file."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pozytywka_spark.config.moderation import Moderation
from pozytywka_spark.moderation.queue_work import FindOpen, WriteLines, harm_bin, open_cases, queue_lines
from pozytywka_spark.moderation.rows import CASES, DECISIONS, LOOKS, VERDICTS, Files
from tests.in_memory import MemoryTasks
from tests.moderation.frames import answers_frame, decisions_frame, looks_frame
from tests.moderation.world import case

QUEUED = pl.Schema({**CASES, "rules": pl.List(pl.String), "harm": pl.Float64()})


def test_open_are_the_unanswered_and_those_of_which_more_looks_are_wanted() -> None:
    names = [
        "asked",
        "answered",
        "unsure",
        "live",
        "shadow",
        "audit",
        "left to people",
        "again",
        "thrice",
        "appealed",
    ]
    people = [
        ("answered", "Ann", "ok", "person", 1),
        ("unsure", "Ann", "unsure", "person", 1),
        ("again", "Ann", "bad", "person", 1),
        ("again", "Ben", "ok", "person", 1),
        ("again", "silence", "ok", "silence", 1),
        *(("thrice", who, "bad", "person", 1) for who in ("Ann", "Ben", "Cat")),
        ("appealed", "Ann", "bad", "person", 1),
        ("appealed", "Cat", "ok", "appeal", 2),
    ]
    decided = [
        ("live", "refuse", "live", 9),
        ("shadow", "refuse", "shadow", 9),
        ("audit", "approve", "audit", 9),
    ]
    decided.append(("left to people", "person", "live", 9))
    found = open_cases(
        pl.DataFrame({"case_id": names}),
        answers_frame(people),
        decisions_frame(decided),
        looks_frame([(name, 5, 3) for name in ("again", "thrice", "appealed")]),
    )
    assert sorted(found["case_id"]) == ["again", "asked", "audit", "left to people", "shadow"]


def files_of(tasks: MemoryTasks, schema: pl.Schema, rows: Sequence[dict[str, object]]) -> Files:
    whole = [{name: row.get(name) for name in schema.names()} for row in rows]
    return Files((tasks.files.put_file(pl.DataFrame(whole, schema=schema), {}),), schema)


@pytest.mark.thorough
@given(
    harms=st.lists(st.none() | st.floats(0, 2000).map(round), min_size=1, max_size=30),
    slices=st.integers(1, 3),
)
def test_most_harm_first_across_slices_and_bins(harms, slices) -> None:
    tasks = MemoryTasks()
    cases = [case(f"c{n:02}", n, n % 40, harm=harm) for n, harm in enumerate(harms)]
    nothing = [files_of(tasks, schema, []) for schema in (VERDICTS, DECISIONS, LOOKS)]
    find = FindOpen(slices, files_of(tasks, QUEUED, cases), *nothing, None, None)
    opened = tuple(tasks.run(range(slices), find, weight=lambda _: 1, named=str).parcels)
    bins = sorted({parcel.key[1] for parcel in opened}, reverse=True)
    lines = tasks.run(bins, WriteLines((), opened, ()), weight=lambda _: 1, named=str).parcels
    ordered = sorted(lines, key=lambda parcel: -int(parcel.key[0]))
    told = [json.loads(line)["case_id"] for parcel in ordered for line in tasks.fetch([parcel])["line"]]
    oldest = sorted(cases, key=lambda row: (-(row["harm"] or 0), row["opened_at"], row["case_id"]))
    assert told == [row["case_id"] for row in oldest]


def test_a_line_says_no_more_than_it_may() -> None:
    rows = pl.DataFrame(
        [("a", "pace", [1], 0, 86_400_000_000, 86_400_000_000, None, ["x"], 3.0)],
        schema={**QUEUED, "day": pl.Int32(), "cut_off": pl.Int64(), "opened_at": pl.Int64()},
        orient="row",
    ).with_columns(pl.col("day").cast(pl.Date))
    sums = pl.DataFrame(
        {
            "case_id": ["a"],
            "bin": [2],
            "sum pace": [6.0],
            "count pace": [2],
            "sum gap": [0.0],
            "count gap": [0],
        }
    )
    line = json.loads(queue_lines(rows, sums, ["pace", "gap"])["line"][0])
    assert line == {
        "case_id": "a",
        "group": "pace",
        "accounts": [1],
        "day": "1970-01-01",
        "cut_off": "1970-01-02T00:00:00Z",
        "opened_at": "1970-01-02T00:00:00Z",
        "rules": ["x"],
        "signals": {"pace": 3.0, "gap": None},
    }


def test_bins_rise_with_harm() -> None:
    frame = pl.DataFrame({"harm": [None, -1.0, 0.0, 0.9, 1.0, 2.9, 3.0, 1000.0]})
    assert frame.select(harm_bin())["harm"].to_list() == [0, 0, 0, 0, 1, 1, 2, 9]


def test_a_ladder_never_falls() -> None:
    with pytest.raises(ValidationError, match="at least as long as the one before"):
        Moderation(ladder_hours=(0, 24, 12))
