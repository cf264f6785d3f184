"""How ingest read a delivery before it kept its own book: Spark's file source, stopped within a batch."""

from __future__ import annotations

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.ingest.batch import Source, ingest_batch
from pozytywka_spark.lake.api import Lake


def run_older_stream(spark: SparkSession, lake: Lake, source: Source, glob: str, per_batch: int) -> None:
    """Batches of `per_batch` files until one fails; each has Spark's number and Spark's checkpoint."""

    def each(batch: DataFrame, number: int) -> None:
        lines = batch.select(
            "*",
            F.monotonically_increasing_id().alias("source_order"),
            F.lit(None).cast("string").alias("time_unit"),
        )
        ingest_batch(spark, lake, source, lines, number, ())

    stream = spark.readStream.format("text").option("maxFilesPerTrigger", per_batch).load(glob)
    query = (
        stream.select("value", "_metadata")
        .writeStream.foreachBatch(each)
        .option("checkpointLocation", f"{lake.root}/_checkpoints/{source.stream}")
        .trigger(availableNow=True)
        .start()
    )
    try:
        query.awaitTermination()
    except StreamingQueryException:
        return
    finally:
        query.stop()
