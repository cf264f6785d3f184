"""Log a training to MLflow, and make the table of models that people read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset import provenance
from pozytywka_spark.dataset.prepare import Prepared
from pozytywka_spark.dataset.splits import diagram
from pozytywka_spark.dossier.summary import HEADLINE, facets
from pozytywka_spark.evaluation import trees_or_logistic as verdicts
from pozytywka_spark.evaluation.metrics import Evaluation
from pozytywka_spark.models.linear_fit import SOLVER
from pozytywka_spark.models.names import LOGISTIC, MAJORITY, MODELS, XGBOOST
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.names import TEST, VALIDATION
from pozytywka_spark.spark.resources import Plan
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.notes import KIND
from pozytywka_spark.tracking.run_names import span, training_name
from pozytywka_spark.tracking.store import Tracking
from pozytywka_spark.training import earlier_trainings
from pozytywka_spark.training.fit_and_measure import Fitted, Measured

SHOWN = {
    "roc_auc": "roc_auc",
    "pr_auc": "pr_auc",
    "log_loss": "log_loss",
    "brier": "brier",
    "calibration_error": "cal_err",
    "lift_at_10pct": "lift_10",
}
TUNED = "tuned.json"  # the parameters that the search found; empty without one
INTERVALS = ("roc_auc", "pr_auc", "log_loss", "brier", "lift_at_1pct", "lift_at_5pct", "lift_at_10pct")


@dataclass(frozen=True)
class LoggedModel:
    """Where the model to register was logged, and its kind."""

    run_id: str
    model_id: str
    source: str
    kind: str


def tags(prepared: Prepared, settings: Settings, root: str) -> dict[str, str]:
    """Tags of a training run: what it is, and what it came from."""
    return {
        KIND: "training",
        **_facets(prepared, settings),
        registry.INPUTS: prepared.inputs,
        registry.LAKE: root,
        registry.SOLVER: SOLVER,
        "pozytywka.catalogue_hash": prepared.catalogue,
        "pozytywka.code_hash": provenance.code_hash(),
        **{f"{registry.DELTA}{table}": str(version) for table, version in prepared.versions.items()},
    }


def name(prepared: Prepared, settings: Settings) -> str:
    """The run's name until it has a version."""
    return training_name(prepared.split.train, XGBOOST, tuned=settings.tuning.enabled)


def _facets(prepared: Prepared, settings: Settings) -> dict[str, str]:
    label, tuned = settings.label, settings.tuning.enabled
    sides = prepared.split.sides
    return facets(label.column, label.horizon_days, sides, tuned=tuned, catalogue=prepared.catalogue)


def version_tags(parent: str, prepared: Prepared, settings: Settings, kind: str) -> dict[str, str]:
    """Tags of a registered version."""
    return {
        **({earlier_trainings.BY_VERSION: prepared.by_version} if prepared.by_version else {}),
        **_facets(prepared, settings),
        registry.TRAINING_RUN: parent,
        registry.INPUTS: prepared.inputs,
        registry.GUARDS: registry.PASSED,  # a guard that fails stops the run before anything is registered
        "pozytywka.catalogue_hash": prepared.catalogue,
        registry.KIND: kind,
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
            f"{side}.months": span(months),
            f"{side}.rows": rows,
            f"{side}.positives": positives,
        }
    runs.log(tracking, parent, params=params)
    runs.log_json(tracking, parent, settings.resolved(), "settings.json")
    runs.log_json(tracking, parent, dict(prepared.versions), "delta_versions.json")
    runs.log_json(tracking, parent, provenance.package_versions(), "packages.json")
    runs.log_json(tracking, parent, earlier_trainings.months_of(prepared), earlier_trainings.MONTHS)
    runs.log_json(
        tracking, parent, {"order": list(prepared.order), "hash": prepared.catalogue}, "features.json"
    )
    runs.log_text(tracking, parent, "\n".join(diagram(prepared.split, prepared.folds)), "split.txt")


def log_models(
    tracking: Tracking, parent: str, prepared: Prepared, fitted: Fitted, measured: Measured
) -> LoggedModel:
    """A child run a model; the one to register goes natively into its own, its metrics to the parent too."""
    log_majority(tracking, parent, prepared, measured.models)
    places = {
        LOGISTIC: log_logistic(tracking, parent, fitted, measured),
        XGBOOST: log_trees(tracking, parent, fitted, measured),
    }
    verdict = measured.verdict
    metrics = metrics_of(measured.chosen, measured.models) | verdicts.metrics_of(verdict)
    runs.log(tracking, parent, metrics=headline(measured.models, measured.chosen) | metrics)
    runs.tag(tracking, parent, registry.KIND, measured.chosen)
    runs.tag(tracking, parent, "pozytywka.trees_against_logistic", verdict.outcome)
    logged = places[measured.chosen]
    if logged is None:
        raise RuntimeError(f"{measured.chosen} was to be registered and not logged")
    runs.log_output(tracking, parent, logged.model_id)  # so that the UI leads from the training to its model
    runs.tag(tracking, parent, registry.LOGGED, json.dumps(asdict(logged)))
    return logged


def log_majority(
    tracking: Tracking, parent: str, prepared: Prepared, evaluations: Mapping[str, Evaluation]
) -> None:
    """The child run of the majority class."""
    with runs.run(tracking, MAJORITY, tags={}, parent=parent) as child:
        runs.log(
            tracking,
            child,
            params={"base_rate": prepared.base_rate},
            metrics=metrics_of(MAJORITY, evaluations),
        )


