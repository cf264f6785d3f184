"""Delta's own Python API over the JVM classes, where the DataFrame API has no words for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.api import Txn
from pozytywka_spark.lake.row_checks import SPARK_ERRORS
from pozytywka_spark.spark.temporary_conf import temporary_conf

_CHECK_RETENTION = "spark.databricks.delta.retentionDurationCheck.enabled"
_TXN_APP = "spark.databricks.delta.write.txnAppId"
_TXN_VERSION = "spark.databricks.delta.write.txnVersion"


def compact(spark: SparkSession, path: str) -> None:
    """OPTIMIZE: small files into large ones."""
    from delta.tables import DeltaTable  # imports Delta's protocol classes: only for those who use them

    DeltaTable.forPath(spark, path).optimize().executeCompaction()


def vacuum(spark: SparkSession, path: str, hours: float) -> int:
    """VACUUM; the number of deleted files, as its commit says."""
    from delta.tables import DeltaTable  # imports Delta's protocol classes: only for those who use them

    table = DeltaTable.forPath(spark, path)
    with temporary_conf(spark, {_CHECK_RETENTION: "false"}):
        table.vacuum(hours)
    ended = table.history(1).select("operation", "operationMetrics").first()
    metrics = ended["operationMetrics"] if ended and ended["operation"] == "VACUUM END" else {}
    return int((metrics or {}).get("numDeletedFiles", 0))


@contextmanager
def transaction(spark: SparkSession, txn: Txn | None) -> Iterator[None]:
    """Name the session's next write: MERGE takes its transaction from the session, not from an option."""
    conf = {} if txn is None else {_TXN_APP: txn.app, _TXN_VERSION: str(txn.version)}
    with temporary_conf(spark, conf):
        yield


@contextmanager
def as_lake_error(table: str, action: str) -> Iterator[None]:
    """Turn a server's refusal into a `LakeError` with the table's name; its own words stay."""
    try:
        yield
    except SPARK_ERRORS as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        message = next((line for line in lines if line.startswith("[")), lines[0] if lines else "no message")
        raise LakeError(f"table {table}: {action} failed: {message}") from error
