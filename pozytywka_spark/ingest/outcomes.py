"""What becomes of each raw row: kept, repaired, duplicate or quarantined; exactly one of them."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pozytywka_spark.ingest.fates import DUPLICATE as DUPLICATE
from pozytywka_spark.ingest.fates import INCOMPLETE_COPY as INCOMPLETE_COPY
from pozytywka_spark.ingest.fates import KEPT as KEPT
from pozytywka_spark.ingest.fates import NOTED as NOTED
from pozytywka_spark.ingest.fates import OLDER_ROW as OLDER_ROW
from pozytywka_spark.ingest.fates import OUTCOMES as OUTCOMES
from pozytywka_spark.ingest.fates import QUARANTINED as QUARANTINED
from pozytywka_spark.ingest.fates import QUARANTINED_BEFORE as QUARANTINED_BEFORE
from pozytywka_spark.ingest.fates import REPAIRED as REPAIRED
from pozytywka_spark.ingest.fates import SAME_ROW as SAME_ROW

# Columns that every resolved row has beside its table's own.
FATE = ("outcome", "reason", "rule", "raw", "line_id", "rescued", "source_file", "source_order", "time_unit")


def as_resolved(rows: DataFrame, columns: list[str], outcome: Column, reason: Column) -> DataFrame:
    """`rows` with the table's `columns` (null where they lack one) and their fate."""
    there = set(rows.columns)
    verdict = {"outcome": outcome, "reason": reason}
    return rows.select(
        *(F.col(name) if name in there else F.lit(None).alias(name) for name in columns),
        *(verdict.get(name, F.col(name)).alias(name) for name in FATE),
    )


def resolve_rejected(rejected: DataFrame, columns: list[str], quarantine: DataFrame | None) -> DataFrame:
    """Outcomes of rows that have a `reason`: quarantined, unless that very line is there already.

    `quarantine` are the rows that were there before this batch; None if there were none.
    """
    first = Window.partitionBy("line_id").orderBy("source_file", "source_order", "time_unit")
    rows = rejected.withColumns({"_rank": F.row_number().over(first)})
    again = F.col("_rank") > 1
    if quarantine is not None:
        seen = quarantine.select(F.col("quarantine_id").alias("line_id"), F.lit(True).alias("_seen"))
        rows = rows.join(seen, on="line_id", how="left")
        again = again | F.col("_seen").isNotNull()
    return as_resolved(
        rows,
        columns,
        F.when(again, F.lit(DUPLICATE)).otherwise(F.lit(QUARANTINED)),
        F.when(again, F.lit(QUARANTINED_BEFORE)).otherwise(F.col("reason")),
    )
