"""Which files tasks open by themselves, and how."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.storage import Storage, storage_of


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
