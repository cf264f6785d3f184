"""Every table of the lake, declared once: grain, columns, keys, partitions."""

from pozytywka_spark.schemas.experiments import (
    ASSIGNMENTS,
    EXPERIMENT_RESULTS,
    EXPERIMENTS,
    EXPOSURES,
    UPLIFT,
)
from pozytywka_spark.schemas.factory import DECISIONS, FACTORY_MODELS
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
from pozytywka_spark.schemas.fraud import CASES, FRAUD_SCANS, RINGS, signals_table
from pozytywka_spark.schemas.ingest import (
    DATA_SPAN,
    INGEST_COUNTS,
    INGEST_FILES,
    INGESTS,
    QUALITY,
    QUARANTINE,
    RESCUED,
)
from pozytywka_spark.schemas.moderation import (
    APPEALS,
    BLOCKS,
    DISCOUNTED_PLAYS,
    FOULS,
    SECOND_LOOKS,
    VERDICTS,
    VERDICTS_ASIDE,
)
from pozytywka_spark.schemas.serving import MONITORING, MONTHLY_STEPS, PREDICTIONS, SIMULATIONS
from pozytywka_spark.schemas.silver import ARTISTS, EVENTS, SILVER, TRACK_STORAGE, TRACKS, USERS, order_of
from pozytywka_spark.schemas.table import Table, month_of, table

__all__ = [
    "APPEALS",
    "ARTISTS",
    "ARTIST_DEBUTS",
    "ASSIGNMENTS",
    "BLOCKS",
    "CASES",
    "DATA_SPAN",
    "DECISIONS",
    "DISCOUNTED_PLAYS",
    "EVENTS",
    "EXPERIMENTS",
    "EXPERIMENT_RESULTS",
    "EXPOSURES",
    "FACTORY_MODELS",
    "FEATURE_BUILDS",
    "FIRST_LIKES",
    "FIRST_PURCHASES",
    "FOULS",
    "FRAUD_SCANS",
    "INGESTS",
    "INGEST_COUNTS",
    "INGEST_FILES",
    "MONITORING",
    "MONTHLY_STEPS",
    "PREDICTIONS",
    "QUALITY",
    "QUARANTINE",
    "RESCUED",
    "RINGS",
    "SECOND_LOOKS",
    "SILVER",
    "SIMULATIONS",
    "TRACKS",
    "TRACK_PLAYS",
    "TRACK_STORAGE",
    "UPLIFT",
    "USERS",
    "USER_DEBUTS",
    "VERDICTS",
    "VERDICTS_ASIDE",
    "Table",
    "features_table",
    "labels_table",
    "month_of",
    "order_of",
    "signals_table",
    "table",
    "user_month_table",
]
