"""A delivery on disk: which files are there, which entity each belongs to, and which have changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.intake.contracts import ENTITIES, REQUIRED_ENTITIES, SUFFIXES
from pozytywka_spark.ingest.intake.ingest_log import Version
from pozytywka_spark.lake.spark_files import SparkFiles
from pozytywka_spark.lake.storage import s3
from pozytywka_spark.lake.storage.addresses import plain_path, unambiguous, with_host
from pozytywka_spark.lake.storage.filesystem import storage_of
from pozytywka_spark.lake.storage.listed_file import ListedFile
from pozytywka_spark.lake.storage.listing import list_local, list_objects


@dataclass(frozen=True)
class Delivery:
    """What lies under one raw path."""

    root: str
    files: Mapping[str, tuple[ListedFile, ...]]
    ignored: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Entities of which nothing was delivered, but for those that a service may have nothing of."""
        return tuple(entity for entity in REQUIRED_ENTITIES if not self.files.get(entity))


def find_delivery(by_spark: SparkFiles, settings: Settings) -> Delivery:
    """List the delivery under `raw.path`: by Python what it reaches, all else by Spark.

    Raises `DataError` if there is no such folder, if it is a file, or if it holds no entity at all.
    """
    root = unambiguous(settings.raw_path)
    names = ", ".join(f"{entity}.jsonl" for entity in REQUIRED_ENTITIES)
    root, listed = _listed(by_spark, settings, root)
    if listed is None:
        raise DataError(
            f"raw.path={root}: no such folder; give the folder of a delivery, which holds {names}"
        )
    if any(file.path == plain_path(root) for file in listed):
        raise DataError(f"raw.path={root} is a file; give the folder of a delivery, which holds {names}")
    by_entity: dict[str, list[ListedFile]] = {}
    ignored = []
    for file in sorted(listed, key=lambda file: file.path):
        entity = entity_of(file.path.removeprefix(plain_path(root)).lstrip("/"))
        if entity:
            by_entity.setdefault(entity, []).append(file)
        else:
            ignored.append(file.path)
    if not by_entity:
        raise DataError(
            f"raw.path={root} holds no entity of a delivery, or only empty files; "
            f"expected at least one of {names} with rows in it"
        )
    return Delivery(root, {name: tuple(files) for name, files in by_entity.items()}, tuple(ignored))


def _listed(by_spark: SparkFiles, settings: Settings, root: str) -> tuple[str, list[ListedFile] | None]:
    """The root as it is told, and what lies below it."""
    storage = storage_of(settings)
    if storage.endpoint is not None and s3.is_s3(root):
        return s3.address(root), _on_s3(s3.address(root), storage.endpoint)
    if storage.is_local(plain_path(root)):
        return root, _local(plain_path(root))
    files = by_spark.list(root)
    return with_host(root, files[0].path) if files else root, files


def _local(root: str) -> list[ListedFile] | None:
    try:
        return list_local(root)
    except OSError as error:
        raise DataError(f"raw.path={root}: {error.filename} can't be read: {error.strerror}") from error


def _on_s3(root: str, endpoint: s3.Endpoint) -> list[ListedFile] | None:
    try:
        return list_objects(root, endpoint)
    except OSError as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"raw.path={root} can't be read: {reason}; are s3.endpoint and s3.region right, "
            "and the credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)?"
        ) from error


def entity_of(relative: str) -> str | None:
    """The entity that a file of the delivery belongs to, by the first part of its path."""
    first = relative.partition("/")[0]
    return next((e for e in ENTITIES if first in {f"{e}{suffix}" for suffix in SUFFIXES}), None)


def changed(listed: Iterable[ListedFile], read: Mapping[str, Version]) -> list[ListedFile]:
    """Files that were read before, but in another version."""
    return [f for f in listed if f.path in read and not _read(f, read)]


def unread(listed: Iterable[ListedFile], read: Mapping[str, Version]) -> list[ListedFile]:
    """Files of which this version was never read to its end."""
    return [f for f in listed if not _read(f, read)]


def _read(file: ListedFile, read: Mapping[str, Version]) -> bool:
    version = read.get(file.path)
    return version is not None and version.same_as(file.size, file.modified_micros)
