"""Users, artists, tracks and storage: one row a key, the latest wins."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from pozytywka_spark.ingest.contracts import Contract
from pozytywka_spark.ingest.outcomes import (
    DUPLICATE,
    KEPT,
    OLDER_ROW,
    SAME_ROW,
    as_resolved,
    resolve_rejected,
)


def resolve_catalogue(
    judged: DataFrame, contract: Contract, held: DataFrame, quarantined: DataFrame
) -> DataFrame:
    """Outcomes of catalogue rows: the latest row of a key is kept, unless the table says the same already.

    Latest is what was delivered last: by the file's modification time, then its name, then the position
    in it. Rows that lose to it are duplicates, as are rows equal to what the table holds (`held`).
    """
    keys, columns = list(contract.table.keys), list(contract.table.columns)
    latest = Window.partitionBy(*keys).orderBy(
        F.desc("source_modified"), F.desc("source_file"), F.desc("source_order")
    )
    there = held.select(*keys, F.xxhash64(*columns).alias("_held"))
    ranked = judged.where(F.col("reason").isNull()).withColumns(
        {"_rank": F.row_number().over(latest), "_content": F.xxhash64(*columns)}
    )
    same = F.col("_held").isNotNull() & (F.col("_held") == F.col("_content"))
    why = F.when(F.col("_rank") > 1, F.lit(OLDER_ROW)).when(same, F.lit(SAME_ROW))
    good = as_resolved(
        ranked.join(there, on=keys, how="left"),
        columns,
        F.when(why.isNull(), F.lit(KEPT)).otherwise(F.lit(DUPLICATE)),
        why,
    )
    rejected = judged.where(F.col("reason").isNotNull())
    return good.unionByName(resolve_rejected(rejected, columns, quarantined))