def log_logistic(tracking: Tracking, parent: str, fitted: Fitted, measured: Measured) -> LoggedModel | None:
    """The child run of logistic regression, with its native model if that is the one to register."""
    logistic, model = fitted.logistic, fitted.models[LOGISTIC]
    with runs.run(tracking, LOGISTIC, tags={}, parent=parent) as child:
        params = {
            "intercept": logistic.intercept,
            "features": len(logistic.coefficients),
            "calibration": model.calibrator.method,
        }
        runs.log(tracking, child, params=params, metrics=metrics_of(LOGISTIC, measured.models))
        content = {
            "per_standard_deviation": dict(zip(logistic.order, logistic.coefficients, strict=True)),
            "left_out": list(logistic.left_out),
        }
        runs.log_json(tracking, child, content, "coefficients.json")
        return _log_chosen(tracking, child, model, measured)


def log_trees(tracking: Tracking, parent: str, fitted: Fitted, measured: Measured) -> LoggedModel | None:
    """The child run of the trees, with the native booster if that is the model to register."""
    trees, model = fitted.trees, fitted.models[XGBOOST]
    with runs.run(tracking, XGBOOST, tags={}, parent=parent) as child:
        params = {
            "trees": trees.trees,
            "trees_tried": trees.trees_tried,
            "positive_weight": trees.positive_weight,
            "calibration": model.calibrator.method,
        }
        runs.log(tracking, child, params=params, metrics=metrics_of(XGBOOST, measured.models))
        runs.log_history(tracking, child, "train_log_loss_by_tree", trees.train_loss)
        runs.log_history(tracking, child, "validation_log_loss_by_tree", trees.validation_loss)
        runs.log_json(tracking, child, dict(trees.gains), "gains.json")
        return _log_chosen(tracking, child, model, measured)


def _log_chosen(
    tracking: Tracking, child: str, model: ServingModel, measured: Measured
) -> LoggedModel | None:
    if model.kind != measured.chosen:
        return None
    model_id, source = registry.log_model(tracking, child, model, provenance.package_versions())
    return LoggedModel(child, model_id, source, model.kind)


def metrics_of(model: str, evaluations: Mapping[str, Evaluation]) -> dict[str, float]:
    """Metrics under names all models share: test's plain and with interval ends, validation's prefixed."""
    test, validation = evaluations[f"{model} {TEST}"], evaluations[f"{model} {VALIDATION}"]
    metrics = dict(test.metrics)
    for name in INTERVALS:
        metrics[f"{name}_low"], metrics[f"{name}_high"] = test.interval(name)
    return metrics | {f"validation_{name}": value for name, value in validation.metrics.items()}


def log_tuned(tracking: Tracking, parent: str, parameters: Mapping[str, float | int]) -> None:
    """What the search found: an artefact to reproduce by, parameters to compare runs by."""
    runs.log_json(tracking, parent, dict(parameters), TUNED)
    # beside `training.*`, which are the settings that the search began with
    runs.log(tracking, parent, params={f"tuned.{name}": value for name, value in parameters.items()})


def headline(evaluations: Mapping[str, Evaluation], model: str) -> dict[str, float]:
    """Of the parent run: the `model` model's metrics on the test months, by names that say so.

    Those of the other, of trees and logistic regression, stand beside them under its name.
    """
    best, other = evaluations[f"{model} {TEST}"], LOGISTIC if model == XGBOOST else XGBOOST
    metrics = {f"test_{name}": best.metrics[name] for name in HEADLINE}
    for name in (name for name in INTERVALS if name in HEADLINE):
        metrics[f"test_{name}_low"], metrics[f"test_{name}_high"] = best.interval(name)
    return metrics | {
        f"test_{name}_{other}": evaluations[f"{other} {TEST}"].metrics[name] for name in HEADLINE
    }


class TrialLog:
    """Child runs of `parent`, one a trial of the tuning study, each logged once."""

    def __init__(self, tracking: Tracking, parent: str) -> None:
        self._tracking, self._parent, self._logged = tracking, parent, 0

    def log(self, trials: Sequence[Mapping[str, Any]]) -> None:
        """Log those of all finished `trials` (in their order) that are not logged yet."""
        for trial in trials[self._logged :]:
            tags = {"pozytywka.trial": trial["state"]}
            with runs.run(
                self._tracking, f"trial {trial['trial']:03}", tags=tags, parent=self._parent
            ) as child:
                losses = {
                    f"log_loss_fold_{place}": loss for place, loss in enumerate(trial["fold_log_loss"], 1)
                }
                metrics = {**losses, "log_loss_folds": trial["log_loss"]}
                runs.log(self._tracking, child, params=trial["parameters"], metrics=metrics)
        self._logged = len(trials)


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
    remarks = [
        f"{count.month:%Y-%m} is left out with its {count.rows:,} rows: the data don't cover it "
        "(training.incomplete_months=true takes it in)"
        for count in prepared.left_out
    ]
    if prepared.share < 1:
        remarks.append(
            f"logistic regression, metrics, importances and the gate look at {prepared.share:.1%} of the "
            "users (training.rows_in_memory), the trees at all of them"
        )
    positives = sum(positive for _, positive in prepared.sizes.values())
    if positives < 200:
        sides = ", ".join(
            f"{positive} of {rows} rows on {side}" for side, (rows, positive) in prepared.sizes.items()
        )
        remarks.append(f"only {positives} positives in all ({sides}): the metrics are mostly noise")
    if settings.label.name == "buys_ever":
        remarks.append(
            "buys_ever is censored by the end of the data and known only there: the purge can't hold for it"
        )
    return remarks
