"""Champion and challenger in a real registry: promoted, kept, rolled back, told by exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import xgboost

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import by_version, pin
from pozytywka_spark.dataset.questions import Here
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.dataset.table_job import training_table
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.models.booster import Trees, load
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.promotion import aliases
from pozytywka_spark.promotion.aliases import GateReport, roll_back, run_gate, set_aliases
from pozytywka_spark.promotion.gate import Decision
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import Tracking, connect
from pozytywka_spark.training.console import show_gate
from tests.worlds.trained import Trained


def named(trained: Trained, name: str) -> Settings:
    return trained.settings.model_copy(
        update={"mlflow": trained.settings.mlflow.model_copy(update={"model_name": name})}
    )


def register(tracking: Tracking, model: ServingModel) -> int:
    with runs.run(tracking, "by hand", tags={}) as run_id:
        logged = registry.log_model(tracking, run_id, model, {"xgboost": xgboost.__version__})
    return registry.register(tracking, run_id, logged, {registry.GUARDS: registry.PASSED}).number


@pytest.fixture(scope="module")
def good(trained: Trained) -> ServingModel:
    return registry.load_model(connect(trained.settings))


@pytest.fixture(scope="module")
def weak(good: ServingModel) -> ServingModel:
    """The same model with a single tree."""
    return replace(good, predictor=Trees(bytes(load(good.predictor.content())[:1].save_raw("ubj")), 1))


def test_a_weak_challenger_is_kept_out_and_a_good_one_gets_in_and_back_out(
    trained: Trained, good: ServingModel, weak: ServingModel
) -> None:
    settings = named(trained, "gate")
    tracking = connect(settings)
    for alias, model in ((registry.CHAMPION, good), (registry.CHALLENGER, weak)):
        registry.set_alias(tracking, alias, register(tracking, model))
    kept = run_gate(settings, trained.lake, dry_run=False)
    assert (kept.champion, kept.decision.promote) == (1, False)
    assert "roc_auc is better in" in kept.decision.reasons[0]

    registry.set_alias(tracking, registry.CHAMPION, 2)
    registry.set_alias(tracking, registry.CHALLENGER, 1)
    tried = run_gate(settings, trained.lake, dry_run=True)
    assert (tried.champion, tried.decision.promote) == (2, True)
    assert registry.aliased(tracking, registry.CHAMPION).number == 2
    assert run_gate(settings, trained.lake, dry_run=False).champion == 1
    assert registry.aliased(tracking, registry.CHAMPION).number == 1
    assert roll_back(settings) == (1, 2)
    assert registry.aliased(tracking, registry.CHAMPION).number == 2


def test_a_champion_of_another_catalogue_gives_way_to_one_that_can_score(
    trained: Trained, good: ServingModel
) -> None:
    settings = named(trained, "catalogue")
    tracking = connect(settings)
    registry.set_alias(
        tracking, registry.CHAMPION, register(tracking, replace(good, catalogue_hash="0" * 64))
    )
    registry.set_alias(tracking, registry.CHALLENGER, register(tracking, good))
    found = run_gate(settings, trained.lake, dry_run=True)
    assert found.decision.promote
    assert "another catalogue" in found.decision.reasons[0]


def test_a_model_without_the_mark_of_the_guards_is_kept_out(trained: Trained, good: ServingModel) -> None:
    settings = named(trained, "unguarded")
    tracking = connect(settings)
    with runs.run(tracking, "by hand", tags={}) as run_id:
        logged = registry.log_model(tracking, run_id, good, {"xgboost": xgboost.__version__})
    version = registry.register(tracking, run_id, logged, {})
    registry.set_alias(tracking, registry.CHALLENGER, version.number)
    found = run_gate(settings, trained.lake, dry_run=True)
    assert not found.decision.promote
    assert "bears no mark that all guards passed" in found.decision.reasons[0]


def test_rows_that_a_model_was_trained_on_are_no_ground_for_a_comparison(
    trained: Trained, good: ServingModel, weak: ServingModel
) -> None:
    settings = named(trained, "seen")
    tracking = connect(settings)
    registry.set_alias(
        tracking, registry.CHAMPION, register(tracking, replace(weak, trained_until="2031-01"))
    )
    registry.set_alias(tracking, registry.CHALLENGER, register(tracking, good))
    found = run_gate(settings, trained.lake, dry_run=True)
    assert not found.decision.promote
    assert "no rows after 2031-01" in found.decision.reasons[0]


def test_nothing_registered_and_nothing_to_go_back_to_are_told(trained: Trained, good: ServingModel) -> None:
    settings = named(trained, "empty")
    with pytest.raises(TrackingError, match="no model empty@challenger is registered"):
        run_gate(settings, trained.lake, dry_run=False)
    with pytest.raises(TrackingError, match="nothing to roll back"):
        roll_back(settings)
    with pytest.raises(TrackingError, match="was the first champion: none to roll back to"):
        roll_back(trained.settings)


@pytest.mark.parametrize(
    ("promote", "code", "told"), [(True, 0, "promoted: version 5"), (False, 3, "kept: version 4")]
)
def test_the_exit_code_says_the_decision(promote: bool, code: int, told: str) -> None:
    from pozytywka_spark import cli

    settled = GateReport(5 if promote else 4, 5, Decision(promote, ("because",)))
    with cli.OUT.capture() as shown:
        assert show_gate(settled, dry_run=False) == code
    assert told in shown.get()


def test_a_decision_stands_until_rows_or_settings_change(
    trained: Trained, good: ServingModel, weak: ServingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Train and gate decide by one rule in one place: what was weighed once isn't weighed again unasked."""
    settings = named(trained, "once")
    tracking = connect(settings)
    for alias, model in ((registry.CHAMPION, good), (registry.CHALLENGER, weak)):
        registry.set_alias(tracking, alias, register(tracking, model))
    weighed: list[str] = []
    real = aliases.compare

    def counted(*given: object, **more: object) -> Decision:
        weighed.append("once")
        return real(*given, **more)

    monkeypatch.setattr(aliases, "compare", counted)
    asked = Here(table_of(settings, trained.lake))
    version = registry.aliased(tracking, registry.CHALLENGER)
    assert set_aliases(tracking, version, asked, settings).champion == 1
    assert len(weighed) == 1
    repeated = run_gate(settings, trained.lake, dry_run=False)
    assert (repeated.champion, repeated.decision.promote, len(weighed)) == (1, False, 1)
    assert "kept out by champion 1 before, on the same rows and settings: not weighed" in repeated.reasons[0]

    version = registry.aliased(tracking, registry.CHALLENGER)
    assert set_aliases(tracking, version, asked, settings).decision == repeated.decision
    assert len(weighed) == 1
    run_gate(settings, trained.lake, dry_run=True, again=True)
    assert len(weighed) == 2
    gate = settings.gate.model_copy(update={"max_slice_drop": 0.9})
    run_gate(settings.model_copy(update={"gate": gate}), trained.lake, dry_run=True)
    assert len(weighed) == 3
    [table] = asked.ask([itself])
    set_aliases(tracking, version, Here(table.where(table.user_id % 5 != 0)), settings)
    assert len(weighed) == 4


