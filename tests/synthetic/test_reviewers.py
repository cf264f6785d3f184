"""Reviewers: office hours, a case at a time, nobody twice for a case, the stated rates, the truth."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.errors import DataError
from pozytywka_spark.synthetic.reviewers.answers import Answer, Office, answers_to
from pozytywka_spark.synthetic.reviewers.cases import Case, Cheat, read_cases, truth_about
from pozytywka_spark.synthetic.reviewers.office import at_work, done_at
from pozytywka_spark.synthetic.reviewers.play import play

MONDAY = datetime(2022, 8, 1, tzinfo=UTC)
CHEATS = {1: [Cheat(1, MONDAY, MONDAY + timedelta(days=10))]}


def case(name: str, *accounts: int, day: datetime = MONDAY, days_open: int = 1) -> Case:
    cut_off = day + timedelta(days=days_open)
    return Case(name, "loops", accounts or (1,), day, cut_off, cut_off)


def many(count: int) -> list[Case]:
    return [case(f"{number:032x}", number % 2 + 1) for number in range(count)]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2022-08-01T07:59:59", "2022-08-01T08:00:00"),
        ("2022-08-01T08:00:00", "2022-08-01T08:00:00"),
        ("2022-08-01T17:59:59", "2022-08-01T17:59:59"),
        ("2022-08-01T18:00:00", "2022-08-02T08:00:00"),
        ("2022-08-05T18:00:00", "2022-08-08T08:00:00"),
        ("2022-08-06T12:00:00", "2022-08-08T08:00:00"),
        ("2022-08-07T00:00:00", "2022-08-08T08:00:00"),
    ],
)
def test_office_hours(time: str, expected: str) -> None:
    assert at_work(datetime.fromisoformat(time)) == datetime.fromisoformat(expected)


def test_what_is_not_done_by_evening_is_done_next_morning() -> None:
    start = datetime(2022, 8, 5, 17, 55)
    assert done_at(start, timedelta(minutes=4)) == datetime(2022, 8, 5, 17, 59)
    assert done_at(start, timedelta(minutes=5)) == datetime(2022, 8, 8, 8, 5)


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (case("a", 1), "bad"),
        (case("b", 2), "ok"),
        (case("c", 1, day=MONDAY + timedelta(days=9)), "bad"),
        (case("d", 1, day=MONDAY + timedelta(days=10)), "ok"),
        (case("e", 1, day=MONDAY - timedelta(days=1)), "ok"),
        (case("f", 1, 2), "unsure"),
        (case("g", 1, 2, 3), "ok"),
        (case("h", 1, 1, 2), "bad"),
        (case("i", 1, 1, day=MONDAY + timedelta(days=69)), "ok"),
        (case("j", 1, 1, day=MONDAY + timedelta(days=68)), "bad"),
    ],
)
def test_what_is_true_of_a_case(cases: Case, expected: str) -> None:
    assert truth_about(cases, CHEATS) == expected


@pytest.mark.thorough
@given(st.integers(1, 80), st.integers(1, 4), st.integers(0, 9))
def test_everyone_decides_one_case_at_a_time_in_office_hours(count: int, reviewers: int, seed: int) -> None:
    cases = many(count)
    answers = answers_to(cases, CHEATS, Office(reviewers, seed=seed))
    assert Counter(answer.case_id for answer in answers) == Counter(each.case_id for each in cases)
    for answer in answers:
        assert answer.decided_at > MONDAY + timedelta(days=1)
        assert at_work(answer.decided_at) == answer.decided_at
    times = Counter((answer.reviewer, answer.decided_at) for answer in answers)
    assert max(times.values()) == 1
    assert answers == answers_to(cases, CHEATS, Office(reviewers, seed=seed))


def test_the_first_in_the_queue_are_decided_first() -> None:
    queue = list(reversed(many(200)))
    answers = answers_to(queue, CHEATS, Office(reviewers=1))
    assert [answer.case_id for answer in answers] == [each.case_id for each in queue]


@pytest.mark.thorough
def test_errors_and_doubts_come_at_the_stated_rates() -> None:
    cases = many(4000)
    answers = {each.case_id: each.verdict for each in answers_to(cases, CHEATS, Office(40, 0.1, 0.05))}
    found = Counter((truth_about(each, CHEATS), answers[each.case_id]) for each in cases)
    for truth, wrong in (("bad", "ok"), ("ok", "bad")):
        assert found[truth, wrong] / 2000 == pytest.approx(0.095, abs=0.03)
        assert found[truth, "unsure"] / 2000 == pytest.approx(0.05, abs=0.02)
    assert all(
        answer.verdict == {"1": "bad", "0": "ok"}[str(1 - int(answer.case_id, 16) % 2)]
        for answer in answers_to(cases, CHEATS, Office(40))
    )


@pytest.mark.thorough
@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 8))
def test_nobody_answers_a_case_twice(count: int, reviewers: int, rounds: int) -> None:
    cases = many(count)
    office = Office(reviewers)
    before: list[Answer] = []
    for _ in range(rounds):
        latest = max((answer.decided_at for answer in before), default=MONDAY)
        answers = answers_to(cases, CHEATS, office, before)
        assert all(answer.decided_at > latest for answer in answers)
        before += answers
    assert max(Counter((each.case_id, each.reviewer) for each in before).values()) == 1
    assert len(before) == count * min(reviewers, rounds)


def line(name: str, user: int, day: str = "2022-08-01") -> str:
    cut_off = f"{day[:8]}{int(day[8:]) + 1:02}T00:00:00Z"
    row = {"case_id": name, "group": "loops", "accounts": [user], "day": day}
    return json.dumps({**row, "cut_off": cut_off, "opened_at": cut_off, "rules": ["x"], "signals": {}})


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    truth = tmp_path / "raw_truth"
    (truth / "accounts").mkdir(parents=True)
    (truth / "_world.json").write_text('{"world": {"fraud": {"rings": 0}}}')
    row = {"user_id": 1, "bad": True, "starts_at": "2022-08-01T00:00:00", "ends_at": "2022-08-11T00:00:00"}
    (truth / "accounts/part-00000.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path / "raw"


def test_a_queue_is_answered_once_and_the_same_again(delivery: Path, tmp_path: Path) -> None:
    queue, out = tmp_path / "queue.jsonl", tmp_path / "verdicts.jsonl"
    queue.write_text(f"{line('a', 1)}\n\n{line('b', 2)}\n")
    play(str(queue), str(out), str(delivery), Office())
    first = out.read_text()
    rows = {row["case_id"]: row for row in map(json.loads, first.splitlines())}
    assert {name: row["verdict"] for name, row in rows.items()} == {"a": "bad", "b": "ok"}
    assert set(rows["a"]) == {"case_id", "reviewer", "verdict", "decided_at"}
    assert rows["a"]["decided_at"].startswith("2022-08-02T08:")
    play(str(queue), str(out), str(delivery), Office())
    assert out.read_text() == first
    queue.write_text(f"{line('a', 1)}\n{line('c', 1, '2022-08-03')}\n")
    other = tmp_path / "more.jsonl"
    play(str(queue), str(other), str(delivery), Office())
    again = {row["case_id"]: row for row in map(json.loads, other.read_text().splitlines())}
    assert again["a"]["reviewer"] != rows["a"]["reviewer"]
    assert again["a"]["decided_at"] > "2022-08-04"
    assert set(again) == {"a", "c"}


@pytest.mark.parametrize(
    "text", ["{", "[]", "7", '{"case_id": "a"}', line("a", 1).replace("2022-08-01", "soon")]
)
def test_a_line_that_is_no_case(delivery: Path, tmp_path: Path, text: str) -> None:
    queue = tmp_path / "queue.jsonl"
    queue.write_text(f"{line('a', 1)}\n{text}\n")
    with pytest.raises(DataError, match=r"queue\.jsonl, line 2: no case"):
        play(str(queue), str(tmp_path / "out.jsonl"), str(delivery), Office())


def test_what_is_not_there_is_named(delivery: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing\.jsonl: no such file"):
        play(str(tmp_path / "missing.jsonl"), str(tmp_path / "out"), str(delivery), Office())
    queue = tmp_path / "queue.jsonl"
    queue.write_text("")
    with pytest.raises(DataError, match=r"elsewhere_truth: no truth there"):
        play(str(queue), str(tmp_path / "out"), str(tmp_path / "elsewhere"), Office())


def test_times_with_zones_are_utc() -> None:
    text = line("a", 1).replace("2022-08-02T00:00:00Z", "2022-08-02T02:00:00+02:00")
    assert read_cases(text, "queue")[0].opened_at == datetime(2022, 8, 2, tzinfo=UTC)
