"""When cases are released, and as what."""

from __future__ import annotations

import polars as pl
import pytest

from pozytywka_spark.moderation.outcome import late_answers, releases_of
from pozytywka_spark.months import DAY_MICROS as DAY
from tests.moderation.frames import answers_frame, before_frame, cases_frame, decisions_frame, looks_frame

NEVER = -(2**40)


def released(
    answers=(), decisions=(), looks=(), before=None, silence=None, since=NEVER, until=10**18, group="pace"
) -> list[tuple[str, str, int]]:
    rows = releases_of(
        cases_frame([("a", group, 0)]),
        answers_frame([("a", who, word, source, at) for who, word, source, at in answers]),
        decisions_frame([("a", what, mode, at) for what, mode, at in decisions]),
        looks_frame([("a", at, wanted) for at, wanted in looks]),
        before_frame(before),
        silence or {},
        since,
        until,
    )
    return rows.select("verdict", "cause", "released_at").rows()


ANN, BEN, CAT = (("Ann", "bad", "person", 5), ("Ben", "ok", "person", 7), ("Cat", "ok", "person", 9))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"answers": [ANN]}, [("bad", "person", 5)]),
        ({"answers": [ANN], "until": 5}, [("bad", "person", 5)]),
        ({"answers": [ANN], "until": 4}, []),
        ({"answers": [BEN, ANN]}, [("bad", "person", 5)]),
        ({"answers": [("Ann", "unsure", "person", 5), BEN]}, [("ok", "person", 7)]),
        ({"answers": [("chargeback", "bad", "chargeback", 5)]}, [("bad", "chargeback", 5)]),
        # what moderation itself wrote down is no answer
        ({"answers": [("silence", "ok", "silence", 5), ("Dan", "ok", "appeal", 6)]}, []),
        ({"decisions": [("refuse", "live", 6)]}, [("bad", "model", 6)]),
        ({"decisions": [("approve", "live", 6)]}, [("ok", "model", 6)]),
        ({"decisions": [("person", "live", 6)]}, []),
        ({"decisions": [("refuse", "shadow", 6), ("approve", "audit", 6)]}, []),
        ({"decisions": [("refuse", "live", 6)], "answers": [BEN]}, [("bad", "model", 6)]),
        ({"decisions": [("refuse", "live", 7)], "answers": [BEN]}, [("ok", "person", 7)]),
        ({"answers": [ANN, BEN, CAT], "looks": [(8, 3)]}, [("bad", "person", 5), ("ok", "person", 9)]),
        ({"answers": [ANN, BEN, CAT], "looks": [(20, 3)]}, [("bad", "person", 5), ("ok", "person", 20)]),
        ({"answers": [ANN, BEN], "looks": [(6, 3)]}, [("bad", "person", 5)]),
        (
            {
                "answers": [ANN, BEN, ("Cat", "unsure", "person", 9), ("Dan", "ok", "person", 11)],
                "looks": [(6, 3)],
            },
            [("bad", "person", 5)],
        ),
        ({"answers": [ANN, BEN, ("Cat", "bad", "person", 9)], "looks": [(6, 3)]}, [("bad", "person", 5)]),
        ({"silence": {"pace": 2}}, [("ok", "silence", 2 * DAY)]),
        ({"silence": {"pace": 2}, "until": 2 * DAY - 1}, []),
        ({"silence": {"other": 2}}, []),
        (
            {"silence": {"pace": 2}, "answers": [("c", "bad", "chargeback", 2 * DAY)]},
            [("bad", "chargeback", 2 * DAY)],
        ),
        (
            {"silence": {"pace": 2}, "answers": [("c", "bad", "chargeback", 3 * DAY)]},
            [("ok", "silence", 2 * DAY)],
        ),
    ],
)
def test_what_is_released_when(given, expected) -> None:
    assert released(**given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # settled by an earlier run: nothing new
        ({"answers": [ANN], "before": {"a": "bad"}, "since": 5}, []),
        # earlier by its own time, but it came in later
        ({"answers": [ANN, BEN], "before": {"a": "ok"}, "since": 8}, []),
        # too late for the earlier run: the instant after it
        ({"answers": [ANN], "since": 100}, [("bad", "person", 101)]),
        ({"answers": [ANN], "since": 100, "until": 100}, []),
        ({"decisions": [("refuse", "live", 6)], "since": 100}, [("bad", "model", 101)]),
        ({"silence": {"pace": 0}, "since": 100}, [("ok", "silence", 101)]),
        ({"answers": [ANN, BEN, CAT], "looks": [(8, 3)], "before": {"a": "ok"}, "since": 100}, []),
        (
            {"answers": [ANN, BEN, CAT], "looks": [(8, 3)], "before": {"a": "bad"}, "since": 100},
            [("ok", "person", 101)],
        ),
        # first answer and majority at one instant: the majority
        ({"answers": [ANN, BEN, CAT], "looks": [(8, 3)], "since": 100}, [("ok", "person", 101)]),
    ],
)
def test_what_an_earlier_run_settled_stays(given, expected) -> None:
    assert released(**given) == expected


def test_whole_rows_of_several_cases() -> None:
    rows = releases_of(
        cases_frame([("a", "pace", 0), ("b", "rings", 0), ("c", "pace", 0)]),
        answers_frame([("b", "Ann", "bad", "person", 3), ("unknown", "Ann", "bad", "person", 3)]),
        decisions_frame([("a", "refuse", "live", 4)]),
        looks_frame([]),
        before_frame(),
        {},
        NEVER,
        100,
    )
    assert rows.sort("case_id").rows() == [
        ("a", "pace", "bad", "model", 4, 4),
        ("b", "rings", "bad", "person", 3, 3),
    ]


def test_late_answers_are_counted() -> None:
    answers = answers_frame(
        [(case, "Ann", "bad", "person", at) for case, at in [("a", 5), ("b", 5), ("c", 50)]]
    )
    assert late_answers(answers, decisions_frame([]), before_frame({"a": "bad"}), 10) == 1
    assert late_answers(pl.concat([answers]), decisions_frame([]), before_frame(), 4) == 0
