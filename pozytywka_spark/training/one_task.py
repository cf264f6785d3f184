"""Trees grown by plain XGBoost in one task: what a plan of one worker asks for.

The Spark estimator would do the same with barriers, a tracker and a shuffle of wide rows, which at a hundred
thousand rows take several times as long as the trees. Here all cores turn rows into blocks of 32-bit floats
(XGBoost holds no wider ones), the shuffle moves only blocks, and the one task puts them in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import xgboost
from pyspark.resource import ResourceProfile, ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from threadpoolctl import threadpool_limits

from pozytywka_spark.training.booster import Batches

_BLOCK = "block"
_FEATURES = "features"
_GROWN = "booster binary, training array<double>, validation array<double>"
_KEYS = ("user_id", "month")


@dataclass(frozen=True)
class Task:
    """What the task needs to know. `validation` and `label` name columns."""

    order: tuple[str, ...]
    label: str
    validation: str
    parameters: Mapping[str, Any]
    rounds: int
    patience: int
    threads: int


@dataclass(frozen=True)
class Grown:
    """All trees that were grown, and the log loss of both sides after each."""

    booster: xgboost.Booster
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]


def grow(rows: DataFrame, task: Task, *, wider_tasks: bool) -> Grown:
    """Trees on the rows that `validation` doesn't mark, stopped on those that it does.

    The rows are sorted by user and month before they are used: however they lie, the trees are the same.
    `wider_tasks`: ask Spark for a task of as many cpus as it has threads (stage-level scheduling).
    """
    profile = _profile(task.threads) if wider_tasks else None
    blocks = as_blocks(rows, task).repartition(1)
    found = blocks.mapInArrow(grower(task), _GROWN, profile=profile).collect()[0]
    booster = xgboost.Booster()
    booster.load_model(bytearray(found["booster"]))
    return Grown(booster, tuple(found["training"]), tuple(found["validation"]))


def as_blocks(rows: DataFrame, task: Task) -> DataFrame:
    """One column `block` binary: some thousand rows each, what the task needs of them, as an Arrow stream.

    A row's features are one array, null as NaN: Spark hands it to Arrow in two thirds of the time that
    as many columns take, and the task finds the rows of its matrix ready.
    """
    keys = [F.col("user_id"), F.unix_date("month").alias("month"), F.col(task.label), F.col(task.validation)]
    missing = F.lit(float("nan")).cast("float")
    features = F.array(*(F.coalesce(F.col(name).cast("float"), missing) for name in task.order))
    return rows.select(*keys, features.alias(_FEATURES)).mapInArrow(pack, f"{_BLOCK} binary")


def _profile(threads: int) -> ResourceProfile:
    return ResourceProfileBuilder().require(TaskResourceRequests().cpus(threads)).build


def pack(batches: Batches) -> Batches:
    """Each batch of rows as one value."""
    for batch in batches:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        yield pa.RecordBatch.from_arrays([pa.array([sink.getvalue().to_pybytes()], pa.binary())], [_BLOCK])


def grower(task: Task) -> Callable[[Batches], Batches]:
    """What the one task runs."""

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        losses: dict[str, dict[str, list[float]]] = {}
        # Spark starts its workers with OMP_NUM_THREADS=1, and XGBoost's nthread can't exceed that
        with threadpool_limits(task.threads, user_api="openmp"):
            known, held_out = _matrices(_unpack(batches), task)
            booster = xgboost.train(
                {**task.parameters, "nthread": task.threads},
                known,
                task.rounds,
                evals=[(known, "training"), (held_out, "validation")],
                early_stopping_rounds=task.patience,
                evals_result=losses,
                verbose_eval=False,
            )
        sides = [pa.array([losses[side]["logloss"]]) for side in ("training", "validation")]
        raw = pa.array([bytes(booster.save_raw("ubj"))], pa.binary())
        yield pa.RecordBatch.from_arrays([raw, *sides], ["booster", "training", "validation"])

    return run


def _unpack(batches: Batches) -> list[pa.RecordBatch]:
    blocks = [block.as_buffer() for batch in batches for block in batch.column(0)]
    return [rows for block in blocks for rows in pa.ipc.open_stream(block)]


def _matrices(
    blocks: Sequence[pa.RecordBatch], task: Task
) -> tuple[xgboost.QuantileDMatrix, xgboost.QuantileDMatrix]:
    """Both sides as XGBoost bins them, rows by user and month."""
    columns = pa.Table.from_batches([block.drop_columns(_FEATURES) for block in blocks])
    keys = [columns.column(name).to_numpy() for name in (*reversed(_KEYS), task.validation)]
    places = np.lexsort(keys)  # the validation side after the train side, each by user and month
    features = _gathered(blocks, places, len(task.order))
    label = columns.column(task.label).to_numpy()[places]
    cut = len(places) - int(np.count_nonzero(keys[-1]))
    options = {"missing": np.nan, "nthread": task.threads}
    known = xgboost.QuantileDMatrix(features[:cut], label[:cut], **options)
    return known, xgboost.QuantileDMatrix(features[cut:], label[cut:], ref=known, **options)


def _gathered(blocks: Sequence[pa.RecordBatch], places: Any, width: int) -> Any:
    """The features of all blocks, 32-bit, a row each: the n-th is that of the row at `places[n]`."""
    matrix = np.empty((len(places), width), dtype=np.float32)
    target = np.empty_like(places)
    target[places] = np.arange(len(places))
    start = 0
    for block in blocks:
        rows = block.column(_FEATURES).flatten().to_numpy().reshape(-1, width)
        matrix[target[start : start + len(rows)]] = rows
        start += len(rows)
    return matrix
