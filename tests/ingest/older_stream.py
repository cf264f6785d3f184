"""How ingest read a delivery before it kept its own book: Spark's file source, stopped within a batch."""

from __future__ import annotations

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest.batch import Batch, Source, ingest_batch
from pozytywka_spark.ingest.intake.reader import Surveyed
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.spark_files import SparkFiles
from pozytywka_spark.lake.storage.addresses import decoded_path
from pozytywka_spark.lake.storage.listing import list_local


def run_older_stream(
    spark: SparkSession, lake: Lake, settings: Settings, source: Source, folder: str, per_batch: int
) -> None:
    """Batches of `per_batch` files until one fails; each has Spark's number and Spark's checkpoint."""

    def each(batch: DataFrame, number: int) -> None:
        paths = [decoded_path(row[0]) for row in batch.select("_metadata.file_path").distinct().collect()]
        listed = [file for file in list_local(folder) or () if file.path in paths]
        files = tuple(Surveyed(file) for file in listed)
        with lake.tasks() as tasks:
            ingest_batch(Batch(SparkFiles(spark), lake, settings, source, number, files), tasks)

    stream = (
        spark.readStream.format("text")
        .option("maxFilesPerTrigger", per_batch)
        .load(f"{folder}/{{sessions,sessions.jsonl}}/*")
    )
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
