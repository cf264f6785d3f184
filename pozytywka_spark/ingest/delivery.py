"""A delivery on disk: which files are there, which entity each belongs to, and which have changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from pozytywka_spark import paths
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.contracts import ENTITIES, SUFFIXES
from pozytywka_spark.ingest.objects import list_objects
from pozytywka_spark.ingest.rawfile import RawFile
from pozytywka_spark.lake import s3


@dataclass(frozen=True)
class Delivery:
    """What lies under one raw path."""

    root: str
    files: Mapping[str, tuple[RawFile, ...]]
    ignored: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Entities of which nothing was delivered."""
        return tuple(entity for entity in ENTITIES if not self.files.get(entity))

    def glob(self, entity: str) -> str:
        """The pattern that matches the entity's file, or its folder of parts, under any allowed name."""
        names = ",".join(f"{entity}{suffix}" for suffix in SUFFIXES)
        return f"{escape_glob(self.root)}/{{{names}}}"


def find_delivery(spark: SparkSession, root: str, endpoint: s3.Endpoint | None = None) -> Delivery:
    """List the delivery by Spark's own means, so that any file system Spark reads will do.

    With an `endpoint`, what lies on S3 is listed without Spark, which may lack the jars for it.
    Raises `DataError` if there is no such folder, if it is a file, or if it holds no entity at all.
    """
    root = absolute(root)
    wanted = ", ".join(f"{entity}.jsonl" for entity in ENTITIES)
    if endpoint is not None and s3.is_s3(root):
        root = s3.address(root)
        found = list_objects(root, endpoint)
    else:
        found = _listed(spark, root, wanted)
    if any(file.path == plain_path(root) for file in found):
        raise DataError(f"raw.path={root} is a file; give the folder of a delivery, which holds {wanted}")
    by_entity: dict[str, list[RawFile]] = {}
    ignored = []
    for file in sorted(found, key=lambda file: file.path):
        entity = entity_of(file.path.removeprefix(plain_path(root)).lstrip("/"))
        if entity:
            by_entity.setdefault(entity, []).append(file)
        else:
            ignored.append(file.path)
    if not by_entity:
        raise DataError(
            f"raw.path={root} holds no entity of a delivery, or only empty files; "
            f"expected at least one of {wanted} with rows in it"
        )
    return Delivery(root, {name: tuple(files) for name, files in by_entity.items()}, tuple(ignored))


def _listed(spark: SparkSession, root: str, wanted: str) -> list[RawFile]:
    try:
        # of binaryFile only names, sizes and times are selected: no content is read
        listing = (
            spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(escape_glob(root))
        )
        rows = listing.select("path", "length", "modificationTime").collect()
    except AnalysisException as error:
        if "PATH_NOT_FOUND" in str(error):
            raise DataError(
                f"raw.path={root}: no such folder; give the folder of a delivery, which holds {wanted}"
            ) from None
        raise
    return [RawFile(plain_path(row[0]), row[1], row[2]) for row in rows]


def entity_of(relative: str) -> str | None:
    """The entity that a file of the delivery belongs to, by the first part of its path."""
    first = relative.partition("/")[0]
    return next((e for e in ENTITIES if first in {f"{e}{suffix}" for suffix in SUFFIXES}), None)


def changed(listed: Iterable[RawFile], read: Mapping[str, tuple[int, datetime]]) -> list[RawFile]:
    """Files that were read before, but in another version: Spark's file source won't look at them again."""
    return [f for f in listed if f.path in read and read[f.path] != (f.size, f.modified)]


def unread(listed: Iterable[RawFile], read: Mapping[str, tuple[int, datetime]]) -> list[RawFile]:
    """Files of which this version was never read to its end."""
    return [f for f in listed if read.get(f.path) != (f.size, f.modified)]


def absolute(path: str) -> str:
    """A local path made absolute, without `..`: one delivery has one name. Another address as it is."""
    if re.match(r"^\w+:/", path):
        return path.rstrip("/")
    return paths.absolute(path)


def plain_path(address: str) -> str:
    """A path as a person writes it, of a `file:` address; addresses of other kinds stay whole."""
    return re.sub(r"^file:/+", "/", address)


def decoded_path(address: str) -> str:
    """The plain path of an address whose odd characters are percent-encoded."""
    return plain_path(unquote(address))


def escape_glob(path: str) -> str:
    """A path in which no character is taken as a pattern."""
    return re.sub(r"([\\*?{}\[\]])", r"\\\1", path)
