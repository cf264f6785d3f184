"""Both models from a training table, calibrated and measured, against scikit-learn on their scores."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import Prepared
from pozytywka_spark.dataset.questions import Here
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.evaluation import evaluate
from pozytywka_spark.models.calibration import fit_calibrator
from pozytywka_spark.months import TimeSplit
from pozytywka_spark.spark.resources import Plan
from pozytywka_spark.training.fit_and_measure import Fitted, fit_models, held_rows, measure
from tests.worlds.known_hazard import hazard_rows, training_table
from tests.worlds.trained import settings_in

ORDER = ("tenure_days", *(f"x{place}" for place in range(8)))


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_in(tmp_path_factory.mktemp("measuring"), "training.max_trees=30")


@pytest.fixture(scope="module")
def table() -> TrainingTable:
    return training_table(hazard_rows(ORDER, users=900), ORDER)


@pytest.fixture(scope="module")
def fitted(table: TrainingTable, chosen: Settings) -> Fitted:
    split = TimeSplit((date(2022, 1, 1),), (date(2022, 11, 1),), (date(2023, 1, 1),))
    sizes = {side: (len(table.of(side)), int(table.of(side).label.sum())) for side in split.sides}
    prepared = Prepared(ORDER, "c", (), (), split, (), sizes, "", "", {})
    assert held_rows(prepared) == max(sizes["validation"][0], sizes["test"][0])
    return fit_models(Here(table), lambda: pytest.fail("asked"), prepared, chosen, Plan(1, 1, "one"))


def test_calibrators_are_of_the_validation_side(
    table: TrainingTable, fitted: Fitted, chosen: Settings
) -> None:
    rows = table.of("validation")
    for model in fitted.models.values():
        margins = model.predictor.margins(rows.matrix)
        of_kind = (chosen.calibration.method, chosen.calibration.isotonic_positives)
        assert model.calibrator == fit_calibrator(margins, rows.label, *of_kind)
        assert (model.features, model.trained_until) == (ORDER, "2022-11")


def test_every_model_on_both_sides_equals_scikit_learn(
    table: TrainingTable, fitted: Fitted, chosen: Settings
) -> None:
    found = measure(Here(table), fitted.models, chosen)
    trees, line = fitted.models["xgboost"], fitted.models["logistic"]
    for side in ("validation", "test"):
        rows = table.of(side)
        margins = trees.predictor.margins(rows.matrix)
        scores = {
            "xgboost": trees.calibrator.apply(margins),
            "xgboost-uncalibrated": 1 / (1 + np.exp(-margins)),
            "logistic": line.calibrator.apply(line.predictor.margins(rows.matrix)),
            "majority": np.full(len(rows), table.of("train").label.mean()),
        }
        for name, score in scores.items():
            metrics = found.models[f"{name} {side}"].metrics
            expected = {
                "roc_auc": roc_auc_score(rows.label, score),
                "log_loss": log_loss(rows.label, score),
                "brier": brier_score_loss(rows.label, score),
                "rows": len(rows),
            }
            assert {key: metrics[key] for key in expected} == pytest.approx(expected, rel=1e-12)
        assert len(found.models) == 8
    test, score = table.of("test"), scores[found.chosen]
    assert found.counts["users"].sum() == len(test)
    assert found.counts["expected"].sum() == pytest.approx(score.sum(), rel=1e-12)
    assert sorted(found.slices)[:2] == ["month: 2022-12", "month: 2023-01"]
    assert any(name.startswith("tenure: ") for name in found.slices)
    for name in found.slices:
        if name.startswith("month: "):
            mine = test.month.astype(str) == f"{name[7:]}-01"
            assert found.slices[name].metrics["roc_auc"] == pytest.approx(
                roc_auc_score(test.label[mine], score[mine]), rel=1e-12
            )


def test_many_rows_are_cut_into_questions_with_the_same_answers(
    table: TrainingTable, fitted: Fitted, chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Counted(table)
    whole = measure(asked, fitted.models, chosen)
    assert asked.questions == 3
    monkeypatch.setattr(evaluate, "_CELLS_A_QUESTION", 150_000)
    cut = measure(asked, fitted.models, chosen, rows=len(table.of("validation")))
    assert asked.questions > 6
    for name, found in {**cut.models, **cut.slices}.items():
        expected = (whole.models | whole.slices)[name]
        assert found.metrics == pytest.approx(expected.metrics, rel=1e-12, nan_ok=True)
        assert found.interval("brier") == pytest.approx(expected.interval("brier"), rel=1e-12)
    assert cut.verdict == whole.verdict
    assert cut.counts.equals(whole.counts)


class Counted(Here):
    """Counts questions, each of which must be a function of a module or a partial of one."""

    questions = 0

    def ask(self, questions: list[partial], *, threads: int = 1) -> list:
        self.questions += len(questions)
        assert all(isinstance(each, partial) for each in questions)
        return super().ask(questions, threads=threads)


def test_questions_load_neither_spark_nor_settings() -> None:
    """What a worker imports for a question it pays for in every process."""
    names = ("evaluation.scores", "promotion.gate_rows", "evaluation.importance", "evaluation.evaluate")
    code = (
        "import sys\n"
        + "".join(f"import pozytywka_spark.{name}\n" for name in names)
        + "heavy = {'pyspark', 'pydantic', 'mlflow', 'sklearn', 'xgboost', 'pandas'}\n"
        + "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
