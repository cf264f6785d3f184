"""What moves the scores overall: mean strength and direction of each feature's contributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from pozytywka_spark.training.booster import Batches, as_matrix, explain
from pozytywka_spark.training.serving import ServingModel

_SUMS = ("rows", "strength", "together")


def importances(rows: DataFrame, model: ServingModel) -> list[dict[str, Any]]:
    """A row a feature, strongest first: mean absolute tree SHAP value (log-odds), and which way it points.

    `direction` is the correlation's sign of value and contribution: "rises" if more of the feature
    mostly raises the score. Only sums leave the executors.
    """
    booster, order = model.booster, model.features

    def summed(batches: Batches) -> Batches:
        for batch in batches:
            if batch.num_rows:
                matrix = as_matrix(batch, order)
                found = explain(booster, matrix)[:, :-1]
                values = np.nan_to_num(matrix - np.nanmean(matrix, axis=0))
                parts = (
                    np.full(len(order), float(batch.num_rows)),
                    np.abs(found).sum(axis=0),
                    (values * (found - found.mean(axis=0))).sum(axis=0),
                )
                yield pa.RecordBatch.from_arrays([pa.array([part.tolist()]) for part in parts], list(_SUMS))

    schema = ", ".join(f"{name} array<double>" for name in _SUMS)
    collected = rows.select(*order).mapInArrow(summed, schema).toPandas()
    if collected.empty:
        return []
    sums = {name: np.stack(list(collected[name])).sum(axis=0) for name in _SUMS}
    strength = sums["strength"] / sums["rows"]
    places = np.argsort(-strength, kind="stable")
    return [
        {
            "feature": order[place],
            "strength": float(strength[place]),
            "direction": "rises" if sums["together"][place] > 0 else "falls",
        }
        for place in places
        if strength[place] > 0
    ]
