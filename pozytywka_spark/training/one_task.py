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
    """One column `block` binary: some thousand rows each, what the task needs of them, as an Arrow stream."""
    keys = [F.col("user_id"), F.unix_date("month").alias("month"), F.col(task.label), F.col(task.validation)]
    narrow = rows.select(*keys, *(F.col(name).cast("float").alias(name) for name in task.order))
    return narrow.mapInArrow(pack, f"{_BLOCK} binary")


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


def _unpack(batches: Batches) -> pa.Table:
    blocks = [block.as_buffer() for batch in batches for block in batch.column(0)]
    return pa.concat_tables(pa.ipc.open_stream(block).read_all() for block in blocks)


def _matrices(rows: pa.Table, task: Task) -> tuple[xgboost.QuantileDMatrix, xgboost.QuantileDMatrix]:
    """Both sides as XGBoost bins them, rows by user and month."""
    keys = [rows.column(name).to_numpy() for name in (*reversed(_KEYS), task.validation)]
    places = np.lexsort(keys)  # the validation side after the train side, each by user and month
    features = _gathered(rows, task.order, places)
    label = rows.column(task.label).to_numpy()[places]
    cut = len(places) - int(np.count_nonzero(keys[-1]))
    options = {"missing": np.nan, "nthread": task.threads}
    known = xgboost.QuantileDMatrix(features[:cut], label[:cut], **options)
    return known, xgboost.QuantileDMatrix(features[cut:], label[cut:], ref=known, **options)


def _gathered(rows: pa.Table, order: Sequence[str], places: Any) -> Any:
    """The named columns beside each other, 32-bit, rows in the order of `places`, null as NaN."""
    matrix = np.empty((len(places), len(order)), dtype=np.float32)
    for column, name in enumerate(order):
        matrix[:, column] = rows.column(name).to_numpy()[places]
    return matrix
