"""A small world of known hazard: features and labels as the features stage writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.features.declared.catalogue import CATALOGUE, feature_order
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.lake.data_span import span_of
from pozytywka_spark.lake.event_days import FEATURES, write_span
from pozytywka_spark.months import months_between, next_month

FIRST, LAST = date(2022, 1, 1), date(2023, 2, 1)
VALIDATION_FROM, TEST_FROM = date(2022, 10, 1), date(2022, 12, 1)
KEPT = 9
DROPPED = ",".join(feature.name for feature in CATALOGUE[KEPT:])


def waved(values: list[np.ndarray]) -> np.ndarray:
    """Log-odds that no line finds: the first works like a wave, and only where the fourth is positive."""
    return -2.2 + 1.6 * np.sin(2.5 * values[0]) * (values[3] > 0) + 0.7 * values[5]


def straight(values: list[np.ndarray]) -> np.ndarray:
    """Log-odds that a line finds whole."""
    return -2.0 + 0.6 * values[0] - 0.5 * values[3] + 0.7 * values[5]


def hazard_rows(
    order: tuple[str, ...],
    users: int,
    seed: int = 1,
    log_odds: Callable[[list[np.ndarray]], np.ndarray] = waved,
) -> pd.DataFrame:
    """Grain user and month: the features, `truth` (the probability of buying within the horizon), `buys`.

    Truth is `log_odds` of the features in their order. A tenth of the eighth is null. Most buyers leave; some
    stay so that tables have clusters.
    """
    drawn = np.random.default_rng(seed)
    frames = []
    alive = np.arange(1, users + 1)
    for month in months_between(FIRST, LAST):
        values = {name: drawn.normal(size=len(alive)) for name in order}
        truth = 1 / (1 + np.exp(-log_odds([values[name] for name in order])))
        buys = drawn.random(len(alive)) < truth
        frame = pd.DataFrame({"user_id": alive, "month": month, **values, "truth": truth, "buys": buys})
        frame.loc[drawn.random(len(alive)) < 0.1, order[7]] = np.nan
        frames.append(frame)
        alive = alive[~buys | (drawn.random(len(alive)) < 0.9)]
    return pd.concat(frames, ignore_index=True)


def write_tables(settings: Settings, lake: Lake, rows: pd.DataFrame) -> None:
    """Write the tables features, labels and users; the last month is immature."""
    order = feature_order(settings)
    features = schemas.features_table(order)
    lake.overwrite(as_arrow(rows[["user_id", "month", *order]], features), features)
    labels = schemas.labels_table(settings.label.horizon_column)
    made = pd.DataFrame({"user_id": rows["user_id"], "month": rows["month"]})
    made["cut_off"] = [datetime.combine(next_month(month), datetime.min.time()) for month in rows["month"]]
    made["horizon_end"] = made["cut_off"] + timedelta(days=settings.label.horizon_days)
    made["mature"] = rows["month"] < LAST
    bought = rows["buys"].astype(int)
    made[settings.label.horizon_column] = bought.astype(object).where(made["mature"], None)
    made["buys_ever"] = bought
    made["complete"] = True
    lake.overwrite(as_arrow(made, labels), labels)
    write_days(settings, lake, FIRST, next_month(LAST))
    users = pd.DataFrame({"user_id": rows["user_id"].unique()})
    users["city"] = np.where(users["user_id"] % 3 == 0, "Gdynia", "Radom")
    users["favourite_genres"], users["premium_user"] = None, False
    lake.overwrite(as_arrow(users, schemas.USERS), schemas.USERS)


def write_days(settings: Settings, lake: Lake, first: date, end: date) -> None:
    """Record that there are events on every day from `first` until `end`, itself outside."""
    counts = {first + timedelta(days=n): 100 for n in range((end - first).days)}
    write_span(lake, span_of(counts, settings.data), counts, FEATURES)


def training_frame(spark: SparkSession, rows: pd.DataFrame, order: tuple[str, ...]) -> DataFrame:
    """Grain user and month of mature months: user_id, month, side, label, the features; needs no lake."""
    known = rows[rows["month"] < LAST]
    frame = known[["user_id", "month", *order]].assign(
        label=known["buys"].astype(float),
        side=np.select(
            [known["month"] < VALIDATION_FROM, known["month"] < TEST_FROM], ["train", "validation"], "test"
        ),
    )
    doubles = ", ".join(f"{name} double" for name in order)
    made = spark.createDataFrame(frame, f"user_id bigint, month date, {doubles}, label double, side string")
    # Arrow brings NaN; the tables hold nulls
    return made.withColumns({name: F.nanvl(name, F.lit(None).cast("double")) for name in order})


def training_table(rows: pd.DataFrame, order: tuple[str, ...]) -> TrainingTable:
    """The mature months of `rows` on the sides of the split, as a training puts them down."""
    known = rows[rows["month"] < LAST].sort_values(["user_id", "month"])
    side = np.select([known["month"] < VALIDATION_FROM, known["month"] < TEST_FROM], [0, 1], 2)
    return TrainingTable(
        order=order,
        user_id=known["user_id"].to_numpy(np.int64),
        month=known["month"].to_numpy("datetime64[D]"),
        side=side.astype(np.uint8),
        label=known["buys"].to_numpy(np.float64),
        matrix=known[list(order)].to_numpy(np.float32),
    )


def as_arrow(rows: pd.DataFrame, table: schemas.Table) -> pa.Table:
    """The rows under the table's schema, NaN as null: written without Spark, which takes seconds for it."""
    return pa.Table.from_pandas(rows[list(table.columns)], arrow_schema(table.schema), preserve_index=False)
