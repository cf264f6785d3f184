"""A month: ingest, features, check, forecast, fraud's three, monitor, train, gate, score, assign and on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.orchestration import (
    experiment_steps,
    feedback_steps,
    forecast_steps,
    fraud_steps,
    month_steps,
    serving_steps,
)
from pozytywka_spark.orchestration.month_steps import Month, Result
from pozytywka_spark.orchestration.state import (
    FAILED,
    RUNNING,
    SETTLED,
    StepState,
    digest,
    latest,
    now,
    read_states,
    record,
)

Watch = Callable[[StepState, bool], None]


@dataclass(frozen=True)
class Step:
    """A step: what it does, and what decides whether it has to be done again.

    `inputs` None: the stage itself knows what is new and leaves the rest alone, so it is always asked.
    """

    name: str
    run: Callable[[Month], Result]
    inputs: Callable[[Month], object] | None = None


def _monitored(month: Month) -> object:
    return [month_steps.features_until(month), deciding(month.settings, "monitoring")]


def _trained(month: Month) -> object:
    # "monthly" too: whether a training is due depends on it, and where the settings have the data begin and
    # end; where the events do isn't asked, for deliveries of later months move it and change nothing here
    settings = deciding(month.settings, "model", "report", "search", "monthly")
    advised = month.outcomes.get("monitor", {}).get("retrain_advised")
    return [month_steps.features_until(month), settings, advised]


def _weighed(month: Month) -> object:
    return [month.outcomes.get("train"), deciding(month.settings, "gate")]


STEPS = (
    Step("ingest", feedback_steps.take_in_month),
    Step("features", month_steps.build_month),
    Step("check", forecast_steps.check_month),
    Step("forecast", forecast_steps.forecast_month),
    Step("scan", fraud_steps.scan_month),
    Step("decide", fraud_steps.decide_month),
    Step("run", fraud_steps.run_month_of_moderation),
    Step("monitor", month_steps.monitor_month, _monitored),
    Step("train", month_steps.train_month, _trained),
    Step("gate", month_steps.gate_month, _weighed),
    Step("score", month_steps.score_month),
    Step("assign", experiment_steps.enrol_newcomers),
    Step("report", experiment_steps.read_experiments),
    Step("materialize", serving_steps.materialize_month),
)


def step_named(name: str) -> Step:
    """The step of that name. Raises `UsageError` naming them all."""
    for step in STEPS:
        if step.name == name:
            return step
    raise UsageError(f"--step {name}: no such step; steps: {', '.join(step.name for step in STEPS)}")


def run_month(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    month: date,
    watch: Watch,
    steps: Sequence[Step] = STEPS,
) -> list[StepState]:
    """Do all that is left to do of a month's work; the states of its steps.

    Every step is idempotent and its state is written after its work: killed anywhere, the same call
    goes on where it stopped and ends in the same tables. A step that was done from the same inputs is
    not done again, nor is its decision taken anew. `watch` hears of each step's beginning and end.
    Raises what a step raises, once its state says so.
    """
    before = read_states(lake, month)
    doing = Month(spark, settings, lake, month)
    return [_do(doing, step, latest(before, step.name), watch) for step in steps]


def run_step(
    spark: SparkSession, settings: Settings, lake: Lake, month: date, step: Step, watch: Watch
) -> StepState:
    """Do one step of a month's work, in a process of its own: what `run_month` does of it, and its state.

    What the steps before it came to is taken from the record. Raises `DataError` if one of them isn't done,
    and what the step raises.
    """
    before = read_states(lake, month)
    doing = Month(spark, settings, lake, month)
    for earlier in STEPS[: STEPS.index(step)]:
        state = latest(before, earlier.name)
        if state is None or state.state not in SETTLED:
            reached = "was never begun" if state is None else f"is {state.state}"
            raise DataError(
                f"step {step.name} of {month:%Y-%m} follows {earlier.name}, which {reached}: "
                f"do pipeline --monthly {month:%Y-%m} --step {earlier.name} first"
            )
        doing.outcomes[earlier.name] = state.outcome
    return _do(doing, step, latest(before, step.name), watch)


def _do(month: Month, step: Step, before: StepState | None, watch: Watch) -> StepState:
    inputs = digest(step.inputs(month)) if step.inputs else ""
    if step.inputs and before is not None and before.state in SETTLED and before.inputs == inputs:
        month.outcomes[step.name] = before.outcome
        watch(before, True)
        return before
    begun = StepState(month.month, step.name, RUNNING, inputs, "", now())
    record(month.lake, begun)
    watch(begun, False)
    try:
        result = step.run(month)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        failed = replace(begun, state=FAILED, detail=lines[0][:500], finished_at=now())
        record(month.lake, failed)
        watch(failed, False)
        raise
    ended = replace(
        begun, state=result.state, detail=result.detail, outcome=result.outcome, finished_at=now()
    )
    record(month.lake, ended)
    month.outcomes[step.name] = ended.outcome
    watch(ended, False)
    return ended
