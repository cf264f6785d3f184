"""HDFS for tasks: through the package hdfs-native where it is installed, else through Arrow's own driver.

Arrow's needs libhdfs and Hadoop's class path in every process that opens a file, and starts a JVM in it;
hdfs-native speaks the protocol itself.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

# Where Spark on YARN unpacks the submitter's $HADOOP_CONF_DIR for drivers and executors
_SHIPPED_CONF = Path("__spark_conf__", "__hadoop_conf__")
_BUFFER = 1 << 20


def is_hdfs(root: str) -> bool:
    """Whether the address is of HDFS."""
    return root.startswith("hdfs://")


def native(root: str) -> tuple[fs.FileSystem, str] | None:
    """The file system of an address such as `hdfs://name-node:8020/` and its root; None without the package.

    An address without a host is that of `fs.defaultFS`. Raises `OSError` where none is known.
    """
    try:
        from hdfs_native.fsspec import HdfsFileSystem
    except ImportError:
        return None
    if _SHIPPED_CONF.is_dir():
        os.environ.setdefault("HADOOP_CONF_DIR", str(_SHIPPED_CONF.resolve()))
    parts = urlsplit(root)
    try:
        opened = HdfsFileSystem(parts.hostname, parts.port, skip_instance_cache=True)
    except RuntimeError as error:  # its word for everything
        raise OSError(str(error)) from error
    return fs.PyFileSystem(_Handler(opened)), "/"


class _Handler(fs.FSSpecHandler):  # type: ignore[misc]  # pyarrow is untyped
    """What Arrow's adapter leaves out: times of files, and how far a stream has come."""

    @staticmethod
    def _create_file_info(path: str, info: dict[str, Any]) -> fs.FileInfo:
        is_file = info["type"] == "file"
        kind = fs.FileType.File if is_file else fs.FileType.Directory
        nanoseconds = int(info["modification_time"]) * 1_000_000
        return fs.FileInfo(path, kind, size=info["size"] if is_file else None, mtime_ns=nanoseconds)

    def open_output_stream(self, path: str, metadata: object) -> pa.NativeFile:
        counted = _Counted(self.fs.open(path, mode="wb"))
        return pa.PythonFile(io.BufferedWriter(counted, _BUFFER), mode="w")

    def delete_dir(self, path: str) -> None:
        self.fs.rm(path, recursive=True)


class _Counted(io.RawIOBase):
    """A stream that knows how much was written to it."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size: int = self._target.write(data)
        self._written += size
        return size

    def tell(self) -> int:
        return self._written

    def close(self) -> None:
        if not self.closed:
            self._target.close()
        super().close()
