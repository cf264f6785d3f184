"""The model fitted again on users drawn with replacement: how sure its predicted changes are."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.training.booster import Predictor
from pozytywka_spark.training.estimators import positive_weight, tree_parameters
from pozytywka_spark.training.kernel import user_weights
from pozytywka_spark.training.linear_fit import fit_weighted
from pozytywka_spark.training.predicted import labels_in, own_labels
from pozytywka_spark.training.predictors import Trees, from_content
from pozytywka_spark.training.rows import LABEL, whole_months
from pozytywka_spark.training.serving import ServingModel

_STEPS = 1_000_000  # of a user's hash: how finely the sample's size can be set
_KEYS = ("user_id", "month", LABEL)


def refit(spark: SparkSession, settings: Settings, lake: Lake, model: ServingModel) -> tuple[Predictor, ...]:
    """`simulation.bootstrap` models of the champion's kind, each on users drawn anew, one task each.

    A user's rows are drawn together (Poisson bootstrap of clusters). Trees: plain XGBoost, as many as the
    champion has, the same parameters. Calibration stays the champion's own. Only models come back.
    """
    chosen = settings.simulation
    rows = training_rows(settings, lake, model)
    packed = rows.groupBy(F.lit("one group")).applyInPandas(_packer(model.features), "rows binary")
    how = recipe(settings, model)
    tasks = spark.range(1, chosen.bootstrap + 1, numPartitions=chosen.bootstrap)
    fitted = tasks.crossJoin(F.broadcast(packed)).mapInPandas(
        _fitter(how, model.features, chosen.seed), "id long, content binary"
    )
    found = fitted.orderBy("id").collect()
    return tuple(from_content(model.kind, bytes(row["content"]), how.trees) for row in found)


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


def training_rows(settings: Settings, lake: Lake, model: ServingModel) -> DataFrame:
    """Labelled rows of the months that the model was fitted on: of some users, all rows.

    Users are chosen by a hash, so that `simulation.bootstrap_rows` rows come out, about. Raises
    `DataError` if the table has not the model's label, if there is no such row or no buyer among them.
    """
    chosen = settings.simulation
    labels = whole_months(labels_in(lake), settings)
    known = own_labels(labels, model).where(F.date_format("month", "yyyy-MM") <= model.trained_until)
    sizes = known.agg(F.count("*").alias("rows"), F.sum(LABEL).alias("buyers")).first()
    if sizes is None or not sizes["rows"] or not sizes["buyers"]:
        raise DataError(
            f"no labelled row with a purchase until {model.trained_until} is left to refit the champion on: "
            "build the features of those months again"
        )
    share = min(1.0, chosen.bootstrap_rows / sizes["rows"])
    dice = F.pmod(F.xxhash64("user_id", F.lit(chosen.seed)), F.lit(_STEPS))
    features = lake.read("features").select("user_id", "month", *model.features)
    return known.where(dice < int(share * _STEPS)).join(features, ["user_id", "month"], "inner")


def _packer(order: Sequence[str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The bounded sample as one value, in a fixed order, so that every task gets the same at no shuffle."""

    def pack(rows: pd.DataFrame) -> pd.DataFrame:
        ordered = rows.sort_values(["user_id", "month"])
        table = pa.table(
            {
                "user_id": ordered["user_id"].to_numpy(np.int64),
                LABEL: ordered[LABEL].to_numpy(np.float32),
                **{name: ordered[name].to_numpy(np.float32) for name in order},
            }
        )
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return pd.DataFrame({"rows": [sink.getvalue()]})

    return pack


def _fitter(
    how: Recipe, order: Sequence[str], seed: int
) -> Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]:
    def fit(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            for replicate, content in zip(batch["id"], batch["rows"], strict=True):
                table = pa.ipc.open_stream(content).read_all()
                found = fit_replicate(table, how, order, seed, int(replicate))
                yield pd.DataFrame({"id": [replicate], "content": [found.content()]})

    return fit


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
