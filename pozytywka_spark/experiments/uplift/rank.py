"""Ranks over all rows without bringing them to one place."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

ROWS_A_BUCKET = 250_000
MAX_BUCKETS = 256
DECILES = 10


def with_rank(df: DataFrame, by: str, tie: str, rows: int, rows_a_bucket: int = ROWS_A_BUCKET) -> DataFrame:
    """Add `rank` bigint and `decile` int: 1 has the highest `by`, of equals the lower `tie`.

    A window over everything would sort all rows in one task. Rows are cut into buckets by approximate
    quantiles instead, ranked inside each, and moved down by the rows above: exact wherever the edges lie.
    `rows` is the number of rows of `df`; beyond one bucket `df` is computed three times, so cache it.
    """
    buckets = max(1, min(MAX_BUCKETS, -(-rows // rows_a_bucket)))
    if buckets == 1:
        ranked = df.withColumns({"rank": F.row_number().over(_order(by, tie)).cast("bigint")})
    else:
        ranked = _with_rank_in_buckets(df, by, tie, buckets)
    decile = F.floor((F.col("rank") - 1) * DECILES / F.lit(max(rows, 1))) + 1
    return ranked.withColumns({"decile": decile.cast("int")})


def _order(by: str, tie: str) -> WindowSpec:
    return Window.partitionBy(F.lit(0)).orderBy(F.desc(by), tie)


def _with_rank_in_buckets(df: DataFrame, by: str, tie: str, buckets: int) -> DataFrame:
    shares = [step / buckets for step in range(1, buckets)]
    edges = df.agg(F.percentile_approx(by, shares, 10_000).alias("edges"))
    above = F.size(F.filter("edges", lambda edge: edge > F.col(by)))
    bucketed = df.join(F.broadcast(edges)).withColumns({"bucket": above}).drop("edges")
    sizes = bucketed.groupBy("bucket").agg(F.count("*").alias("size"))
    before = Window.partitionBy(F.lit(0)).orderBy("bucket").rowsBetween(Window.unboundedPreceding, -1)
    offsets = sizes.select("bucket", F.coalesce(F.sum("size").over(before), F.lit(0)).alias("offset"))
    inside = F.row_number().over(Window.partitionBy("bucket").orderBy(F.desc(by), tie))
    return (
        bucketed.join(F.broadcast(offsets), "bucket", "inner")
        .withColumns({"rank": (inside + F.col("offset")).cast("bigint")})
        .drop("bucket", "offset")
    )
