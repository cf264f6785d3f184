"""Files that only Spark reaches (hdfs, abfss, gs, s3a through its own jars): listing, lines, small texts.

What is done elsewhere by opening files stands here once more by Spark's means. What a file is can't be told
from its first bytes here: compression goes by its name, and a wrong file shows in its rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.spark_shards import put_down
from pozytywka_spark.lake.storage.addresses import decoded_path, escape_glob, plain_path
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.storage.listed_file import ListedFile
from pozytywka_spark.lake.storage.texts import ArrowTexts, Texts
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import table

_FAILED = "FAILED_READ_FILE"

# Grain: line, as Spark hands it to tasks
LINES = table(
    "lines", "value binary, path string, source_order bigint, time_unit string", keys=["path", "source_order"]
)


@dataclass(frozen=True)
class SparkFiles:
    """What a session's own file systems reach."""

    spark: SparkSession

    def list(self, root: str) -> list[ListedFile] | None:
        """All files with something in them below `root`, but for hidden ones; None if there is no folder."""
        try:
            # of binaryFile only names, sizes and times are selected: no content is read
            reader = self.spark.read.format("binaryFile").option("recursiveFileLookup", "true")
            listing = reader.load(escape_glob(root))
            rows = listing.select("path", "length", "modificationTime").collect()
        except AnalysisException as error:
            if "PATH_NOT_FOUND" in str(error):
                return None
            raise
        return [ListedFile(plain_path(row[0]), row[1], row[2]) for row in rows]

    def put_lines_down(self, tasks: Tasks, files: Sequence[ListedFile]) -> Sequence[DataFile]:
        """The files' lines where tasks can open them: `LINES`, in no order."""
        return put_down(self._lines(files), LINES.name, (), 0, tasks, None)

    def texts(self, folder: str, storage: Storage) -> Texts:
        """The texts in a folder: opened by Python where it reaches it, else by Spark."""
        place = plain_path(folder)
        return ArrowTexts(place, storage) if storage.opens(place) else SparkTexts(self.spark, folder)

    def _lines(self, files: Sequence[ListedFile]) -> DataFrame:
        """`LINES` of the files. Order grows with the position in a file."""
        paths = [f"file://{file.path}" if file.path.startswith("/") else file.path for file in files]
        # escaped: with globPaths=false, Spark lists all names again for one that looks like a pattern
        lines = self.spark.read.text([escape_glob(path) for path in paths])
        address = F.try_url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
        return lines.select(
            F.col("value").cast("binary").alias("value"),
            F.regexp_replace(address, "^file:/+", "/").alias("path"),
            # Spark plans a file's splits in their order
            F.monotonically_increasing_id().alias("source_order"),
            F.lit(None).cast("string").alias("time_unit"),
        )


def failure_in_words(error: Exception) -> str | None:
    """Which file couldn't be read, and why, of an error of Spark's; None if it tells of something else."""
    text = str(error)
    if _FAILED not in text:
        return None
    start = text.find(":/", text.find(_FAILED))
    begin = max(text.rfind(blank, 0, start) for blank in " \n'\"") + 1
    path = decoded_path(text[begin:].split()[0].rstrip(".")) if start >= 0 else "a file"
    early = "end of input stream" in text.lower()
    why = "the gzip stream ends early" if early else "it can't be read to its end"
    return f"{path}: {why}"


class SparkTexts:
    """Implements `Texts` by Spark."""

    def __init__(self, spark: SparkSession, folder: str) -> None:
        self._spark, self._folder = spark, folder

    def read(self, below: str = "") -> Mapping[str, str]:
        """See `Texts`."""
        place = f"{self._folder}/{below}".rstrip("/")
        reader = self._spark.read.option("wholetext", "true").option("recursiveFileLookup", "true")
        try:
            rows = reader.text(escape_glob(place)).select("value", "_metadata.file_path").collect()
        except AnalysisException as error:
            if "PATH_NOT_FOUND" in str(error):
                return {}
            raise
        # a text is a folder with one part in it, but for those that Spark's own streams left
        names = [decoded_path(row[1]).removeprefix(f"{plain_path(place)}/").split("/")[0] for row in rows]
        return dict(zip(names, (row[0] for row in rows), strict=True))

    def write(self, name: str, text: str) -> None:
        """See `Texts`: the one part appears in its place by a rename, or at its end."""
        frame = self._spark.createDataFrame([(text,)], "value string").coalesce(1)
        frame.write.mode("overwrite").text(f"{self._folder}/{name}")
