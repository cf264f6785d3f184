"""The final model explained on the test months, in plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.questions import Asked
from pozytywka_spark.evaluation.importance import explain_test
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel


def explain_model(
    asked: Asked, test_rows: int, model: ServingModel, settings: Settings, *, threads: int = 1
) -> dict[str, Any]:
    """`strongest` features (a row each), their `dependence` and `swarm`; `rows` of the `test_rows` seen.

    Of logistic regression a row has the `coefficient` too (log-odds a standard deviation), and no dependence
    is drawn: it is a straight line.

    Beyond `evaluation.explained_rows` a sample by a hash of the keys stands for the rest.
    """
    question = partial(
        explain_test,
        predictor=model.predictor,
        most_rows=settings.evaluation.explained_rows,
        seed=settings.evaluation.seed,
        threads=threads,
    )
    [answer] = asked.ask([question], threads=threads)
    return {**answer, "held": test_rows, "strongest": with_coefficients(answer["strongest"], model)}


def with_coefficients(strongest: Sequence[Mapping[str, Any]], model: ServingModel) -> list[dict[str, Any]]:
    """The rows with the `coefficient` of each feature, if the model has any."""
    if not isinstance(model.predictor, Linear):
        return [dict(row) for row in strongest]
    coefficients = dict(zip(model.features, model.predictor.coefficients, strict=True))
    return [{**row, "coefficient": coefficients[row["feature"]]} for row in strongest]


def with_meanings(explained: Mapping[str, Any], catalogue: Sequence[Feature]) -> dict[str, Any]:
    """Each of the strongest features with what the catalogue says of it."""
    entries = {feature.name: feature for feature in catalogue}
    strongest = [
        {**row, "meaning": entries[row["feature"]].meaning, "actionable": entries[row["feature"]].actionable}
        for row in explained["strongest"]
    ]
    return {**explained, "strongest": strongest}
