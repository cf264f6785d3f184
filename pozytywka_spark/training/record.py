"""What a training writes down in MLflow, and the table of models that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.training import provenance
from pozytywka_spark.training.estimators import MAJORITY, MODELS, XGBOOST, FittedTrees
from pozytywka_spark.training.linear import LOGISTIC, FittedLogistic
from pozytywka_spark.training.metrics import Evaluation
from pozytywka_spark.training.planner import Plan
from pozytywka_spark.training.prepare import Prepared
from pozytywka_spark.training.scores import UNCALIBRATED
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.splits import TEST, VALIDATION, diagram
from pozytywka_spark.training.tracking import registry, runs
from pozytywka_spark.training.tracking.store import Tracking

SHOWN = {
    "roc_auc": "roc_auc",
    "pr_auc": "pr_auc",
    "log_loss": "log_loss",
    "brier": "brier",
    "calibration_error": "cal_err",
    "lift_at_10pct": "lift_10",
}
INTERVALS = ("roc_auc", "pr_auc", "log_loss", "brier", "lift_at_1pct", "lift_at_5pct", "lift_at_10pct")


@dataclass(frozen=True)
class LoggedTrees:
    """Where the booster was logged."""

    run_id: str
    model_id: str
    source: str


def tags(inputs: str, catalogue: str, versions: Mapping[str, int]) -> dict[str, str]:
    """Tags of a training run: what it came from."""
    found = {
        registry.INPUTS: inputs,
        "pozytywka.catalogue_hash": catalogue,
        "pozytywka.code_hash": provenance.code_hash(),
        **{f"{registry.DELTA}{table}": str(version) for table, version in versions.items()},
    }
    commit = provenance.git_commit()
    return found | ({"mlflow.source.git.commit": commit} if commit else {})


def version_tags(parent: str, prepared: Prepared) -> dict[str, str]:
    """Tags of a registered version."""
    return {
        registry.TRAINING_RUN: parent,
        registry.INPUTS: prepared.inputs,
        "pozytywka.catalogue_hash": prepared.catalogue,
    }


def log_inputs(
    tracking: Tracking, parent: str, prepared: Prepared, settings: Settings, plan: Plan, guard: str
) -> None:
    """The parent run's parameters and artefacts: settings, split, features, input versions."""
    params: dict[str, object] = {
        "label": settings.label.column,
        "features": len(prepared.order),
        "workers": plan.workers,
        "threads": plan.threads,
        "base_rate": prepared.base_rate,
        "guard.shuffled": guard,
        "planner": plan.reason,
        **{f"training.{key}": value for key, value in settings.resolved()["training"].items()},
    }
    for side, months in prepared.split.sides.items():
        rows, positives = prepared.sizes[side]
        params |= {
            f"{side}.months": f"{months[0]} {months[-1]}",
            f"{side}.rows": rows,
            f"{side}.positives": positives,
        }
    runs.log(tracking, parent, params=params)
    runs.log_json(tracking, parent, settings.resolved(), "settings.json")
    runs.log_json(tracking, parent, dict(prepared.versions), "delta_versions.json")
    runs.log_json(tracking, parent, provenance.package_versions(), "packages.json")
    runs.log_json(
        tracking, parent, {"order": list(prepared.order), "hash": prepared.catalogue}, "features.json"
    )
    runs.log_text(tracking, parent, "\n".join(diagram(prepared.split, prepared.folds)), "split.txt")


def log_baselines(
    tracking: Tracking,
    parent: str,
    prepared: Prepared,
    logistic: FittedLogistic,
    found: Mapping[str, Evaluation],
) -> None:
    """Child runs of the majority class and of logistic regression."""
    with runs.run(tracking, MAJORITY, tags={}, parent=parent) as child:
        runs.log(
            tracking, child, params={"base_rate": prepared.base_rate}, metrics=metrics_of(MAJORITY, found)
        )
    with runs.run(tracking, LOGISTIC, tags={}, parent=parent) as child:
        params = {"intercept": logistic.intercept, "features": len(logistic.coefficients)}
        runs.log(tracking, child, params=params, metrics=metrics_of(LOGISTIC, found))
        content = {
            "per_standard_deviation": dict(zip(logistic.order, logistic.coefficients, strict=True)),
            "left_out": list(logistic.left_out),
        }
        runs.log_json(tracking, child, content, "coefficients.json")


def log_trees(
    tracking: Tracking,
    parent: str,
    trees: FittedTrees,
    model: ServingModel,
    found: Mapping[str, Evaluation],
    slices: Mapping[str, Evaluation],
) -> LoggedTrees:
    """The child run of the trees, with the native booster; the parent gets the same metrics."""
    metrics = metrics_of(XGBOOST, found)
    with runs.run(tracking, XGBOOST, tags={}, parent=parent) as child:
        params = {
            "trees": trees.trees,
            "trees_tried": trees.trees_tried,
            "positive_weight": trees.positive_weight,
            "calibration": model.calibrator.method,
        }
        runs.log(tracking, child, params=params, metrics=metrics)
        runs.log_history(tracking, child, "train_log_loss_by_tree", trees.train_loss)
        runs.log_history(tracking, child, "validation_log_loss_by_tree", trees.validation_loss)
        runs.log_json(tracking, child, dict(trees.gains), "gains.json")
        runs.log_json(tracking, child, evaluation_as_json(found, slices), "evaluation.json")
        model_id, source = registry.log_model(tracking, child, model, provenance.package_versions())
    runs.log(tracking, parent, metrics=metrics)
    return LoggedTrees(child, model_id, source)


def evaluation_as_json(found: Mapping[str, Evaluation], slices: Mapping[str, Evaluation]) -> dict[str, Any]:
    """Everything behind the plots and the tables: reliability and gain curves, intervals, slices."""
    test = {name: found[f"{name} {TEST}"] for name in (*MODELS, UNCALIBRATED)}
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
        "slices": {name: _plain(entry.metrics) for name, entry in slices.items()},
    }


def _plain(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {name: value if value == value else None for name, value in metrics.items()}


def metrics_of(model: str, found: Mapping[str, Evaluation]) -> dict[str, float]:
    """Metrics under names all models share: test's plain and with interval ends, validation's prefixed."""
    test, validation = found[f"{model} {TEST}"], found[f"{model} {VALIDATION}"]
    metrics = dict(test.metrics)
    for name in INTERVALS:
        metrics[f"{name}_low"], metrics[f"{name}_high"] = test.interval(name)
    return metrics | {f"validation_{name}": value for name, value in validation.metrics.items()}


def table(children: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """A row a model, baselines first, with the metrics people look at."""
    return [
        {
            "model": model,
            **{short: children[model].get(name) for name, short in SHOWN.items()},
            "roc_auc 95%": _interval(children[model], "roc_auc"),
        }
        for model in MODELS
        if model in children
    ]


def _interval(metrics: Mapping[str, float], name: str) -> str:
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    return "–" if low is None or high is None else f"{low:.3f}–{high:.3f}"


def notes(prepared: Prepared, settings: Settings) -> list[str]:
    """What a reader of the metrics must know."""
    found = []
    positives = sum(positive for _, positive in prepared.sizes.values())
    if positives < 200:
        sides = ", ".join(
            f"{positive} of {rows} rows on {side}" for side, (rows, positive) in prepared.sizes.items()
        )
        found.append(f"only {positives} positives in all ({sides}): the metrics are mostly noise")
    if settings.label.name == "buys_ever":
        found.append(
            "buys_ever is censored by the end of the data and known only there: the purge can't hold for it"
        )
    return found
