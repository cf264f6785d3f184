"""Cases from account-days and rings: tables in, the whole table out."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.fraud.cases.case_rows import (
    CASE_ROWS,
    case_id,
    random_days,
    ring_cases,
    rule_cases,
    unknown_cases,
    unruled,
)
from pozytywka_spark.fraud.cases.judged import answers
from pozytywka_spark.fraud.cases.work import MakeCases, MonthCases
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.rules.grammar import Condition, Rule
from tests.fraud.made import day_rows
from tests.in_memory import MemoryTasks

MAY = date(2023, 5, 1)


def rule(name: str, group: str, *conditions: tuple[str, str, float]) -> Rule:
    return Rule(name, group, name, tuple(Condition(*each) for each in conditions))


MANY = rule("many", "bots", ("plays", ">", 100))
MORE = rule("more", "bots", ("plays", ">", 200))
NIGHT = rule("night", "hijacked", ("night_share", ">=", 0.5))
RULES = (MANY, MORE, NIGHT)
FAR = day_rows({"user_id": 1001, **dict.fromkeys(NAMES, 40.0), "night_share": 0.1})


def midnight(day: int, month: int = 5) -> datetime:
    return datetime(2023, month, day, tzinfo=UTC)


def test_an_account_day_is_one_case_of_a_group() -> None:
    days = day_rows(
        {"user_id": 3, "plays": 250.0, "night_share": 0.5},
        {"user_id": 2, "plays": 150.0, "day": date(2023, 5, 3)},
        {"user_id": 1, "plays": 100.0, "night_share": None},
    )
    third, fourth = date(2023, 5, 3), date(2023, 5, 4)
    ends = {third: midnight(4), fourth: midnight(5)}
    expected = [
        (case_id(group, day, [user]), group, [user], day, ends[day], ends[day], rules, None, harm)
        for group, user, day, rules, harm in [
            ("bots", 2, third, ["many"], 150.0),
            ("bots", 3, fourth, ["many", "more"], 250.0),
            ("hijacked", 3, fourth, ["night"], 250.0),
        ]
    ]
    assert_frame_equal(rule_cases(days, RULES), pl.DataFrame(expected, schema=CASE_ROWS, orient="row"))
    assert unruled(days, RULES).get_column("user_id").to_list() == [1]
    assert unruled(days, ()).height == 3


def test_the_id_is_as_stated() -> None:
    text = json.dumps(["bots", "2023-05-04", [2, 30, 100]])
    assert case_id("bots", date(2023, 5, 4), [100, 2, 30]) == hashlib.sha256(text.encode()).hexdigest()[:32]


def test_a_ring_is_one_case_of_its_month() -> None:
    rings = pl.DataFrame(
        {
            "month": [MAY] * 3,
            "ring": ["2023-05 4", "2023-05 4", "2023-05 7"],
            "user_id": [9, 4, 7],
            "score": [1.0, 2.0, 3.0],
            "tracks": [["t"], ["t", "u"], []],
        }
    )
    cases = ring_cases(rings, {"2023-05 4": 33.0})
    last, end = date(2023, 5, 31), midnight(1, 6)
    expected = [
        (case_id("rings", last, [4, 9]), "rings", [4, 9], last, end, end, ["ring"], "2023-05 4", 33.0),
        (case_id("rings", last, [7]), "rings", [7], last, end, end, ["ring"], "2023-05 7", 0.0),
    ]
    assert_frame_equal(cases, pl.DataFrame(expected, schema=CASE_ROWS, orient="row"))


def test_the_unknown_are_far_or_drawn_or_both() -> None:
    days = day_rows({"user_id": 1, "plays": 5.0}, {"user_id": 2}, {"user_id": 3})
    cases = unknown_cases(days[[0, 1]], days[[1, 2]])
    assert cases.get_column("accounts").to_list() == [[1], [2], [3]]
    far, drawn = "farthest_from_the_rest", "at_random"
    assert cases.get_column("rules").to_list() == [[far], [drawn, far], [drawn]]
    assert set(cases["group"]) == {"unknown"}


@pytest.mark.thorough
@pytest.mark.parametrize("share", [0.0, 0.02, 1.0])
def test_days_at_random_are_the_same_ones_in_any_company(share: float) -> None:
    days = day_rows(*({"user_id": user} for user in range(20_000)))
    drawn = random_days(days, share, seed=7).get_column("user_id")
    assert len(drawn) / days.height == pytest.approx(share, abs=0.005)
    half = random_days(days[::2], share, seed=7).get_column("user_id")
    assert half.to_list() == [user for user in drawn.to_list() if user % 2 == 0]


def month(tasks: MemoryTasks, days: pl.DataFrame, *, over: bool = True, parts: int = 2) -> MonthCases:
    files = [tasks.files.put_file(days[part::parts], {}) for part in range(parts)]
    return MonthCases(MAY, tuple(files), over=over)


def made(tasks: MemoryTasks, item: MonthCases, **more: object) -> tuple[pl.DataFrame, dict]:
    work = MakeCases(RULES, **{"unknown_share": 0.01, "random_share": 0.0, "seed": 7, "most": 1000, **more})  # type: ignore[arg-type]
    done = tasks.run([item], work, weight=lambda one: one.size, named=lambda one: "month")
    rows = [tasks.rows(one) for one in done.written]
    return pl.concat(rows) if rows else CASE_ROWS.to_frame(), dict(done.results[0])


def quiet_days(count: int = 300) -> pl.DataFrame:
    return day_rows(*({"user_id": user, "plays": float(user % 20)} for user in range(count)))


def test_a_month_of_cases() -> None:
    odd = day_rows(
        {"user_id": 1001, **dict.fromkeys(NAMES, 40.0), "night_share": 0.1}, {"user_id": 1002, "plays": 300.0}
    )
    days = pl.concat([quiet_days(), odd])
    cases, told = _month_of(days)
    assert told == {
        "month": "2023-05-01", "days": 302, "rings": 0, "cases": 4,
        "flagged": {"many": 1, "more": 1, "night": 0},
    }  # fmt: skip
    by_group = dict(cases.group_by("group").agg(pl.col("accounts").explode()).iter_rows())
    assert by_group["bots"] == [1002]
    # three of 302 lie farthest, not the one that a rule knows
    assert 1001 in by_group["unknown"]
    assert 1002 not in by_group["unknown"]
    assert len(by_group["unknown"]) == 3


def _month_of(days: pl.DataFrame, **more: object) -> tuple[pl.DataFrame, dict]:
    tasks = MemoryTasks()
    over = bool(more.pop("over", True))
    return made(tasks, month(tasks, days, over=over), **more)


def test_a_month_that_is_not_over_has_no_farthest() -> None:
    cases, told = _month_of(quiet_days(), over=False)
    assert (cases.height, told["days"], told["cases"]) == (0, 300, 0)


def test_beyond_memory_the_rest_is_a_sample_of_it() -> None:
    days = pl.concat(
        [quiet_days(2000), day_rows({"user_id": 5000, **dict.fromkeys(NAMES, 40.0), "night_share": 0.1})]
    )
    whole, _ = _month_of(days, unknown_share=0.001, most=10_000)
    sampled, _ = _month_of(days, unknown_share=0.001, most=1000)
    assert [5000] in whole["accounts"].to_list()
    assert [5000] in sampled["accounts"].to_list()


def test_no_day_makes_no_case() -> None:
    tasks = MemoryTasks()
    cases, told = made(tasks, MonthCases(MAY, ()))
    assert (cases.height, told["days"], told["cases"]) == (0, 0, 0)


def test_the_harm_of_a_ring_is_its_plays_of_its_tracks() -> None:
    tasks = MemoryTasks()
    rings = pl.DataFrame(
        {
            "month": [MAY] * 2,
            "ring": ["r", "r"],
            "user_id": [1, 2],
            "score": [1.0, 1.0],
            "tracks": [["a"], ["b"]],
        }
    )
    events = pl.DataFrame(
        [
            (1, "PLAY", "a"),
            (1, "PLAY", "b"),
            (1, "SKIP", "a"),
            (2, "PLAY", "c"),
            (3, "PLAY", "a"),
            (2, "PLAY", "b"),
        ],
        schema=["user_id", "event_type", "track_id"],
        orient="row",
    )
    files = [tasks.files.put_file(rows, {}) for rows in (quiet_days(), rings, events)]
    cases, told = made(tasks, MonthCases(MAY, (files[0],), (files[1],), (files[2],)))
    (ring,) = cases.filter(pl.col("group") == "rings").to_dicts()
    assert (ring["harm"], ring["accounts"], told["rings"]) == (3.0, [1, 2], 1)


def test_answers_are_the_more_frequent_and_on_a_tie_the_first() -> None:
    rows = [
        ("one", "bad", 1), ("two", "ok", 1), ("two", "bad", 2), ("three", "bad", 3), ("three", "ok", 4),
        ("three", "ok", 5), ("unsure", "unsure", 1), ("four", "unsure", 1), ("four", "bad", 2),
    ]  # fmt: skip
    found = answers(pl.DataFrame(rows, schema=["case_id", "verdict", "decided_at"], orient="row"))
    assert dict(found.iter_rows()) == {"one": True, "two": False, "three": False, "four": True}
