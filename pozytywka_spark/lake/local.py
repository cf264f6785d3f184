"""Tables in a local or mounted folder: Spark reads their files by itself, and so prunes columns."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.lake import files, log, probe, scan, staging
from pozytywka_spark.lake.storage import Storage
from pozytywka_spark.lake.store import FILE
from pozytywka_spark.lake.table_files import TableFiles


class LocalStore:
    """Implements `store.Store`. On a cluster the folder must be one that all machines see."""

    options: dict[str, str] | None = None

    def __init__(self, root: str) -> None:
        self.root = files.local_root(root)
        self.files = TableFiles(Storage(), self.root)

    def check(self) -> None:
        """See `store.Store`."""
        files.check_root(self.root)

    def probe(self, spark: SparkSession | None) -> str:
        """See `store.Store`."""
        return probe.probe_local(self.root, spark)

    def read(
        self, spark: SparkSession, path: str, table: DeltaTable, found: Sequence[log.ActiveFile]
    ) -> DataFrame:
        """See `store.Store`."""
        return scan.read_files(spark, path, table, found)

    def read_with_file(
        self, spark: SparkSession, path: str, table: DeltaTable, found: Sequence[log.ActiveFile]
    ) -> DataFrame:
        """See `store.Store`."""
        # not through read_files: its projection would hide the file's path
        rows = scan.reader(spark, path, table).parquet(*scan.addresses(path, found))
        return rows.select("*", F.col("_metadata.file_path").alias(FILE))

    def relative(self, file: str, path: str) -> str:
        """See `store.Store`."""
        return unquote(urlsplit(file).path).removeprefix(f"{path}/")

    def delete(self, path: str) -> None:
        """See `store.Store`."""
        files.delete(path)

    def data_files(self, path: str) -> set[str]:
        """See `store.Store`."""
        return set(files.walk(path, ".parquet"))

    def prepare(self, path: str) -> None:
        """See `store.Store`."""
        files.make_folder(path, self.root)
        staging.sweep(path)

    def sweep(self, path: str) -> None:
        """See `store.Store`."""
        staging.sweep(path)
