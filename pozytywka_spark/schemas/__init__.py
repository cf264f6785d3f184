"""Every table of the lake, declared once: grain, columns, keys, partitions."""

from pozytywka_spark.schemas.experiments import (
    ASSIGNMENTS,
    EXPERIMENT_RESULTS,
    EXPERIMENTS,
    EXPOSURES,
    UPLIFT,
)
from pozytywka_spark.schemas.features import (
    ARTIST_DEBUTS,
    FEATURE_BUILDS,
    FIRST_LIKES,
    FIRST_PURCHASES,
    TRACK_PLAYS,
    USER_DEBUTS,
    features_table,
    labels_table,
    user_month_table,
)
from pozytywka_spark.schemas.ingest import (
    DATA_SPAN,
    INGEST_COUNTS,
    INGEST_FILES,
    INGESTS,
    QUALITY,
    QUARANTINE,
    RESCUED,
)
from pozytywka_spark.schemas.serving import MONITORING, MONTHLY_STEPS, PREDICTIONS, SIMULATIONS
from pozytywka_spark.schemas.silver import ARTISTS, EVENTS, SILVER, TRACK_STORAGE, TRACKS, USERS, order_of
from pozytywka_spark.schemas.table import Table, month_of, table

__all__ = [
    "ARTISTS",
    "ARTIST_DEBUTS",
    "ASSIGNMENTS",
    "DATA_SPAN",
    "EVENTS",
    "EXPERIMENTS",
    "EXPERIMENT_RESULTS",
    "EXPOSURES",
    "FEATURE_BUILDS",
    "FIRST_LIKES",
    "FIRST_PURCHASES",
    "INGESTS",
    "INGEST_COUNTS",
    "INGEST_FILES",
    "MONITORING",
    "MONTHLY_STEPS",
    "PREDICTIONS",
    "QUALITY",
    "QUARANTINE",
    "RESCUED",
    "SILVER",
    "SIMULATIONS",
    "TRACKS",
    "TRACK_PLAYS",
    "TRACK_STORAGE",
    "UPLIFT",
    "USERS",
    "USER_DEBUTS",
    "Table",
    "features_table",
    "labels_table",
    "month_of",
    "order_of",
    "table",
    "user_month_table",
]
