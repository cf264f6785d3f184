"""Tables in a local or mounted folder: Spark reads their files by itself, and so prunes columns."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.lake.delta_rs import log, read_parquet
from pozytywka_spark.lake.delta_rs.file_store import FILE
from pozytywka_spark.lake.storage import local_files, probe, staging
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.table_files import TableFiles


class LocalStore:
    """Implements `file_store.Store`. On a cluster the folder must be one that all machines see."""

    options: dict[str, str] | None = None

    def __init__(self, root: str) -> None:
        self.root = local_files.local_root(root)
        self.files = TableFiles(Storage(), self.root)

    def check(self) -> None:
        """See `file_store.Store`."""
        local_files.check_root(self.root)

    def probe(self, spark: SparkSession | None) -> str:
        """See `file_store.Store`."""
        return probe.probe_local(self.root, spark)

    def read(
        self, spark: SparkSession, path: str, table: DeltaTable, active: Sequence[log.ActiveFile]
    ) -> DataFrame:
        """See `file_store.Store`."""
        return read_parquet.read_files(spark, path, table, active)

    def read_with_file(
        self, spark: SparkSession, path: str, table: DeltaTable, active: Sequence[log.ActiveFile]
    ) -> DataFrame:
        """See `file_store.Store`."""
        # not through read_files: its projection would hide the file's path
        rows = read_parquet.reader(spark, path, table).parquet(*read_parquet.addresses(path, active))
        return rows.select("*", F.col("_metadata.file_path").alias(FILE))

    def relative(self, file: str, path: str) -> str:
        """See `file_store.Store`."""
        return unquote(urlsplit(file).path).removeprefix(f"{path}/")

    def delete(self, path: str) -> None:
        """See `file_store.Store`."""
        local_files.delete(path)

    def data_files(self, path: str) -> set[str]:
        """See `file_store.Store`."""
        return set(local_files.walk(path, ".parquet"))

    def prepare(self, path: str) -> None:
        """See `file_store.Store`."""
        local_files.make_folder(path, self.root)
        staging.sweep(path)

    def sweep(self, path: str) -> None:
        """See `file_store.Store`."""
        staging.sweep(path)
