"""The order, the memory and the decisions of a month's work, on steps that only count."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.cli import OUT
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake import Lake, open_lake
from pozytywka_spark.lake.data_span import DataSpan
from pozytywka_spark.orchestration import month_steps, stage
from pozytywka_spark.orchestration.console import exit_code, show_month
from pozytywka_spark.orchestration.month_steps import Month, Result
from pozytywka_spark.orchestration.stage import STEPS, Step, run_month, run_step
from pozytywka_spark.orchestration.state import (
    DONE,
    FAILED,
    RUNNING,
    SKIPPED,
    StepState,
    now,
    read_states,
    record,
)

MAY = date(2023, 5, 1)
# what a month remembers is read and written without Spark: any use of this fails
NO_SPARK = cast("SparkSession", object())


class Killed(BaseException):
    """As sudden as a SIGKILL: nothing in the code catches it."""


def quiet(_: StepState, __: bool) -> None:
    """Nobody watches."""


def place(tmp_path: Path) -> tuple[Settings, Lake]:
    settings = load_settings("local", [f"home={tmp_path}"])
    return settings, open_lake(settings, NO_SPARK)


def counting(name: str, calls: list[str], outcome: dict[str, int] | None = None) -> Callable[[Month], Result]:
    def run(_: Month) -> Result:
        calls.append(name)
        return Result(f"{name} ran", outcome=outcome or {})

    return run


@pytest.mark.thorough
def test_steps_run_once_in_order_and_again_only_if_their_inputs_changed(tmp_path: Path) -> None:
    settings, lake = place(tmp_path)
    calls: list[str] = []
    world = {"content": 1}
    steps = (
        Step("take", counting("take", calls)),
        Step("watch", counting("watch", calls, {"advised": 1}), lambda _: world["content"]),
        Step("train", counting("train", calls), lambda month: month.outcomes["watch"]["advised"]),
    )
    first = run_month(NO_SPARK, settings, lake, MAY, quiet, steps)
    assert calls == ["take", "watch", "train"]
    assert [(s.step, s.state, s.detail) for s in first] == [
        ("take", DONE, "take ran"), ("watch", DONE, "watch ran"), ("train", DONE, "train ran"),
    ]  # fmt: skip
    run_month(NO_SPARK, settings, lake, MAY, quiet, steps)
    assert calls[3:] == ["take"], "a step without inputs is always asked, the others remember"
    world["content"] = 2
    heard: list[tuple[str, str, bool]] = []
    run_month(NO_SPARK, settings, lake, MAY, lambda s, known: heard.append((s.step, s.state, known)), steps)
    assert calls[4:] == ["take", "watch"], "what watching found is the same, so training need not follow"
    assert heard == [
        ("take", RUNNING, False), ("take", DONE, False), ("watch", RUNNING, False), ("watch", DONE, False),
        ("train", DONE, True),
    ]  # fmt: skip
    run_month(NO_SPARK, settings, lake, date(2023, 6, 1), quiet, steps)
    assert calls[6:] == ["take", "watch", "train"], "another month has a memory of its own"
    assert [s.month.month for s in read_states(lake)] == [5, 5, 5, 6, 6, 6]


@pytest.mark.thorough
def test_a_month_that_failed_or_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    settings, lake = place(tmp_path)
    calls: list[str] = []
    trouble: list[BaseException] = [Killed(), DataError("no months\nand more")]

    def brittle(_: Month) -> Result:
        calls.append("brittle")
        if trouble:
            raise trouble.pop()
        return Result("whole again", SKIPPED)

    steps = (
        Step("take", counting("take", calls), lambda _: "same"),
        Step("brittle", brittle, lambda _: "same"),
        Step("last", counting("last", calls), lambda _: "same"),
    )
    with pytest.raises(DataError):
        run_month(NO_SPARK, settings, lake, MAY, quiet, steps)
    assert [(s.step, s.state, s.detail) for s in read_states(lake, MAY)] == [
        ("take", DONE, "take ran"), ("brittle", FAILED, "no months"),
    ]  # fmt: skip
    with pytest.raises(Killed):
        run_month(NO_SPARK, settings, lake, MAY, quiet, steps)
    assert [s.state for s in read_states(lake, MAY)] == [DONE, RUNNING]
    run_month(NO_SPARK, settings, lake, MAY, quiet, steps)
    run_month(NO_SPARK, settings, lake, MAY, quiet, steps)
    assert calls == ["take", "brittle", "brittle", "brittle", "last"]
    assert [s.state for s in read_states(lake, MAY)] == [DONE, SKIPPED, DONE]
    assert [s.detail for s in read_states(lake, MAY)] == ["take ran", "whole again", "last ran"]


@pytest.mark.thorough
def test_steps_one_at_a_time_are_a_whole_month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a process of its own: what the steps before it came to is on record, or it isn't its turn."""
    settings, lake = place(tmp_path)
    calls: list[str] = []
    trouble: list[Exception] = [DataError("no")]

    def brittle(month: Month) -> Result:
        if trouble:
            raise trouble.pop()
        return counting("train", calls, {"version": month.outcomes["watch"]["alerts"]})(month)

    take, watch, train = (
        Step("take", counting("take", calls)),
        Step("watch", counting("watch", calls, {"alerts": 7}), lambda _: "same"),
        Step("train", brittle, lambda month: month.outcomes["watch"]),
    )
    monkeypatch.setattr(stage, "STEPS", (take, watch, train))

    def do(step: Step) -> StepState:
        return run_step(NO_SPARK, settings, lake, MAY, step, quiet)

    with pytest.raises(DataError, match="step watch of 2023-05 follows take, which was never begun: do"):
        do(watch)
    assert not lake.exists("monthly_steps"), "a step whose turn it isn't leaves no trace"
    do(take)
    with pytest.raises(DataError, match="step train of 2023-05 follows watch, which was never begun"):
        do(train)
    do(watch)
    with pytest.raises(DataError, match="no"):
        do(train)
    assert do(train).outcome == {"version": 7}
    assert do(watch).outcome == {"alerts": 7}, "done from the same inputs: remembered"
    do(train)
    assert calls == ["take", "watch", "train"]
    record(lake, replace(read_states(lake, MAY)[0], state=RUNNING, started_at=now(), finished_at=None))
    with pytest.raises(DataError, match="step watch of 2023-05 follows take, which is running: do pipeline"):
        do(watch)


