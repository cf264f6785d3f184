"""Files wherever tasks can open them: the one layer over local folders and object stores. Can be pickled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pyarrow import fs

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.storage import hdfs, s3

if TYPE_CHECKING:  # tasks have no settings, and their workers would wait for them
    from pozytywka_spark.config import Settings


@dataclass(frozen=True)
class Storage:
    """How to get at files. `endpoint` is None where nothing on S3 is ours to open; `schemes` are further
    ones that pyarrow is to open (hdfs, gs, abfss), with credentials from each process's environment.
    """

    endpoint: s3.Endpoint | None = None
    schemes: tuple[str, ...] = ()

    def opens(self, place: str) -> bool:
        """Whether files at that address can be opened without Spark."""
        if s3.is_s3(place):
            return self.endpoint is not None
        return self.is_local(place) or place.partition("://")[0] in self.schemes

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
        if self.is_local(place):
            return fs.LocalFileSystem(), place
        scheme, _, rest = place.partition("://")
        authority = rest.partition("/")[0]
        store, top = _from_uri(f"{scheme}://{authority}/")  # "/", or the name of a bucket, or nothing
        return store, f"{top.rstrip('/')}/{rest.partition('/')[2]}" if top else rest.partition("/")[2]

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


@lru_cache(maxsize=8)
def _from_uri(root: str) -> tuple[fs.FileSystem, str]:
    """A store's file system, one a process, and the name of its root there.

    Raises `LakeError` if this pyarrow has no such file system, or can't reach it.
    """
    try:
        opened: tuple[fs.FileSystem, str] | None = hdfs.native(root) if hdfs.is_hdfs(root) else None
        return opened or fs.FileSystem.from_uri(root)
    except (OSError, ValueError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:200]
        advice = (
            "install hdfs-native there, or set lake.staging to a folder that all machines share"
            if hdfs.is_hdfs(root)
            else "see lake.file_systems"
        )
        raise LakeError(f"{root}: pyarrow can't open it: {reason}; {advice}") from error


def storage_of(settings: Settings) -> Storage:
    """S3 is left to Spark where the lake's engine is, for then Spark has the jars and knows the way; so are
    all other stores but for those of `lake.file_systems`.
    """
    ours = settings.lake.file_systems
    on_s3 = settings.lake.engine == "delta-rs" or "s3" in ours
    schemes = tuple(scheme for scheme in ours if scheme != "s3")
    return Storage(s3.endpoint(settings.s3) if on_s3 else None, schemes)
