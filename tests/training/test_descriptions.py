"""What MLflow's UI shows of a training and of what the gate made of it: no Spark, a real store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.dossier import publish, summary
from pozytywka_spark.promotion import aliases
from pozytywka_spark.promotion.gate import Decision
from pozytywka_spark.promotion.gate_rows import WeighedRows
from pozytywka_spark.tracking import notes, registry, runs
from pozytywka_spark.tracking.run_names import span
from pozytywka_spark.tracking.store import Tracking, connect

SIDES = {"train": ["2022-01", "2022-02"], "validation": ["2022-04"], "test": ["2022-06", "2022-07"]}


def facts_of(run: str, *, tuned: bool = False, auc: float = 0.7126) -> dict[str, Any]:
    """What descriptions need of a training's facts."""
    metrics = dict.fromkeys(summary.HEADLINE, 0.25) | {"roc_auc": auc}
    best = {"metrics": metrics, "intervals": {"roc_auc": [0.68, 0.74]}}
    blind = {"metrics": metrics | {"roc_auc": 0.5}, "intervals": {"roc_auc": [float("nan"), float("nan")]}}
    return {
        "run": run,
        "data": {
            "label": "buys_within_30_days",
            "horizon_days": 30,
            "features": 9,
            "catalogue": "c" * 64,
            "bars": {"split": SIDES, "fold 1": {}},
            "sides": [
                {"side": side, "months": span(months), "rows": 1200, "positives": 70}
                for side, months in SIDES.items()
            ],
        },
        "made": {
            "tuning": {"trials": [{}, {}]} if tuned else None,
            "trees": 33,
            "calibration": {"method": "platt"},
            "gate": load_settings("local").resolved()["gate"],
        },
        "models": {"majority": blind, "logistic": best, "xgboost": best},
        "remarks": ["only 12 positives in all"],
    }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings("local", [f"home={tmp_path}"])


