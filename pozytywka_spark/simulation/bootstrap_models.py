"""The model fitted again on users drawn with replacement: how sure its predicted changes are."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.table_counts import CountLabels, counted
from pozytywka_spark.dataset.table_work import MonthRows, mature
from pozytywka_spark.errors import DataError
from pozytywka_spark.evaluation.metric_sums import user_weights
from pozytywka_spark.hashing.dice import dice, falls_below
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.models.booster import Predictor, Trees
from pozytywka_spark.models.linear_fit import fit_weighted
from pozytywka_spark.models.predictors import from_content
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.models.target import label_columns
from pozytywka_spark.models.tree_parameters import positive_weight, tree_parameters
from pozytywka_spark.names import LABEL

REFIT = "refit_rows"  # kind of parcels: user_id, month, label and the model's features as 32-bit floats
_BYTES_A_FIT = 4 << 20  # worth a task of its own


def refit(tasks: Tasks, settings: Settings, lake: Lake, model: ServingModel) -> tuple[Predictor, ...]:
    """`simulation.bootstrap` models of the champion's kind, each on users drawn anew.

    A user's rows are drawn together (Poisson bootstrap of clusters). Trees: plain XGBoost, as many as the
    champion has, the same parameters. Calibration stays the champion's own. Raises as `training_rows`.
    """
    simulation = settings.simulation
    rows = training_rows(tasks, settings, lake, model)
    how = recipe(settings, model)
    numbers = tuple(range(1, simulation.bootstrap + 1))
    # the sample is bounded: on one machine threads of this process fit sooner than workers have started
    items = [numbers] if tasks.here else [(number,) for number in numbers]
    done = tasks.run(
        items,
        FitReplicates(rows, how, model.features, simulation.seed, tasks.slots if tasks.here else 1),
        weight=lambda _: 1 if tasks.here else _BYTES_A_FIT,
        named=lambda item: f"refit {item[0]} of {simulation.bootstrap}",
    )
    models = {result["replicate"]: base64.b64decode(result["content"]) for result in done.results}
    return tuple(from_content(model.kind, models[number], how.trees) for number in sorted(models))


@dataclass(frozen=True)
class FitReplicates:
    """Work on numbers of replicates: tells each one's model, `content` in base64. `rows`: parcels REFIT.

    Each is fitted by one thread, so that it comes out the same wherever it is; so many at once.
    """

    rows: tuple[Parcel, ...]
    how: Recipe
    order: tuple[str, ...]
    seed: int
    at_once: int = 1

    def __call__(self, items: Sequence[tuple[int, ...]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a replicate."""
        rows = files.shared(self.rows).sort("user_id", "month").to_arrow()
        fit = partial(fit_replicate, rows, self.how, self.order, self.seed)
        numbers = [number for item in items for number in item]
        with ThreadPoolExecutor(self.at_once) as threads:
            for replicate, refit in zip(numbers, threads.map(fit, numbers), strict=True):
                yield {"replicate": replicate, "content": base64.b64encode(refit.content()).decode()}


@dataclass(frozen=True)
class Recipe:
    """How a replicate is fitted: `trees` of XGBoost by `parameters`, or logistic regression if that is 0."""

    trees: int
    parameters: Mapping[str, object]
    reg_param: float


def recipe(settings: Settings, model: ServingModel) -> Recipe:
    """The same kind as the model."""
    trees = model.predictor.trees if isinstance(model.predictor, Trees) else 0
    parameters = tree_parameters(settings, model.features, positive_weight(settings, model.base_rate))
    return Recipe(trees, parameters, settings.training.logistic_reg_param)


def training_rows(tasks: Tasks, settings: Settings, lake: Lake, model: ServingModel) -> tuple[Parcel, ...]:
    """Labelled rows of the months that the model was fitted on: of some users, all rows.

    Users are chosen by dice, so that `simulation.bootstrap_rows` rows come out, about. Parcels REFIT.
    Raises `DataError` if the table has not the model's label, if there is no such row or no buyer among them.
    """
    simulation = settings.simulation
    has_complete = "complete" in label_columns(lake, model)
    whole = not settings.training.incomplete_months and has_complete
    times = ["user_id", "month", "cut_off", "horizon_end", "mature", model.label]
    labels = {
        shard.partition["month"]: shard.files
        for shard in lake.shards("labels", tasks, columns=[*times, *(["complete"] if whole else [])])
        if f"{shard.partition['month']:%Y-%m}" <= model.trained_until
    }
    files = [file for each in labels.values() for file in each]
    counted_rows = tasks.run(
        files, CountLabels(model.label, whole), weight=lambda file: file.size, named=lambda file: file.place
    )
    counts = counted(counted_rows.results).counts
    rows = sum(count.rows for count in counts)
    if not sum(count.positives for count in counts):
        raise DataError(
            f"no labelled row with a purchase until {model.trained_until} is left to refit the champion on: "
            "build the features of those months again"
        )
    partitions: list[Partition] = [{"month": count.month} for count in counts if count.rows]
    columns = ["user_id", "month", *model.features]
    months = [
        MonthRows(shard.partition["month"], 0, labels[shard.partition["month"]], shard.files)
        for shard in lake.shards("features", tasks, partitions, columns)
    ]
    work = DrawRefit(
        model.features, model.label, whole, min(1.0, simulation.bootstrap_rows / rows), simulation.seed
    )
    done = tasks.run(
        months, work, weight=lambda item: item.size, named=lambda item: f"rows of {item.month:%Y-%m}"
    )
    return tuple(done.of(REFIT))


@dataclass(frozen=True)
class DrawRefit:
    """Work on `MonthRows`: stages REFIT, the labelled rows of users whose dice are below `share`."""

    order: tuple[str, ...]
    label: str
    whole: bool
    share: float
    seed: int

    def __call__(self, items: Sequence[MonthRows], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for item in items:
            columns = ["user_id", "month", "cut_off", "horizon_end", "mature", self.label]
            labels = files.read(item.labels, [*columns, *(["complete"] if self.whole else [])])
            mature_rows = mature(labels, self.label, whole=self.whole)
            mature_rows = mature_rows.filter(
                falls_below(dice(mature_rows, self.seed, ("user_id",)), self.share)
            )
            sample = mature_rows.select("user_id", "month", pl.col("label").cast(pl.Float32).alias(LABEL))
            for file in item.features:
                rows = files.read([file], ["user_id", *self.order])
                floats = rows.select(
                    "user_id", *(pl.col(name).cast(pl.Float32).fill_null(float("nan")) for name in self.order)
                )
                files.stage(REFIT, sample.join(floats, on="user_id", how="inner"))
        yield from ()


def fit_replicate(table: pa.Table, how: Recipe, order: Sequence[str], seed: int, replicate: int) -> Predictor:
    """One model on the users that `replicate`, which counts from 1, has drawn."""
    weight = user_weights(table["user_id"].to_numpy(), seed, replicate, 1)[0]
    drawn = weight > 0
    matrix = np.column_stack([table[name].to_numpy() for name in order])[drawn]
    label, weight = table[LABEL].to_numpy()[drawn], weight[drawn]
    if how.trees == 0:
        return fit_weighted(matrix.astype(np.float64), label.astype(np.float64), weight, how.reg_param)
    import xgboost

    data = xgboost.DMatrix(matrix, label=label, weight=weight, missing=np.nan, nthread=1)
    params = {**how.parameters, "objective": "binary:logistic", "nthread": 1}
    grown = xgboost.train(params, data, num_boost_round=how.trees)
    return Trees(bytes(grown.save_raw("ubj")), how.trees)