@pytest.mark.parametrize(
    ("step", "outcome", "code"),
    [
        ("gate", {"champion": 1, "kept": True}, 3),
        ("gate", {"champion": 2, "kept": False}, 0),
        ("gate", {}, 0),
        ("monitor", {"alerts": 2, "retrain_advised": False}, 4),
        ("monitor", {"alerts": 0, "retrain_advised": False}, 0),
        ("train", {"version": 3}, 0),
    ],
)
def test_a_step_ends_as_its_own_job_does(step: str, outcome: dict[str, object], code: int) -> None:
    assert exit_code(StepState(MAY, step, DONE, "", "", now(), now(), outcome)) == code


def test_what_is_left_of_a_month_is_told() -> None:
    states = [StepState(MAY, step.name, DONE, "", "well", now(), now()) for step in STEPS]
    with OUT.capture() as told:
        show_month(states)
        show_month([*states[:-2], replace(states[-2], state=FAILED), replace(states[-1], state=SKIPPED)])
        show_month(states[:8])
        show_month([])
    text = told.get()
    assert "2023-05 is done" in text
    assert "left of 2023-05: report; go on with --monthly 2023-05" in text
    assert "left of 2023-05: train, gate, score, assign, report, materialize;" in text
    assert "no month's work is on record" in text