def test_a_decision_on_the_same_versions_of_the_tables_stands_unasked(
    trained: Trained, good: ServingModel, weak: ServingModel
) -> None:
    settings = named(trained, "unasked")
    tracking = connect(settings)
    for alias, model in ((registry.CHAMPION, good), (registry.CHALLENGER, weak)):
        registry.set_alias(tracking, alias, register(tracking, model))
    first = run_gate(settings, trained.lake, dry_run=False)
    version = registry.aliased(tracking, registry.CHALLENGER)
    versions = by_version(pin(settings, trained.lake), settings)
    again = set_aliases(tracking, version, NobodyToAsk(), settings, versions=versions)
    assert (again.champion, first.decision.promote, again.decision.promote) == (1, False, False)
    assert "on the same rows and settings: not weighed again" in again.reasons[0]
    with pytest.raises(AssertionError, match="asked"):
        set_aliases(tracking, version, NobodyToAsk(), settings, versions="others")


def itself(table: TrainingTable) -> TrainingTable:
    return table


def table_of(settings: Settings, lake: Lake) -> TrainingTable:
    with training_table(pin(settings, lake), settings, lake) as laid:
        return laid.asked.ask([itself])[0]


class NobodyToAsk:
    def ask(self, questions: Sequence[Any], *, threads: int = 1) -> list[Any]:
        raise AssertionError("asked")


def test_what_was_rolled_back_by_hand_is_put_back_by_neither_job(
    trained: Trained, good: ServingModel, weak: ServingModel
) -> None:
    settings = named(trained, "by hand")
    tracking = connect(settings)
    for alias, model in ((registry.CHAMPION, weak), (registry.CHALLENGER, good)):
        registry.set_alias(tracking, alias, register(tracking, model))
    assert run_gate(settings, trained.lake, dry_run=False).champion == 2
    assert roll_back(settings) == (2, 1)
    kept = run_gate(settings, trained.lake, dry_run=False)
    assert (kept.champion, kept.decision.promote) == (1, False)
    assert "before, by hand: not weighed again" in kept.reasons[0]
    gate = settings.gate.model_copy(update={"max_slice_drop": 0.9})
    assert run_gate(settings.model_copy(update={"gate": gate}), trained.lake, dry_run=False).champion == 1
    assert run_gate(settings, trained.lake, dry_run=False, again=True).champion == 2