@pytest.fixture
def tracking(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Tracking:
    monkeypatch.setattr(publish, "dossier", lambda facts, outcome: f"page of {facts['run']} {outcome}")
    monkeypatch.setattr(registry, "load_version", lambda *_: None)
    return connect(settings)


Register = Callable[..., registry.Version]


@pytest.fixture
def trained_by_hand(tracking: Tracking) -> Register:
    """A run with facts and the version it registers, without a model."""

    def register(*, tuned: bool = False) -> registry.Version:
        with runs.run(tracking, "train", tags={notes.KIND: "training"}) as run:
            runs.log_json(tracking, run, facts_of(run, tuned=tuned), publish.FACTS)
        if not tracking.client.search_registered_models():
            tracking.client.create_registered_model(tracking.model_name)
        tags = {registry.TRAINING_RUN: run, registry.GUARDS: registry.PASSED}
        made = tracking.client.create_model_version(tracking.model_name, f"runs:/{run}/model", run, tags=tags)
        registry.set_alias(tracking, registry.CHALLENGER, int(made.version))
        return registry.numbered(tracking, int(made.version))

    return register


def weigh(tracking: Tracking, settings: Settings, monkeypatch: pytest.MonkeyPatch, *, promote: bool) -> None:
    """The gate over the present aliases, whose comparison says `promote`."""
    decision = Decision(promote, (f"roc_auc is better in {'99' if promote else '41'}.0% of replicates",))
    monkeypatch.setattr(aliases, "compare", lambda *_, **__: decision)
    monkeypatch.setattr(aliases.past_decisions, "inputs_of", lambda *_: "rows")
    challenger = registry.aliased(tracking, registry.CHALLENGER)
    assert challenger is not None
    champion = registry.aliased(tracking, registry.CHAMPION)
    aliases.evaluate_gate(tracking, champion, challenger, Nothing(), settings)


class Nothing:
    """A table without rows."""

    def ask(self, questions: Sequence[Any], *, threads: int = 1) -> list[Any]:
        return [WeighedRows(0, "") for _ in questions]


def standings(tracking: Tracking) -> list[tuple[str, str, bool]]:
    """Of each version, oldest first: the tag, the run's tag, whether the description begins with it."""
    found = []
    for entry in sorted(tracking.client.search_model_versions(""), key=lambda entry: int(entry.version)):
        run = tracking.client.get_run(entry.run_id)
        said = entry.tags["decision"].replace("_", " ")
        texts = (entry.description, run.data.tags[notes.NOTE])
        described = all(text.lower().lstrip("*").startswith(f"{said}: ") for text in texts)
        found.append((entry.tags["decision"], run.data.tags["decision"], described))
    return found


@pytest.mark.thorough
def test_the_gates_words_reach_every_version_they_are_about(
    tracking: Tracking,
    settings: Settings,
    trained_by_hand: Register,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = trained_by_hand()
    weigh(tracking, settings, monkeypatch, promote=True)
    assert standings(tracking) == [("promoted", "promoted", True)]
    trained_by_hand(tuned=True)
    weigh(tracking, settings, monkeypatch, promote=False)
    assert standings(tracking) == [("promoted",) * 2 + (True,), ("kept",) * 2 + (True,)]
    third = trained_by_hand()
    weigh(tracking, settings, monkeypatch, promote=True)
    assert [row[0] for row in standings(tracking)] == ["replaced", "kept", "promoted"]
    replaced = tracking.client.get_model_version(tracking.model_name, str(first.number)).description
    assert f"Replaced: version {third.number} is the champion now." in replaced
    aliases.roll_back(settings)
    assert standings(tracking) == [
        ("promoted", "promoted", True), ("kept", "kept", True), ("rolled_back", "rolled_back", True),
    ]  # fmt: skip


@pytest.mark.thorough
def test_a_description_has_the_decision_the_metrics_and_the_dossier(
    tracking: Tracking, settings: Settings, trained_by_hand: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = trained_by_hand(tuned=True)
    weigh(tracking, settings, monkeypatch, promote=True)
    run = tracking.client.get_run(version.training_run)
    link = f"(#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/artifacts/dossier.html)"
    text = run.data.tags["mlflow.note.content"]
    for told in (
        "**Promoted: version 1 took over from nobody.**",
        "- there was no champion",
        "| xgboost | 0.7126 (0.6800–0.7400) |",
        "| majority | 0.5000 |",  # an interval that isn't known is not shown
        "1,200 user-months of 2022-06..2022-07",
        "parameters from 2 trials",
        "- only 12 positives in all",
        link,
    ):
        assert told in text
    assert run.info.run_name == "train v1 tuned · 2022-01..2022-02 · xgboost"
    assert {key: value for key, value in run.data.tags.items() if "." not in key} == {
        "kind": "training",
        "label": "buys_within_30_days",
        "horizon_days": "30",
        "train_months": "2022-01..2022-02",
        "validation_months": "2022-04",
        "test_months": "2022-06..2022-07",
        "tuned": "true",
        "catalogue": "c" * 12,
        "model": "xgboost",
        "guards": "passed",
        "decision": "promoted",
        "version": "1",
    }
    entry = tracking.client.get_model_version(tracking.model_name, "1")
    for told in ("Promoted: ", "train 2022-01..2022-02", "buys_within_30_days", "0.7126", link):
        assert told in entry.description
    model = tracking.client.get_registered_model(tracking.model_name)
    assert "within 30 days after the month" in model.description
    assert model.tags == {"label": "buys_within_30_days", "horizon_days": "30"}


@pytest.mark.thorough
def test_tags_are_searched_for_without_quotes(
    tracking: Tracking, settings: Settings, trained_by_hand: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_by_hand()
    weigh(tracking, settings, monkeypatch, promote=True)
    client, label = tracking.client, "tags.label = 'buys_within_30_days'"
    of_run = f"{label} and tags.decision = 'promoted' and tags.tuned = 'false' and tags.version = '1'"
    assert len(client.search_runs([tracking.experiment_id], of_run)) == 1
    assert len(client.search_model_versions(f"{label} and tags.decision = 'promoted'")) == 1
    assert len(client.search_registered_models(label)) == 1


@pytest.mark.thorough
def test_told_again_nothing_is_written_and_what_people_wrote_stays(
    tracking: Tracking, settings: Settings, trained_by_hand: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = trained_by_hand()
    weigh(tracking, settings, monkeypatch, promote=True)
    theirs = "Seen by the board on Friday."
    entry = tracking.client.get_model_version(tracking.model_name, "1")
    tracking.client.update_model_version(tracking.model_name, "1", f"{entry.description}\n\n{theirs}")
    before = store_of(settings)
    publish.describe_versions(tracking, version.training_run)
    assert store_of(settings) == before
    weigh(tracking, settings, monkeypatch, promote=True)  # champion already: tells, and finds all as it was
    assert store_of(settings) == before
    trained_by_hand()
    weigh(tracking, settings, monkeypatch, promote=True)
    entry = tracking.client.get_model_version(tracking.model_name, "1")
    assert entry.description.startswith("Replaced: version 2 is the champion now. ")
    assert entry.description.endswith(theirs)


def store_of(settings: Settings) -> list[str]:
    """Everything the store holds."""
    with closing(sqlite3.connect(Path(settings.home) / "mlflow.db")) as store:
        return list(store.iterdump())


@pytest.mark.thorough
def test_a_gate_killed_before_it_told_is_made_good(
    tracking: Tracking, settings: Settings, trained_by_hand: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trained_by_hand()
    weigh(tracking, settings, monkeypatch, promote=True)
    second = trained_by_hand()
    with monkeypatch.context() as patch:
        patch.setattr(aliases, "publish", _killed)
        with pytest.raises(KeyboardInterrupt):
            weigh(tracking, settings, monkeypatch, promote=True)
    publish.publish_if_missing(tracking, second.training_run)
    assert [row[0] for row in standings(tracking)] == ["replaced", "promoted"]
    assert first.number == 1


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_run_of_somebody_else_is_left_alone(tracking: Tracking) -> None:
    with runs.run(tracking, "by hand", tags={}) as run:
        pass
    publish.describe_versions(tracking, run)
    found = tracking.client.get_run(run)
    assert found.info.run_name == "by hand"
    assert notes.NOTE not in found.data.tags


def test_a_line_that_was_registered_is_called_so() -> None:
    facts = facts_of("run")
    facts["made"]["kind"] = "logistic"
    standing = summary.Standing(4, 3, None)
    assert summary.name_of(facts, 4) == "train v4 · 2022-01..2022-02 · logistic"
    assert summary.tags_of(facts, standing)["model"] == "logistic"
    text = summary.of_version(facts, standing, "[link](#)")
    assert text.startswith("Undecided: the gate has not weighed it.")
    assert "with logistic regression (calibration platt)" in text
    assert "| logistic | 0.7126 (0.6800–0.7400) |" in text
