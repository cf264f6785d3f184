"""Tables on S3-compatible storage without any jar: Spark's tasks read and write their files through Arrow.

Where Spark has Hadoop's S3 file system, `lake.engine=delta-spark` with an `s3a://` root reads natively and
prunes columns; here each read is of whole rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from deltalake import DeltaTable
from pyarrow import fs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.lake.delta_rs.file_store import FILE
from pozytywka_spark.lake.delta_rs.s3_read import FILES, Reader
from pozytywka_spark.lake.storage import probe, s3, staging
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.table_files import TableFiles
from pozytywka_spark.lake.types import to_spark


class S3Store:
    """Implements `file_store.Store`."""

    def __init__(self, root: str, endpoint: s3.Endpoint) -> None:
        self.root = s3.root_address(root)
        self._endpoint = endpoint
        self.files = TableFiles(Storage(endpoint), self.root)
        self.options: dict[str, str] | None = endpoint.for_delta()

    def check(self) -> None:
        """See `file_store.Store`."""
        bucket = s3.key(self.root).partition("/")[0]
        try:
            there = s3.filesystem(self._endpoint).get_file_info(bucket).type != fs.FileType.NotFound
        except OSError as error:
            raise self._unreachable("read", str(error)) from error
        if not there:
            raise LakeError(f"lake.root {self.root}: no bucket {bucket}; make it, or correct lake.root")

    def probe(self, spark: SparkSession | None) -> str:
        """See `file_store.Store`."""
        self.check()
        problem = probe.refusal(self.files.storage, self.root)
        if problem is not None:
            raise self._unreachable("written", problem)
        if spark is not None:
            problem = probe.refusal_of_a_task(self.files.storage, self.root, spark)
            if problem is not None:
                raise self._unreachable("written by executors", problem)
        return f"{self.root}: read and written"

    def read(
        self, spark: SparkSession, path: str, table: DeltaTable, active: Sequence[log.ActiveFile]
    ) -> DataFrame:
        """See `file_store.Store`."""
        return self._read(spark, path, table, active, None)

    def read_with_file(
        self, spark: SparkSession, path: str, table: DeltaTable, active: Sequence[log.ActiveFile]
    ) -> DataFrame:
        """See `file_store.Store`."""
        return self._read(spark, path, table, active, FILE)

    def relative(self, file: str, path: str) -> str:
        """See `file_store.Store`."""
        return file

    def delete(self, path: str) -> None:
        """See `file_store.Store`."""
        try:
            s3.filesystem(self._endpoint).delete_file(s3.key(path))
        except FileNotFoundError:
            return

    def data_files(self, path: str) -> set[str]:
        """See `file_store.Store`."""
        below = f"{s3.key(path)}/"
        listing = s3.filesystem(self._endpoint).get_file_info(
            fs.FileSelector(below, recursive=True, allow_not_found=True)
        )
        return {
            info.path.removeprefix(below)
            for info in listing
            if info.type == fs.FileType.File and info.path.endswith(".parquet")
            and not info.path.startswith(f"{below}_delta_log/")
        }  # fmt: skip

    def prepare(self, path: str) -> None:
        """See `file_store.Store`: a store of objects knows no folders."""

    def sweep(self, path: str) -> None:
        """See `file_store.Store`."""
        staging.sweep_objects(self.files.storage, path)

    def _read(
        self,
        spark: SparkSession,
        path: str,
        table: DeltaTable,
        active: Sequence[log.ActiveFile],
        file_column: str | None,
    ) -> DataFrame:
        schema = to_spark(table.schema())
        result = T.StructType([T.StructField(f.name, f.dataType, True, f.metadata) for f in schema])
        reader = Reader(self._endpoint, path, to_arrow_schema(result, timezone="UTC"), file_column)
        if file_column is not None:
            result = result.add(file_column, T.StringType())
        if not active:
            return spark.createDataFrame([], result)
        self._check_there(path, table, active)
        # a frame of Python rows: Spark thinks it large, and so broadcasts nothing made of it by mistake
        rows = spark.createDataFrame([(file.path, dict(file.partition)) for file in active], FILES)
        tasks = min(len(active), int(spark.conf.get("spark.sql.shuffle.partitions") or 200))
        return rows.repartition(tasks).mapInArrow(reader, result)

    def _check_there(self, path: str, table: DeltaTable, active: Sequence[log.ActiveFile]) -> None:
        """Raise `LakeError` if a vacuum deleted one of the files: a task would say so late and in riddles."""
        if not {file.path for file in active} <= self.data_files(path):
            raise LakeError(
                f"table {path.rpartition('/')[2]}: version {table.version()} can't be read any more: "
                "a vacuum deleted its files; read a later one"
            )

    def _unreachable(self, verb: str, problem: str) -> LakeError:
        reason = " ".join(problem.split())[:200]
        return LakeError(
            f"lake.root {self.root} can't be {verb}: {reason}; are s3.endpoint and s3.region right, "
            "and the credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)?"
        )
