"""What the lake says no to, in one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import DataFrameReader, SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import Lake, naming, open_lake
from pozytywka_spark.schemas import table

if TYPE_CHECKING:
    from lake.conftest import Bench

DDL = "k bigint, v string"
TABLE = table("guarded", DDL, keys=["k"])


def _open(root: Path | str, spark: SparkSession, engine: str = "delta-rs") -> Lake:
    return open_lake(load_settings("local", [f"lake.root={root}", f"lake.engine={engine}"]), spark)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../up", "/abs", "Users", "1st", "_staging", "a b", "a\n", "a%"]
)
def test_table_names_stay_inside_the_root(rs: Bench, name: str) -> None:
    with pytest.raises(LakeError, match="expected lower-case letters"):
        rs.lake.path(name)
    with pytest.raises(LakeError, match="expected lower-case letters"):
        rs.lake.append(rs.frame([(1, "a")], DDL), table(name, DDL, keys=["k"]))


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (table("t", "k bigint, K string", keys=["k"]), "differ in case only: k"),
        (table("t", "k bigint", keys=["k"], partition_by=["k"]), "a file needs at least one other"),
        (table("t", "k bigint, v string", keys=["k"], partition_by=["w"]), "partition column w is not there"),
        (table("t", "k bigint, d double", keys=["k"], partition_by=["d"]), "partition column d is double"),
        (
            table("t", "k bigint, t timestamp", keys=["k"], partition_by=["t"]),
            "partition column t is timestamp",
        ),
    ],
)
def test_declarations_that_no_engine_can_hold(declared: Any, message: str) -> None:
    with pytest.raises(LakeError, match=message):
        naming.check_declaration(declared)


def test_the_root_is_made_by_the_first_write_only(rs: Bench) -> None:
    root = Path(rs.lake.root)
    assert not rs.lake.exists("guarded")
    assert rs.lake.txn_version("guarded", "app") is None
    with pytest.raises(LakeError, match="none at"):
        rs.lake.read("guarded")
    with pytest.raises(LakeError, match="columns missing"):
        rs.lake.append(rs.frame([], "other int"), TABLE)
    assert not root.exists()
    rs.lake.append(rs.frame([], DDL), TABLE)
    assert root.is_dir()


def test_a_root_that_can_not_be(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeError, match=r"lake.root .*/file/lake: .*/file is a file, expected a folder"):
        _open(tmp_path / "file" / "lake", spark)
    with pytest.raises(LakeError, match=r"no table can be kept below a folder with % \[ in its name"):
        _open(tmp_path / "100%[x", spark)
    with pytest.raises(LakeError, match=r"gs://bucket/lake: lake.engine=delta-rs keeps tables in a local"):
        _open("gs://bucket/lake", spark)


def test_a_root_that_can_not_be_written(rs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    frame = rs.frame([(1, "a")], DDL)
    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(LakeError) as caught:
        rs.lake.append(frame, TABLE)
    told = "can't be written: Permission denied; choose a folder of yours with lake.root"
    assert str(caught.value) == f"lake.root {rs.lake.root} {told}"


def test_a_file_address_is_a_path(spark: SparkSession, tmp_path: Path) -> None:
    assert _open(f"file://{tmp_path}/a%20b", spark).root == f"{tmp_path}/a b"


class WithoutDelta:
    """A session that has no such format as `delta`: Spark's own answer, for a name that nobody serves."""

    def __init__(self, spark: SparkSession) -> None:
        self._reader = spark.read

    @property
    def read(self) -> WithoutDelta:
        return self

    def format(self, name: str) -> DataFrameReader:
        return self._reader.format(f"not-{name}")


def test_delta_spark_without_the_format_says_so(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(
        LakeError, match=r'nothing in this Spark session serves format\("delta"\); use a Spark that'
    ):
        _open(tmp_path, WithoutDelta(spark), "delta-spark")  # type: ignore[arg-type]


def _numbered(metadata: dict[str, Any], number: int) -> Iterator[tuple[str, Any]]:
    """The metadata of one of several fields: names and ids must differ."""
    for key, value in metadata.items():
        yield key, value + number if isinstance(value, int) else value.format(number)


PLAIN = {"minReaderVersion": 1, "minWriterVersion": 2}


@pytest.mark.parametrize(
    ("protocol", "configuration", "metadata", "feature", "refused"),
    [
        (
            PLAIN
            | {
                "minWriterVersion": 7,
                "minReaderVersion": 3,
                "readerFeatures": ["typeWidening"],
                "writerFeatures": ["typeWidening"],
            },
            {},
            {},
            "typeWidening",
            "read",
        ),
        (
            {"minReaderVersion": 2, "minWriterVersion": 5},
            {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "2"},
            {"delta.columnMapping.physicalName": "col-{}", "delta.columnMapping.id": 1},
            "columnMapping",
            "read",
        ),
        (
            PLAIN | {"minWriterVersion": 3},
            {"delta.constraints.positive": "k > 0"},
            {},
            "delta.constraints.positive",
            "append",
        ),
        (
            PLAIN | {"minWriterVersion": 4},
            {"delta.enableChangeDataFeed": "true"},
            {},
            "changeDataFeed",
            "append",
        ),
        (
            PLAIN | {"minWriterVersion": 4},
            {},
            {"delta.generationExpression": "k + 1"},
            "delta.generationExpression",
            "append",
        ),
        (PLAIN, {"delta.appendOnly": "true"}, {}, "appendOnly", "overwrite"),
        (
            PLAIN
            | {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": ["deletionVectors"],
                "writerFeatures": ["deletionVectors"],
            },
            {},
            {},
            "deletionVectors",
            "append",
        ),
    ],
)
def test_features_are_refused_by_name(
    rs: Bench,
    protocol: dict[str, Any],
    configuration: dict[str, str],
    metadata: dict[str, Any],
    feature: str,
    refused: str,
) -> None:
    """A hand-written log of a table that another writer made; what isn't refused works."""
    fields = [
        {"name": name, "type": kind, "nullable": True, "metadata": dict(_numbered(metadata, number))}
        for number, (name, kind) in enumerate([("k", "long"), ("v", "string")])
    ]
    actions: list[dict[str, Any]] = [
        {"protocol": protocol},
        {
            "metaData": {
                "id": "1",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": [],
                "configuration": configuration,
                "createdTime": 0,
            }
        },
        {"commitInfo": {"timestamp": 0, "operation": "CREATE TABLE"}},
    ]
    folder = Path(rs.lake.path("guarded"), "_delta_log")
    folder.mkdir(parents=True)
    Path(folder, f"{0:020}.json").write_text("\n".join(map(json.dumps, actions)))

    frame = rs.frame([(1, "a")], DDL)
    attempts = {
        "read": lambda: rs.lake.read("guarded").collect(),
        "append": lambda: rs.lake.append(frame, TABLE),
        "overwrite": lambda: rs.lake.overwrite(frame, TABLE),
    }
    order = list(attempts)
    for name in order[: order.index(refused)]:
        attempts[name]()
    for name in order[order.index(refused) :]:
        with pytest.raises(LakeError, match=f"table guarded: lake.engine=delta-rs can't .* with .*{feature}"):
            attempts[name]()
