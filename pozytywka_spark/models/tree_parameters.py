"""XGBoost's parameters as the settings ask for them."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.config import Settings


def tree_parameters(settings: Settings, order: Sequence[str], weight: float) -> dict[str, object]:
    """XGBoost's parameters, the same for the Spark estimator and for plain XGBoost."""
    chosen = settings.training
    found: dict[str, object] = {
        "learning_rate": chosen.learning_rate,
        "max_depth": chosen.max_depth,
        "min_child_weight": chosen.min_child_weight,
        "subsample": chosen.subsample,
        "colsample_bytree": chosen.colsample_bytree,
        "reg_lambda": chosen.reg_lambda,
        "scale_pos_weight": weight,
        "tree_method": "hist",
        "eval_metric": "logloss",
        "seed": chosen.seed,
    }
    if any(chosen.monotone.values()):
        found["monotone_constraints"] = tuple(chosen.monotone.get(name, 0) for name in order)
    return found


def positive_weight(settings: Settings, base_rate: float) -> float:
    """The weight of a positive row that settings ask for."""
    wanted = settings.training.positive_weight
    return (1.0 - base_rate) / base_rate if wanted == "balanced" else float(wanted)
