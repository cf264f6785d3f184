"""What a side's state was at any time, and what decisions follow from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.factory.decide_work import DecideGroups, Decider, Ruling, Side
from pozytywka_spark.factory.inputs import Group
from pozytywka_spark.factory.states import DISCARDED, LAKE, LIVE, SHADOW, STOPPED, TABLE, States, changed
from pozytywka_spark.months import as_micros
from tests.in_memory import MemoryFiles

START = datetime(2024, 1, 1, tzinfo=UTC)


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def row(build: str, side: str, state: str, hour: int, group: str = "pace") -> dict:
    return {"build_id": build, "group": group, "side": side, "state": state, "effective_at": at(hour)}


ROWS = [
    row("a", "refuse", SHADOW, 0),
    row("a", "approve", DISCARDED, 0),
    row("a", "refuse", LIVE, 10),
    row("b", "refuse", SHADOW, 20),
    row("b", "approve", SHADOW, 20),
    row("b", "refuse", LIVE, 30),
    row("b", "refuse", STOPPED, 40),
]


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (0, [("a", "refuse", SHADOW)]),
        (10, [("a", "refuse", LIVE)]),
        (20, [("a", "refuse", LIVE), ("b", "approve", SHADOW), ("b", "refuse", SHADOW)]),
        (30, [("b", "approve", SHADOW), ("b", "refuse", LIVE)]),
        (40, [("b", "approve", SHADOW)]),  # the one it replaced doesn't come back
    ],
)
def test_what_is_in_force(hour, expected) -> None:
    found = [(each["build_id"], each["side"], each["state"]) for each in States(ROWS).at(at(hour))]
    assert sorted(found) == expected


def test_history_and_live_spans() -> None:
    states = States(ROWS)
    assert states.history("a", "refuse") == [(at(0), SHADOW), (at(10), LIVE), (at(30), "")]
    assert states.history("b", "approve") == [(at(0), ""), (at(20), SHADOW)]
    assert states.live_spans() == [("pace", at(10), at(40))]
    assert States(ROWS[:3]).live_spans() == [("pace", at(10), None)]


def test_a_change_never_replaces_the_row_it_follows() -> None:
    assert changed(ROWS[0], STOPPED, "by hand", at(0))["effective_at"] == at(0) + timedelta(microseconds=1)
    assert changed(ROWS[0], STOPPED, "by hand", at(5))["effective_at"] == at(5)


def test_builds_of_tables_and_of_the_lake_share_no_state() -> None:
    of_tables = [
        row("t", "refuse", SHADOW, 15),
        row("t", "refuse", STOPPED, 25),
        row("t", "approve", LIVE, 35),
    ]
    rows = [{**each, "source": LAKE} for each in ROWS] + [{**each, "source": TABLE} for each in of_tables]
    states = States(rows)
    for hour in range(45):
        assert [each["build_id"] for each in states.of(LAKE).at(at(hour))] == [
            each["build_id"] for each in States(ROWS).at(at(hour))
        ]
        assert {each["build_id"] for each in states.of(TABLE).at(at(hour))} <= {"t"}
    assert states.of(LAKE).newest("pace", "refuse")["build_id"] == "b"
    assert states.of(LAKE).live_spans() == States(ROWS).live_spans()
    assert states.of(TABLE).live_spans() == [("pace", at(35), None)]


change = st.tuples(
    st.sampled_from(["a", "b"]),
    st.sampled_from(["refuse", "approve"]),
    st.sampled_from([SHADOW, LIVE, STOPPED]),
    st.integers(0, 30),
)


@pytest.mark.thorough
@given(st.lists(change, min_size=1, max_size=8, unique_by=lambda one: (one[0], one[1], one[3])), st.data())
def test_nothing_is_live_unless_its_side_was_live_then(changes, data) -> None:
    states = States([row(*each) for each in changes])
    hours = data.draw(st.lists(st.integers(0, 31), min_size=1, max_size=10))
    score = np.array([0.9 if place % 2 else 0.1 for place in range(len(hours))])
    cases = pl.DataFrame(
        {
            "case_id": [f"c{place}" for place in range(len(hours))],
            "opened_at": [as_micros(at(hour)) for hour in hours],
            "score": score,
        }
    )
    files = MemoryFiles()
    group = Group("pace", len(hours), rows=(files.put("rows", cases, ("pace",)),))
    for build in sorted({each[0] for each in changes}):
        sides = tuple(
            Side(side, 0.5, tuple((as_micros(when), state) for when, state in states.history(build, side)))
            for side in sorted({each[1] for each in changes if each[0] == build})
        )
        booster = {
            "group": "pace",
            "score_column": "score",
            "signals": "",
            "features": [],
            "categories": "{}",
        }
        boosters = files.put_file(pl.DataFrame([booster]), {"build_id": build})
        work = DecideGroups(Ruling((), 0.3, "salt"), (), (boosters,), ())
        list(work([(group, (Decider(build, sides, 0),))], files))
    opened = dict(zip(cases["case_id"], hours, strict=True))
    for _, _, written in files.written:
        for case, decision, mode, build in written.select("case_id", "decision", "mode", "build_id").rows():
            held = [
                each["state"]
                for each in states.at(at(opened[case]))
                if (each["build_id"], each["side"]) == (build, decision)
            ]
            if decision == "person":
                continue
            assert mode in ("audit", *held)
            assert held
