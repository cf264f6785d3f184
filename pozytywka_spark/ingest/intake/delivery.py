"""A delivery on disk: which files are there, which entity each belongs to, and which have changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.intake import spark_source
from pozytywka_spark.ingest.intake.contracts import ENTITIES, SUFFIXES
from pozytywka_spark.ingest.intake.ingest_log import Version
from pozytywka_spark.ingest.intake.listing import list_local, list_objects
from pozytywka_spark.ingest.intake.rawfile import RawFile
from pozytywka_spark.ingest.intake.rawpaths import absolute, plain_path, with_host
from pozytywka_spark.lake.storage import s3
from pozytywka_spark.lake.storage.filesystem import storage_of


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


def find_delivery(spark: SparkSession, settings: Settings) -> Delivery:
    """List the delivery under `raw.path`: by Python what it reaches, all else by Spark.

    Raises `DataError` if there is no such folder, if it is a file, or if it holds no entity at all.
    """
    root = absolute(settings.raw_path)
    wanted = ", ".join(f"{entity}.jsonl" for entity in ENTITIES)
    root, found = _listed(spark, settings, root)
    if found is None:
        raise DataError(
            f"raw.path={root}: no such folder; give the folder of a delivery, which holds {wanted}"
        )
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


def _listed(spark: SparkSession, settings: Settings, root: str) -> tuple[str, list[RawFile] | None]:
    """The root as it is told, and what lies below it."""
    storage = storage_of(settings)
    if storage.endpoint is not None and s3.is_s3(root):
        return s3.address(root), list_objects(s3.address(root), storage.endpoint)
    if storage.is_local(plain_path(root)):
        return root, list_local(plain_path(root))
    found = spark_source.list_files(spark, root)
    return with_host(root, found[0].path) if found else root, found


def entity_of(relative: str) -> str | None:
    """The entity that a file of the delivery belongs to, by the first part of its path."""
    first = relative.partition("/")[0]
    return next((e for e in ENTITIES if first in {f"{e}{suffix}" for suffix in SUFFIXES}), None)


def changed(listed: Iterable[RawFile], read: Mapping[str, Version]) -> list[RawFile]:
    """Files that were read before, but in another version."""
    return [f for f in listed if f.path in read and not _read(f, read)]


def unread(listed: Iterable[RawFile], read: Mapping[str, Version]) -> list[RawFile]:
    """Files of which this version was never read to its end."""
    return [f for f in listed if not _read(f, read)]


def _read(file: RawFile, read: Mapping[str, Version]) -> bool:
    known = read.get(file.path)
    return known is not None and known.same_as(file.size, file.modified_micros)
