"""Everything that a dossier tells, as plain values: logged, so that the page can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset import provenance
from pozytywka_spark.dataset.prepare import Prepared
from pozytywka_spark.dataset.splits import describe
from pozytywka_spark.evaluation.metrics import Evaluation
from pozytywka_spark.evaluation.scores import UNCALIBRATED
from pozytywka_spark.models.names import MODELS
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.months import TimeSplit
from pozytywka_spark.names import TEST
from pozytywka_spark.spark.resources import Plan
from pozytywka_spark.training.estimators import FittedTrees
from pozytywka_spark.training.log_training import INTERVALS
from pozytywka_spark.training.tuning.tune import Tuned


def data_facts(prepared: Prepared, settings: Settings) -> dict[str, Any]:
    """The rows, their split, and where they came from."""
    return {
        "label": settings.label.column,
        "horizon_days": settings.label.horizon_days,
        "rows": sum(rows for rows, _ in prepared.sizes.values()),
        "positives": sum(positives for _, positives in prepared.sizes.values()),
        "features": len(prepared.order),
        "sides": describe(prepared.split, prepared.counts),
        "bars": {
            "split": _months(prepared.split),
            **{f"fold {place}": _months(fold) for place, fold in enumerate(prepared.folds, 1)},
        },
        "purged": [f"{month:%Y-%m}" for month in prepared.split.purged],
        "months": [
            {"month": f"{count.month:%Y-%m}", "rows": count.rows, "positives": count.positives}
            for count in prepared.counts
        ],
        "versions": dict(prepared.versions),
        "catalogue": prepared.catalogue,
        "inputs": prepared.inputs,
        "code": provenance.code_hash(),
        "commit": provenance.git_commit(),
        "packages": provenance.package_versions(),
    }


def model_facts(
    settings: Settings, plan: Plan, trees: FittedTrees, model: ServingModel, tuned: Tuned | None
) -> dict[str, Any]:
    """How `model`, the one to register, and the trees were made: `settings` are those of the final fit."""
    calibrator = model.calibrator
    return {
        "kind": model.kind,
        "training": settings.resolved()["training"],
        "gate": settings.resolved()["gate"],
        "policy": settings.resolved()["scoring"]["policy"],
        "least": settings.evaluation.min_slice_positives,
        "planner": plan.reason,
        "trees": trees.trees,
        "trees_tried": trees.trees_tried,
        "train_loss": list(trees.train_loss),
        "validation_loss": list(trees.validation_loss),
        "calibration": {
            "method": calibrator.method,
            "slope": calibrator.slope,
            "intercept": calibrator.intercept,
            "knots": len(calibrator.margins),
        },
        "tuning": tuning_facts(tuned),
    }


def tuning_facts(tuned: Tuned | None) -> dict[str, Any] | None:
    """The study's rows and its best."""
    return None if tuned is None else {**asdict(tuned), "trials": [dict(row) for row in tuned.trials]}


def measured_facts(evaluations: Mapping[str, Evaluation], slices: Mapping[str, Evaluation]) -> dict[str, Any]:
    """Everything behind the plots and the tables: reliability and gain curves, intervals, slices."""
    test = {name: evaluations[f"{name} {TEST}"] for name in (*MODELS, UNCALIBRATED)}
    return {
        "models": {
            name: {
                "metrics": _plain(entry.metrics),
                "intervals": {metric: list(entry.interval(metric)) for metric in INTERVALS},
                "reliability": entry.bins,
                "curve": entry.curve,
            }
            for name, entry in test.items()
        },
        "slices": {
            name: {**_plain(entry.metrics), "roc_auc_interval": _finite(entry.interval("roc_auc"))}
            for name, entry in slices.items()
        },
    }


def _months(split: TimeSplit) -> dict[str, list[str]]:
    return {side: [f"{month:%Y-%m}" for month in months] for side, months in split.sides.items()}


def _plain(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {name: value if value == value else None for name, value in metrics.items()}


def _finite(values: Sequence[float]) -> list[float] | None:
    return [float(value) for value in values] if all(value == value for value in values) else None
