"""Files wherever tasks can open them: the one layer over local folders and object stores. Can be pickled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyarrow import fs

from pozytywka_spark.config import Settings
from pozytywka_spark.lake import s3


@dataclass(frozen=True)
class Storage:
    """How to get at files. `endpoint` is None where nothing on S3 is ours to open."""

    endpoint: s3.Endpoint | None = None

    def opens(self, place: str) -> bool:
        """Whether files at that address can be opened without Spark."""
        return self.is_local(place) or (self.endpoint is not None and s3.is_s3(place))

    def is_local(self, place: str) -> bool:
        """Whether the address is of a local or mounted folder."""
        return place.startswith("/")

    def plain(self, place: str) -> str:
        """An address as tasks name files: a local path, or `s3://`."""
        if place.startswith("file:"):
            return unquote(urlsplit(place).path).rstrip("/")
        return s3.address(place) if s3.is_s3(place) else place.rstrip("/")

    def at(self, place: str) -> tuple[fs.FileSystem, str]:
        """The file system of an address and its name there."""
        if self.endpoint is not None and s3.is_s3(place):
            return s3.filesystem(self.endpoint), s3.key(place)
        return fs.LocalFileSystem(), place

    def make_parent(self, place: str) -> None:
        """Make the folder that a file is to be put into, where folders are things of their own."""
        if self.is_local(place):
            Path(place).parent.mkdir(parents=True, exist_ok=True)

    def delete(self, place: str) -> None:
        """Delete one file; absent is fine."""
        store, name = self.at(place)
        try:
            store.delete_file(name)
        except FileNotFoundError:
            return


def storage_of(settings: Settings) -> Storage:
    """S3 is left to Spark where the lake's engine is, for then Spark has the jars and knows the way."""
    return Storage(s3.endpoint(settings.s3) if settings.lake.engine == "delta-rs" else None)
