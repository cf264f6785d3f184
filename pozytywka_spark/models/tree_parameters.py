"""XGBoost's parameters as the settings ask for them."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.config import Settings


def tree_parameters(settings: Settings, order: Sequence[str], weight: float) -> dict[str, object]:
    """XGBoost's parameters, the same for the Spark estimator and for plain XGBoost."""
    training = settings.training
    parameters: dict[str, object] = {
        "learning_rate": training.learning_rate,
        "max_depth": training.max_depth,
        "min_child_weight": training.min_child_weight,
        "subsample": training.subsample,
        "colsample_bytree": training.colsample_bytree,
        "max_bin": training.max_bin,
        "reg_lambda": training.reg_lambda,
        "scale_pos_weight": weight,
        "tree_method": "hist",
        "eval_metric": "logloss",
        "seed": training.seed,
    }
    if any(training.monotone.values()):
        parameters["monotone_constraints"] = tuple(training.monotone.get(name, 0) for name in order)
    return parameters


def positive_weight(settings: Settings, base_rate: float) -> float:
    """The weight of a positive row that settings ask for."""
    weight = settings.training.positive_weight
    return (1.0 - base_rate) / base_rate if weight == "balanced" else float(weight)
