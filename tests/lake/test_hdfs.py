"""What tasks do on HDFS, over a local folder that answers as hdfs-native does; HDFS itself: tests/cluster."""

from __future__ import annotations

import io
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.storage import hdfs, staging
from pozytywka_spark.lake.storage.filesystem import Storage

local = pytest.importorskip("fsspec.implementations.local")


class AsHdfs(local.LocalFileSystem):  # type: ignore[name-defined,misc]
    """Times as HDFS gives them, and streams that don't know how far they have come."""

    protocol = "hdfs"

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        told = super().info(path, **kwargs)
        return told | {"modification_time": int(told.pop("mtime") * 1000)}

    def open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        return Untold(path) if mode == "wb" else super().open(path, mode, **kwargs)


class Untold(io.RawIOBase):
    def __init__(self, path: str) -> None:
        self._file = Path(path).open("wb")  # noqa: SIM115 closed by `close`

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass(frozen=True)
class There(Storage):
    """Every address is one of that folder."""

    def at(self, place: str) -> tuple[fs.FileSystem, str]:
        return fs.PyFileSystem(hdfs._Handler(AsHdfs(skip_instance_cache=True))), place


def test_a_stream_knows_how_much_was_written(tmp_path: Path) -> None:
    store, name = There().at(str(tmp_path / "rows.parquet"))
    rows = pa.table({"x": list(range(1000))})
    with store.open_output_stream(name) as target:
        with pq.ParquetWriter(target, rows.schema) as parquet:
            parquet.write_table(rows)
        size = target.tell()
    assert size == Path(name).stat().st_size
    assert pq.read_table(name).equals(rows)


def test_only_folders_of_writers_long_dead_are_swept(tmp_path: Path) -> None:
    for writer in ("living", "dead"):
        folder = tmp_path / staging.FOLDER / writer
        folder.mkdir(parents=True)
        (folder / "rows.arrow").write_bytes(b"rows")
    long_ago = time.time() - (staging.LIVE_WRITER_HOURS + 1) * 3600
    os.utime(tmp_path / staging.FOLDER / "dead" / "rows.arrow", (long_ago, long_ago))
    staging.sweep_objects(There(), str(tmp_path))
    assert [path.name for path in (tmp_path / staging.FOLDER).iterdir()] == ["living"]


def test_an_address_that_nobody_serves_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(root: str) -> None:
        raise OSError("No fs.defaultFS setting found")

    monkeypatch.setattr(hdfs, "native", unknown)
    with pytest.raises(
        LakeError, match=r"hdfs:///: pyarrow can't open it: No fs.defaultFS .*; install hdfs-native"
    ):
        Storage(None, ("hdfs",)).at("hdfs:///lake/file")
