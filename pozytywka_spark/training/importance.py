"""What moves the scores overall: each feature's contributions, their strength, direction and shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.training.booster import (
    CONTRIBUTIONS,
    Batches,
    Matrix,
    Predictor,
    as_matrix,
    with_margin,
)

_SUMS = ("rows", "strength", "together")
SHAPED = 6  # features whose dependence is drawn
SWARMED = 12  # features of the summary of single users
DOTS = 600  # users in that summary
BINS = 20
_KEYS = ("user_id", "month")


def with_contributions(rows: DataFrame, predictor: Predictor, order: Sequence[str]) -> DataFrame:
    """Grain as `rows`: user_id, month, the features and `contributions` array<double>. Cache it."""
    return with_margin(rows, predictor, order, [*_KEYS, *order], contributions=True)


def sample_rows(rows: DataFrame, held: int, wanted: int, seed: int) -> DataFrame:
    """About `wanted` of the `held` rows, the same ones every time; all of them if they are no more."""
    if held <= wanted:
        return rows
    millionths = F.pmod(F.xxhash64(*_KEYS, F.lit(seed)), F.lit(1_000_000))
    return rows.filter(millionths < F.lit(int(1_000_000 * wanted / held)))


def strengths(rows: DataFrame, predictor: Predictor, order: Sequence[str]) -> Matrix:
    """Mean absolute contribution of each feature over `rows`, in log-odds."""
    return _sums(with_contributions(rows, predictor, order), order)["strength"]


def importances(explained: DataFrame, order: Sequence[str]) -> list[dict[str, Any]]:
    """A row a feature of `with_contributions`' rows, strongest first: mean absolute contribution (log-odds).

    `direction` is the correlation's sign of value and contribution: "rises" if more of the feature
    mostly raises the score. Only sums leave the executors. Features of no strength are left out.
    """
    found = _sums(explained, order)
    strength = found["strength"]
    places = np.argsort(-strength, kind="stable")
    return [
        {
            "feature": order[place],
            "strength": float(strength[place]),
            "direction": "rises" if found["together"][place] > 0 else "falls",
        }
        for place in places
        if strength[place] > 0
    ]


def dependence(explained: DataFrame, order: Sequence[str], chosen: Sequence[str]) -> dict[str, list[Any]]:
    """By chosen feature: its contribution over twenty bins of about equal size, in the order of the value.

    A bin has `rows`, the mean `value` (None: the value is missing), the mean `contribution` and its tenth
    and ninetieth percentile `low` and `high`. The bins' edges are approximate quantiles.
    """
    if not chosen:
        return {}
    long = _long(explained, order, chosen)
    shares = [step / BINS for step in range(1, BINS)]
    edges = long.groupBy("feature").agg(F.percentile_approx("value", shares, 10_000).alias("edges"))
    above = F.size(F.filter(F.array_distinct("edges"), lambda edge: edge < F.col("value")))
    binned = long.join(F.broadcast(edges), "feature", "inner").withColumns(
        {"bin": F.when(F.col("value").isNotNull(), above)}
    )
    tails = F.percentile_approx("contribution", [0.1, 0.9], 10_000)
    summed = binned.groupBy("feature", "bin").agg(
        F.count("*").alias("rows"),
        F.avg("value").alias("value"),
        F.avg("contribution").alias("contribution"),
        tails[0].alias("low"),
        tails[1].alias("high"),
    )
    found: dict[str, list[Any]] = {name: [] for name in chosen}
    for row in summed.orderBy("feature", F.asc_nulls_last("bin")).collect():
        found[row["feature"]].append(
            {name: row[name] for name in ("rows", "value", "contribution", "low", "high")}
        )
    return found


def swarm(
    explained: DataFrame, order: Sequence[str], chosen: Sequence[str], seed: int
) -> dict[str, list[Any]]:
    """By chosen feature: pairs (value, contribution) of at most `DOTS` rows drawn by a hash of their keys."""
    if not chosen:
        return {}
    place = {name: index for index, name in enumerate(order)}
    drawn = explained.orderBy(F.xxhash64(*_KEYS, F.lit(seed)), *_KEYS).limit(DOTS)
    pairs = [
        F.struct(F.col(name).alias("value"), F.get(CONTRIBUTIONS, F.lit(place[name])).alias("part")).alias(
            name
        )
        for name in chosen
    ]
    rows = drawn.select(*pairs).collect()
    return {
        name: [[_rounded(row[name]["value"]), _rounded(row[name]["part"])] for row in rows] for name in chosen
    }


def _long(explained: DataFrame, order: Sequence[str], chosen: Sequence[str]) -> DataFrame:
    """Grain row and chosen feature: feature, value (null if missing), contribution."""
    place = {name: index for index, name in enumerate(order)}
    triples = [
        F.struct(
            F.lit(name).alias("feature"),
            F.when(~F.isnan(name), F.col(name)).alias("value"),
            F.get(CONTRIBUTIONS, F.lit(place[name])).alias("contribution"),
        )
        for name in chosen
    ]
    return explained.select(F.inline(F.array(*triples)))


def _sums(explained: DataFrame, order: Sequence[str]) -> dict[str, Matrix]:
    """Means over rows of the absolute contribution, and sums of value times contribution."""
    schema = ", ".join(f"{name} array<double>" for name in _SUMS)
    collected = explained.select(*order, CONTRIBUTIONS).mapInArrow(_summer(tuple(order)), schema).toPandas()
    if collected.empty:
        return {"strength": np.zeros(len(order)), "together": np.zeros(len(order))}
    sums = {name: np.stack(list(collected[name])).sum(axis=0) for name in _SUMS}
    return {"strength": sums["strength"] / sums["rows"], "together": sums["together"]}


def _summer(order: tuple[str, ...]) -> Callable[[Batches], Batches]:
    def summed(batches: Batches) -> Batches:
        for batch in batches:
            if batch.num_rows:
                matrix, found = as_matrix(batch, order), _contributions(batch, len(order))
                with np.errstate(invalid="ignore"):
                    known = np.where(np.isnan(matrix), 0.0, matrix - _means(matrix))
                parts = (
                    np.full(len(order), float(batch.num_rows)),
                    np.abs(found).sum(axis=0),
                    (known * (found - found.mean(axis=0))).sum(axis=0),
                )
                yield pa.RecordBatch.from_arrays([pa.array([part.tolist()]) for part in parts], list(_SUMS))

    return summed


def _means(matrix: Matrix) -> Matrix:
    known = ~np.isnan(matrix)
    return np.asarray(np.where(known, matrix, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _contributions(batch: pa.RecordBatch, width: int) -> Matrix:
    flat = batch.column(batch.schema.get_field_index(CONTRIBUTIONS)).flatten()
    return np.asarray(flat.to_numpy(zero_copy_only=False).reshape(batch.num_rows, width + 1)[:, :-1])


def _rounded(value: float | None) -> float | None:
    return None if value is None or value != value else float(f"{value:.4g}")
