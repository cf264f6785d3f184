"""Which files tasks open by themselves, and how."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pyarrow import fs
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.open_tasks import open_staging
from pozytywka_spark.lake.storage import staging
from pozytywka_spark.lake.storage.filesystem import Storage, storage_of
from pozytywka_spark.lake.storage.probe import probe_staging
from tests.s3_server import S3Server


@pytest.mark.parametrize(
    ("overrides", "opened"),
    [
        ([], {"/a", "s3://b/a", "s3a://b/a"}),
        (["lake.engine=delta-spark"], {"/a"}),
        (
            ["lake.engine=delta-spark", "lake.file_systems=[s3,hdfs]"],
            {"/a", "s3://b/a", "s3a://b/a", "hdfs://h/a"},
        ),
        (["lake.engine=delta-spark", "lake.file_systems=[gs]"], {"/a", "gs://b/a"}),
    ],
)
def test_what_is_opened(overrides: list[str], opened: set[str]) -> None:
    storage = storage_of(load_settings("local", overrides))
    places = {"/a", "s3://b/a", "s3a://b/a", "hdfs://h/a", "gs://b/a", "dbfs:/a", "a"}
    assert {place for place in places if storage.opens(place)} == opened
    assert pickle.loads(pickle.dumps(storage)) == storage


def test_addresses_as_tasks_name_them() -> None:
    storage = Storage()
    assert storage.plain("file:///a%20b/c/") == "/a b/c"
    assert storage.plain("/a%20b/") == "/a%20b"
    assert storage.plain("s3a://bucket/a/") == "s3://bucket/a"
    assert storage.plain("hdfs://host/a") == "hdfs://host/a"


def test_local_files(tmp_path: Path) -> None:
    storage, place = Storage(), str(tmp_path / "new" / "file")
    storage.make_parent(place)
    store, name = storage.at(place)
    with store.open_output_stream(name) as target:
        target.write(b"x")
    assert Path(place).read_bytes() == b"x"
    storage.delete(place)
    storage.delete(place)
    assert not Path(place).exists()


def test_another_file_system_of_pyarrow() -> None:
    storage = Storage(schemes=("mock",))
    store, name = storage.at("mock://host/folder/file")
    assert name == "folder/file"
    store.create_dir("folder")
    with store.open_output_stream(name) as target:
        target.write(b"x")
    again, _ = storage.at("mock://host/folder/other")
    with again.open_input_file(name) as source:
        assert source.read() == b"x"


def test_one_that_it_has_not_is_told() -> None:
    with pytest.raises(LakeError, match=r"nothing://host/: pyarrow can't open it: .*; see lake.file_systems"):
        Storage(schemes=("nothing",)).at("nothing://host/a")


def test_where_tasks_can_not_put_anything_down_is_told(spark: SparkSession) -> None:
    with (
        pytest.raises(LakeError, match=r"lake.root s3://bucket/lake: tasks need a folder .* as lake.staging"),
        open_staging(spark, Storage(), "s3a://bucket/lake"),
    ):
        pass


def test_a_folder_for_tasks_is_tried(spark: SparkSession, tmp_path: Path) -> None:
    place = f"file://{tmp_path}/new"
    assert probe_staging(Storage(), place, spark) == f"{place}: read and written by tasks"
    assert list(tmp_path.glob("new/*")) == []
    (tmp_path / "file").touch()
    with pytest.raises(LakeError, match=r"tasks can't write there: .*; name another folder as lake.staging"):
        probe_staging(Storage(), f"{tmp_path}/file", spark)


def test_what_dead_runs_put_down_on_an_object_store_is_swept(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = s3_server.folder()
    storage = storage_of(load_settings("local", [f"lake.root={root}", *s3_server.overrides]))
    for name in ("_staging/dead/a.arrow", "table/part-0.parquet"):
        store, key = storage.at(f"{root}/{name}")
        with store.open_output_stream(key) as target:
            target.write(b"x")

    def left() -> list[str]:
        selector = fs.FileSelector(storage.at(root)[1], recursive=True)
        return [info.base_name for info in store.get_file_info(selector) if info.is_file]

    staging.sweep_objects(storage, root)
    assert sorted(left()) == ["a.arrow", "part-0.parquet"], "too young to be taken for dead"
    monkeypatch.setattr(staging, "LIVE_WRITER_HOURS", -1)
    staging.sweep_objects(storage, root)
    assert left() == ["part-0.parquet"]
