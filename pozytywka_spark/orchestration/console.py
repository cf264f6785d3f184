"""A month's work, told to the person at the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark import cli
from pozytywka_spark.monitoring.console import ALERTS
from pozytywka_spark.orchestration.stage import STEPS
from pozytywka_spark.orchestration.state import RUNNING, SETTLED, StepState
from pozytywka_spark.training.console import KEPT


def show_step(state: StepState, already_done: bool) -> None:
    """One line at a step's beginning, and one at its end."""
    if state.state == RUNNING:
        cli.say(f"▸ {state.step} …")
        return
    before = " before" if already_done else ""
    cli.say(f"  {state.step} {state.state}{before}: {state.detail}")


def exit_code(state: StepState) -> int:
    """What the step's own job ends with: 3 if the gate kept the champion, 4 if something alerts, else 0."""
    if state.step == "gate" and state.outcome.get("kept"):
        return KEPT
    if state.step == "check" and state.outcome.get("alarms"):
        return ALERTS
    return ALERTS if state.step == "monitor" and state.outcome.get("alerts") else 0


def show_month(states: Sequence[StepState]) -> None:
    """The months' steps as a table, and what is left of the last one."""
    if not states:
        cli.say("no month's work is on record: begin with scripts/submit.sh pipeline --monthly YYYY-MM")
        return
    place = {step.name: at for at, step in enumerate(STEPS)}
    ordered = sorted(states, key=lambda each: (each.month, place.get(each.step, len(place))))
    cli.show_table("monthly work", [_row(each) for each in ordered])
    last = max(each.month for each in states)
    settled = {each.step for each in states if each.month == last and each.state in SETTLED}
    left = [step.name for step in STEPS if step.name not in settled]
    if left:
        cli.say(f"left of {last:%Y-%m}: {', '.join(left)}; go on with --monthly {last:%Y-%m}")
    else:
        cli.say(f"{last:%Y-%m} is done")


def _row(state: StepState) -> dict[str, object]:
    spent = state.finished_at and (state.finished_at - state.started_at).total_seconds()
    return {
        "month": f"{state.month:%Y-%m}",
        "step": state.step,
        "state": state.state,
        "seconds": "–" if spent is None else f"{spent:.1f}",
        "what": state.detail,
    }
