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
    judged: DataFrame,
    contract: Contract,
    held: DataFrame,
    quarantine: DataFrame | None,
    *,
    any_rejected: bool = True,
    replaces: bool = True,
) -> DataFrame:
    """Outcomes of catalogue rows: the latest row of a key is kept, unless the table says the same already.

    Latest is what was delivered last: by the file's modification time, then its name, then the position
    in it. Rows that lose to it are duplicates, as are rows equal to what the table holds (`held`), and
    all rows of a held key unless `replaces`: a row that comes back from quarantine is older than that.
    """
    keys, columns = list(contract.table.keys), list(contract.table.columns)
    latest = Window.partitionBy(*keys).orderBy(
        F.desc("source_modified"), F.desc("source_file"), F.desc("source_order")
    )
    there = held.select(*keys, F.xxhash64(*columns).alias("_held"))
    ranked = judged.where(F.col("reason").isNull()).withColumns(
        {"_rank": F.row_number().over(latest), "_content": F.xxhash64(*columns)}
    )
    known = F.col("_held").isNotNull()
    why = (
        F.when(F.col("_rank") > 1, F.lit(OLDER_ROW))
        .when(known & (F.col("_held") == F.col("_content")), F.lit(SAME_ROW))
        .when(known & F.lit(not replaces), F.lit(OLDER_ROW))
    )
    good = as_resolved(
        ranked.join(there, on=keys, how="left"),
        columns,
        F.when(why.isNull(), F.lit(KEPT)).otherwise(F.lit(DUPLICATE)),
        why,
    )
    if not any_rejected:
        return good
    rejected = judged.where(F.col("reason").isNotNull())
    return good.unionByName(resolve_rejected(rejected, columns, quarantine))
