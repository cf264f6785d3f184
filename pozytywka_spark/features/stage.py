"""Silver tables -> user_month, features and labels, guarded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.activity import (
    data_end,
    filter_free,
    first_likes,
    first_purchases,
    with_play_attributes,
)
from pozytywka_spark.features.catalogue import CATALOGUE, catalogue_hash, feature_order, measures_of
from pozytywka_spark.features.dimensions import track_dimension, user_dimension
from pozytywka_spark.features.genres import genre_vocabulary, word_count
from pozytywka_spark.features.guards import GuardResult, check_names, check_rows
from pozytywka_spark.features.labels import as_labels, label_counts
from pozytywka_spark.features.user_month import as_features, as_user_month
from pozytywka_spark.lake.api import Lake


@dataclass(frozen=True)
class FeaturesReport:
    """What was built: rows of user-months, the table of labels by month, the guards that passed."""

    rows: int
    features: int
    catalogue_hash: str
    labels: Sequence[Mapping[str, Any]]
    guards: Sequence[GuardResult]


def build_features(spark: SparkSession, settings: Settings, lake: Lake) -> FeaturesReport:
    """Build `user_month`, `features` and `labels` of all months from the silver tables.

    Raises `DataError` if a silver table is missing or there are no events, `GuardError` on leakage.
    """
    silver = read_silver(lake)
    names = [feature.name for feature in CATALOGUE]
    guards = [check_names(names)]
    measures = measures_of(CATALOGUE)
    events = silver["events"]
    purchases = first_purchases(events)
    user_month = schemas.user_month_table([measure.name for measure in measures])
    lake.overwrite(user_month.conform(as_user_month(attributed_events(silver), measures)), user_month)
    rows = lake.read("user_month")
    guards.append(check_rows(rows, purchases))
    features = schemas.features_table(names)
    lake.overwrite(features.conform(as_features(rows, CATALOGUE)), features)
    labels = schemas.labels_table(settings.label.horizon_column)
    lake.overwrite(labels.conform(as_labels(rows, purchases, data_end(events), settings.label)), labels)
    counts = [row.asDict() for row in label_counts(lake.read("labels"), settings.label).collect()]
    return FeaturesReport(
        rows=sum(row["rows"] for row in counts),
        features=len(feature_order(settings)),
        catalogue_hash=catalogue_hash(settings),
        labels=counts,
        guards=guards,
    )


def read_silver(lake: Lake) -> dict[str, DataFrame]:
    """The silver tables by name. Raises `DataError` naming every one that is missing."""
    missing = [table.name for table in schemas.SILVER if not lake.exists(table.name)]
    if missing:
        raise DataError(
            f"features need the tables {', '.join(missing)}, which {lake.root} does not hold: "
            "ingest a delivery with those entities first"
        )
    return {table.name: lake.read(table.name) for table in schemas.SILVER}


def attributed_events(silver: Mapping[str, DataFrame]) -> DataFrame:
    """Events of months that make rows, with what plays are of."""
    events = silver["events"]
    free = filter_free(events, first_purchases(events))
    vocabulary = genre_vocabulary(silver["users"])
    words = word_count(vocabulary)
    tracks = track_dimension(silver["tracks"], silver["artists"], silver["track_storage"], vocabulary, words)
    users = user_dimension(silver["users"], vocabulary, words)
    return with_play_attributes(free, tracks, users, first_likes(events), words)
