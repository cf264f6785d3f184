"""The stream that reads one entity of a delivery: Spark's file source keeps the book of files done."""

from __future__ import annotations

import hashlib

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.config import Ingest
from pozytywka_spark.errors import DataError, PozytywkaError
from pozytywka_spark.ingest.batch import Source, ingest_batch
from pozytywka_spark.ingest.delivery import decoded_path
from pozytywka_spark.lake.api import Lake

_CHECKPOINTS = "_checkpoints"


def stream_id(entity: str, delivery: str, generation: int) -> str:
    """Names a stream, its checkpoint and its transactions: the same delivery goes on where it stopped."""
    place = hashlib.sha256(delivery.encode()).hexdigest()[:12]
    return f"{entity}-{place}-{generation}"


def run_stream(
    spark: SparkSession, lake: Lake, settings: Ingest, source: Source, glob: str
) -> frozenset[str]:
    """Take in all files that the stream hasn't read yet, then stop; the files that had rows.

    Raises the `PozytywkaError` of the batch that failed, or `DataError` naming a file that can't be read.
    """
    failures: list[Exception] = []
    read: set[str] = set()

    def each(batch: DataFrame, number: int) -> None:
        try:
            read.update(ingest_batch(spark, lake, source, batch, number))
        except Exception as error:
            failures.append(error)  # the query would bring it back as text only
            raise

    options = {"recursiveFileLookup": "true", "ignoreMissingFiles": "true"}
    if settings.max_files_per_batch:
        options["maxFilesPerTrigger"] = str(settings.max_files_per_batch)
    lines = spark.readStream.format("text").options(**options).load(glob).select("value", "_metadata")
    query = (
        lines.writeStream.foreachBatch(each)
        .option("checkpointLocation", f"{lake.root}/{_CHECKPOINTS}/{source.stream}")
        .trigger(availableNow=True)
        .start()
    )
    try:
        query.awaitTermination()
        return frozenset(read)
    except StreamingQueryException as error:
        cause = failures[0] if failures else error
        if isinstance(cause, PozytywkaError):
            raise cause from None
        raise _in_words(cause, source.contract.entity) from cause
    finally:
        query.stop()


def _in_words(error: Exception, entity: str) -> Exception:
    """A file that can't be read, as a line that names it; anything else as it is."""
    text = str(error)
    marker = "FAILED_READ_FILE"
    if marker not in text:
        return error
    start = text.find("file:", text.find(marker))
    path = decoded_path(text[start:].split()[0].rstrip(".")) if start >= 0 else entity
    why = (
        "the gzip stream ends early"
        if "end of input stream" in text.lower()
        else "it can't be read to its end"
    )
    return DataError(f"{path}: {why}; deliver the file again; nothing of this batch of {entity} was taken in")
