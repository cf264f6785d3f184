"""The final model explained on the test months, in plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.training import importance
from pozytywka_spark.training.predictors import XGBOOST, Linear
from pozytywka_spark.training.rows import SIDE
from pozytywka_spark.training.serving import ServingModel
from pozytywka_spark.training.splits import TEST


def explain_model(rows: DataFrame, held: int, model: ServingModel, settings: Settings) -> dict[str, Any]:
    """`strongest` features (a row each), their `dependence` and `swarm`; `rows` of the `held` test rows seen.

    Of logistic regression a row has the `coefficient` too (log-odds a standard deviation), and no dependence
    is drawn: it is a straight line.

    Beyond `evaluation.explained_rows` a sample by a hash of the keys stands for the rest. Contributions are
    computed once, on the executors; sums, bins and a few hundred users' dots leave them.
    """
    test = rows.filter(F.col(SIDE) == TEST)
    wanted, seed = settings.evaluation.explained_rows, settings.evaluation.seed
    sample = importance.sample_rows(test, held, wanted, seed)
    explained = importance.with_contributions(sample, model.predictor, model.features).persist()
    try:
        strongest = with_coefficients(importance.importances(explained, model.features), model)
        shaped = importance.SHAPED if model.kind == XGBOOST else 0
        names = [str(row["feature"]) for row in strongest]
        return {
            "rows": explained.count(),
            "held": held,
            "strongest": strongest,
            "dependence": importance.dependence(explained, model.features, names[:shaped]),
            "swarm": importance.swarm(explained, model.features, names[: importance.SWARMED], seed),
        }
    finally:
        explained.unpersist()


def with_coefficients(strongest: Sequence[Mapping[str, Any]], model: ServingModel) -> list[dict[str, Any]]:
    """The rows with the `coefficient` of each feature, if the model has any."""
    if not isinstance(model.predictor, Linear):
        return [dict(row) for row in strongest]
    known = dict(zip(model.features, model.predictor.coefficients, strict=True))
    return [{**row, "coefficient": known[row["feature"]]} for row in strongest]


def in_words(explained: Mapping[str, Any], catalogue: Sequence[Feature]) -> dict[str, Any]:
    """Each of the strongest features with what the catalogue says of it."""
    known = {feature.name: feature for feature in catalogue}
    strongest = [
        {**row, "meaning": known[row["feature"]].meaning, "actionable": known[row["feature"]].actionable}
        for row in explained["strongest"]
    ]
    return {**explained, "strongest": strongest}