@pytest.mark.parametrize(
    ("champion", "trained", "advised", "settings", "reason"),
    [
        (None, None, False, [], "no champion yet"),
        (1, None, False, [], "no month's work trained before"),
        (1, date(2023, 2, 1), False, [], "last trained in 2023-02"),
        (1, date(2023, 3, 1), False, [], None),
        (1, date(2023, 3, 1), True, [], "monitoring advised it"),
        (1, date(2023, 3, 1), True, ["monthly.retrain_on_drift=false"], None),
        (1, date(2023, 3, 1), False, ["monthly.retrain_every_months=2"], "last trained in 2023-03"),
        # a training of the month itself or of a later one is no reason to wait, or a restart would differ
        (1, MAY, False, [], "no month's work trained before"),
    ],
)
def test_when_a_month_trains(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    champion: int | None,
    trained: date | None,
    advised: bool,
    settings: list[str],
    reason: str | None,
) -> None:
    chosen = load_settings("local", [f"home={tmp_path}", *settings])
    states = [StepState(trained, "train", DONE, "", "", now())] if trained else []
    skipped = StepState(date(2023, 4, 1), "train", SKIPPED, "", "", now())
    monkeypatch.setattr(month_steps, "champion", lambda _: champion)
    monkeypatch.setattr(month_steps, "read_states", lambda _: [*states, skipped])
    month = Month(
        NO_SPARK, chosen, open_lake(chosen, NO_SPARK), MAY, {"monitor": {"retrain_advised": advised}}
    )
    assert month_steps.why_train(month) == reason


def test_states_are_kept_whole(tmp_path: Path) -> None:
    _, lake = place(tmp_path)
    begun = now()
    state = StepState(MAY, "train", DONE, "abc", "version 2", begun, now(), {"version": 2, "why": "due"})
    record(lake, StepState(MAY, "train", RUNNING, "abc", "", begun))
    record(lake, state)
    kept = read_states(lake, MAY)
    assert [(s.outcome, s.state, s.detail, s.inputs) for s in kept] == [
        ({"version": 2, "why": "due"}, DONE, "version 2", "abc")
    ]
    assert kept[0].started_at.timestamp() == begun.timestamp()


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (datetime(2023, 6, 1, tzinfo=UTC), "1 months built, 3 users in this one"),
        (
            datetime(2023, 5, 20, tzinfo=UTC),
            "1 months built, 3 users in this one; the month isn't complete: its data end on 2023-05-19",
        ),
    ],
)
def test_a_month_that_is_not_over_is_done_as_asked_and_said_to_be(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, end: datetime, told: str
) -> None:
    span = DataSpan(datetime(2023, 1, 1, tzinfo=UTC), end, date(2023, 1, 1), date(2031, 5, 5))
    built = SimpleNamespace(labels=[{"month": MAY, "rows": 3}], months=[MAY], span=span)
    scored = SimpleNamespace(rows=3, model_version=2, complete=span.is_complete(MAY))
    monkeypatch.setattr(month_steps, "build_features", lambda *_: built)
    monkeypatch.setattr(month_steps, "score", lambda *_: scored)
    month = Month(None, settings, None, MAY)  # type: ignore[arg-type]  # nothing is read
    assert month_steps.build_month(month).detail == told
    assert ("incomplete" in month_steps.score_month(month).detail) == ("isn't complete" in told)


def test_what_the_settings_say_of_the_data_asks_for_its_steps_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end that is found doesn't: a later month's delivery moves it and changes nothing of this one."""
    monkeypatch.setattr(month_steps, "features_until", lambda _: ["what features hold"])
    overridden = load_settings("local", [f"home={settings.home}", "data.end=2023-06-01"])
    steps = [step for step in STEPS if step.name in ("monitor", "train")]
    assert len(steps) == 2
    for step in steps:
        before, after = (step.inputs(Month(None, each, None, MAY)) for each in (settings, overridden))
        assert before != after
