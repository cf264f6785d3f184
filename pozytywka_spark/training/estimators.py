"""The three models: majority, logistic regression, gradient-boosted trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import Imputer, StandardScaler, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifier

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.training.planner import Plan
from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.splits import TRAIN, VALIDATION

MAJORITY, LOGISTIC, XGBOOST = "majority", "logistic", "xgboost"
MODELS = (MAJORITY, LOGISTIC, XGBOOST)


@dataclass(frozen=True)
class FittedTrees:
    """A booster cut to its best iteration, as native UBJ, with how its log loss fell."""

    booster: bytes
    trees: int
    trees_tried: int
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    gains: Mapping[str, float]
    positive_weight: float


@dataclass(frozen=True)
class FittedLogistic:
    """A Spark ML pipeline and, for people, its coefficients per standard deviation."""

    pipeline: PipelineModel
    coefficients: Mapping[str, float]
    intercept: float
    left_out: tuple[str, ...]


def fit_logistic(rows: DataFrame, order: Sequence[str], settings: Settings) -> FittedLogistic:
    """Regularised logistic regression on the train side; nulls become the train side's mean.

    All statistics (means to impute, means and deviations to standardise) are the train side's. Features
    without two different values there carry nothing and are left out. Raises `DataError` if none is left.
    """
    train = rows.filter(F.col(SIDE) == TRAIN)
    used = _varying(train, order)
    if not used:
        raise DataError("no feature varies on the train side: nothing can be learnt from it")
    imputed = [f"imputed_{name}" for name in used]
    stages: list[Any] = [
        Imputer(inputCols=used, outputCols=imputed),
        VectorAssembler(inputCols=imputed, outputCol="assembled"),
        StandardScaler(inputCol="assembled", outputCol="standardised", withMean=True),
        LogisticRegression(
            featuresCol="standardised",
            labelCol=LABEL,
            regParam=settings.training.logistic_reg_param,
            standardization=False,  # they are already
            maxIter=100,
            probabilityCol="probabilities",
        ),
    ]
    pipeline = Pipeline(stages=stages).fit(train)
    fitted: Any = pipeline.stages[-1]
    return FittedLogistic(
        pipeline,
        dict(zip(used, fitted.coefficients.toArray().tolist(), strict=True)),
        float(fitted.intercept),
        tuple(name for name in order if name not in used),
    )


def with_logistic(df: DataFrame, fitted: FittedLogistic) -> DataFrame:
    """Add `logistic`, the probability."""
    scored = fitted.pipeline.transform(df)
    return scored.select(*df.columns, vector_to_array(F.col("probabilities")).getItem(1).alias(LOGISTIC))


def fit_trees(
    rows: DataFrame, order: Sequence[str], settings: Settings, plan: Plan, base_rate: float
) -> FittedTrees:
    """Boosted trees on the train side, stopped on the validation side's log loss.

    Rows go to workers by a hash of the user and are sorted there, so that the same rows give the same
    trees. The booster is cut after its best iteration: no reader can use the trees that overfit.
    """
    unknown = sorted(set(settings.training.monotone) - set(order))
    if unknown:
        raise UsageError(f"training.monotone: no such feature: {', '.join(unknown)}")
    weight = positive_weight(settings, base_rate)
    used = (
        rows.filter(F.col(SIDE).isin(TRAIN, VALIDATION))
        .select("user_id", "month", LABEL, (F.col(SIDE) == VALIDATION).alias("is_validation"), *order)
        .repartition(plan.workers, "user_id")
        .sortWithinPartitions("user_id", "month")
    )
    estimator = SparkXGBClassifier(
        features_col=list(order),
        label_col=LABEL,
        validation_indicator_col="is_validation",
        missing=float("nan"),
        num_workers=plan.workers,
        n_estimators=settings.training.max_trees,
        early_stopping_rounds=settings.training.early_stopping_rounds,
        **tree_parameters(settings, order, weight),
    )
    model = estimator.fit(used)
    booster = model.get_booster()
    best = int(booster.best_iteration) + 1
    summary = model.training_summary
    cut = booster[:best]
    cut.feature_names = list(order)
    return FittedTrees(
        booster=bytes(cut.save_raw("ubj")),
        trees=best,
        trees_tried=booster.num_boosted_rounds(),
        train_loss=tuple(summary.train_objective_history["logloss"]),
        validation_loss=tuple(summary.validation_objective_history["logloss"]),
        gains={name: float(gain) for name, gain in cut.get_score(importance_type="total_gain").items()},
        positive_weight=weight,
    )


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


def _varying(train: DataFrame, order: Sequence[str]) -> list[str]:
    """Features with at least two values on the train side."""
    spread = train.agg(*[(F.max(name) > F.min(name)).alias(name) for name in order]).first()
    return [name for name in order if spread is not None and spread[name]]
