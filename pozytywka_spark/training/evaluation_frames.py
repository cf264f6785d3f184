"""Evaluation of scored rows, exact on all of them, without collecting any."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.training import kernel
from pozytywka_spark.training.metrics import Evaluation, finish

ROWS_A_BUCKET = 50_000
MAX_BUCKETS = 64
_KEYS = "name string, bucket int"
_TOTALS = ("pos", "neg")
_SUMS = ("auc", "ap", "log_loss", "brier", "top", "curve", "bin_weight", "bin_label", "bin_score")
_Arrays = dict[str, kernel.Floats]
# by group and bucket: the totals of the buckets above, and of the whole group
_Offsets = Mapping[str, Mapping[int, tuple[_Arrays, _Arrays]]]
_OfBucket = Callable[[pd.DataFrame], pd.DataFrame]


def evaluate(scored: DataFrame, *, replicates: int, seed: int) -> dict[str, Evaluation]:
    """Metrics of each group of `scored` (name string, user_id bigint, label double, score double).

    Two passes: weights of positives and negatives per bucket of scores, then each bucket's part of every
    metric given the buckets above it. `replicates` bootstrap replicates over users come with it. Cache
    `scored` if it is dear to compute.
    """
    bucketed = scored.transform(with_bucket)
    return evaluate_buckets(bucketed, replicates=replicates, seed=seed)


def with_bucket(scored: DataFrame, rows_a_bucket: int = ROWS_A_BUCKET) -> DataFrame:
    """Add `bucket`: 0 for the highest scores of the row's group. Where the edges lie changes no result."""
    largest = scored.groupBy("name").count().agg(F.max("count")).first()
    rows = (largest[0] or 0) if largest else 0
    buckets = min(MAX_BUCKETS, -(-rows // rows_a_bucket))
    if buckets <= 1:
        return scored.withColumns({"bucket": F.lit(0)})
    shares = [step / buckets for step in range(1, buckets)]
    edges = scored.groupBy("name").agg(F.percentile_approx("score", shares, 10_000).alias("edges"))
    above = F.size(F.filter("edges", lambda edge: edge > F.col("score")))
    return scored.join(F.broadcast(edges), "name", "inner").withColumns({"bucket": above}).drop("edges")


def evaluate_buckets(bucketed: DataFrame, *, replicates: int, seed: int) -> dict[str, Evaluation]:
    """`evaluate` of rows that have their bucket."""
    drawn = replicates + 1
    grouped = bucketed.select("name", "bucket", "user_id", "label", "score").groupBy("name", "bucket")
    first = grouped.applyInPandas(_totals(seed, drawn), f"{_KEYS}, pos array<double>, neg array<double>")
    offsets = _offsets(first.toPandas())
    schema = ", ".join([_KEYS, *(f"{name} array<double>" for name in _SUMS)])
    second = grouped.applyInPandas(_parts(seed, drawn, offsets), schema)
    return _finish(second.toPandas(), offsets, drawn)


def _totals(seed: int, drawn: int) -> _OfBucket:
    """The first pass over a bucket's rows."""

    def totals(rows: pd.DataFrame) -> pd.DataFrame:
        label, users = rows["label"].to_numpy(np.float64), rows["user_id"].to_numpy(np.int64)
        found = [
            kernel.totals(label, kernel.user_weights(users, seed, first, count))
            for first, count in kernel.replicate_chunks(len(rows), 0, drawn)
        ]
        return _one_row(rows, {name: np.concatenate([part[name] for part in found]) for name in _TOTALS})

    return totals


def _parts(seed: int, drawn: int, offsets: _Offsets) -> _OfBucket:
    """The second pass, given what lies above each bucket."""

    def parts(rows: pd.DataFrame) -> pd.DataFrame:
        above, total = offsets[rows["name"].iloc[0]][int(rows["bucket"].iloc[0])]
        label, users = rows["label"].to_numpy(np.float64), rows["user_id"].to_numpy(np.int64)
        score = rows["score"].to_numpy(np.float64)
        ranked, found = kernel.ranked(score, label), []
        for first, count in kernel.replicate_chunks(len(rows), 0, drawn):
            weight = kernel.user_weights(users, seed, first, count)
            chosen = slice(first, first + count)
            inside = [{name: part[name][chosen] for name in _TOTALS} for part in (above, total)]
            found.append(kernel.parts(ranked, weight[:, ranked.order], inside[0], inside[1]))
        whole = {name: np.concatenate([part[name] for part in found]) for name in _SUMS if name != "curve"}
        return _one_row(rows, whole | {"curve": found[0]["curve"]})

    return parts


def _one_row(rows: pd.DataFrame, arrays: _Arrays) -> pd.DataFrame:
    keys = {"name": [rows["name"].iloc[0]], "bucket": [int(rows["bucket"].iloc[0])]}
    return pd.DataFrame(keys | {name: [values.ravel()] for name, values in arrays.items()})


def _offsets(first: pd.DataFrame) -> _Offsets:
    """By group and bucket: the totals of the buckets above it, and of the whole group."""
    found: dict[str, dict[int, tuple[_Arrays, _Arrays]]] = {}
    for name, rows in first.sort_values("bucket").groupby("name"):
        stacked = {key: np.stack(list(rows[key])) for key in _TOTALS}
        total = {key: values.sum(axis=0) for key, values in stacked.items()}
        before = {key: np.cumsum(values, axis=0) - values for key, values in stacked.items()}
        found[str(name)] = {
            int(bucket): ({key: before[key][place] for key in _TOTALS}, total)
            for place, bucket in enumerate(rows["bucket"])
        }
    return found


def _finish(second: pd.DataFrame, offsets: _Offsets, drawn: int) -> dict[str, Evaluation]:
    done = {}
    for name, rows in second.sort_values("bucket").groupby("name"):
        total = next(iter(offsets[str(name)].values()))[1]
        sums = {key: np.sum(np.stack(list(rows[key])), axis=0) for key in _SUMS}
        shaped = {key: values.reshape(1 if key == "curve" else drawn, -1) for key, values in sums.items()}
        done[str(name)] = finish(total["pos"], total["neg"], shaped)
    return done
