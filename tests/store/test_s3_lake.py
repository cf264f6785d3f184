"""What only an object store can get wrong; what every store promises is in tests/lake/test_contract*.py."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from pyarrow import fs
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.doctor import stores
from pozytywka_spark.errors import LakeError, UsageError
from pozytywka_spark.lake import Lake, Txn, open_lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.schemas import table

if TYPE_CHECKING:
    from tests.s3_server import S3Server

DDL = "k bigint, city string"
TABLE = table("raced", DDL, keys=["k"], partition_by=["city"])


def settings_of(server: S3Server, home: Path, *overrides: str) -> Settings:
    places = [f"home={home}", f"lake.root={server.folder()}", *server.overrides]
    return load_settings("local", [*places, *overrides])


@pytest.fixture
def settings(s3_server: S3Server, tmp_path: Path) -> Settings:
    return settings_of(s3_server, tmp_path)


@pytest.fixture
def lake(spark: SparkSession, settings: Settings) -> Lake:
    return open_lake(settings, spark)


def rows_of(*rows: tuple[int, str | None]) -> pa.Table:
    return as_table([{"k": k, "city": city} for k, city in rows], TABLE)


def keys(lake: Lake) -> list[int]:
    return sorted(lake.rows("raced", ["k"])["k"].to_pylist())


def objects(server: S3Server, address: str) -> set[str]:
    below = address.removeprefix("s3://") + "/"
    found = server.files.get_file_info(fs.FileSelector(below, recursive=True))
    names = {info.path.removeprefix(below) for info in found if info.type == fs.FileType.File}
    return {name for name in names if name.endswith(".parquet")}


def overtake(monkeypatch: pytest.MonkeyPatch, operation: str, other: Callable[[], object]) -> None:
    """Once, let `other` commit between the snapshot that a writer read and its own commit."""
    real = log._extend
    done: list[bool] = []

    def extend(path: str, delta: DeltaTable, change: log.Change) -> int:
        if change.operation == operation and not done:
            done.append(True)
            other()
        return real(path, delta, change)

    monkeypatch.setattr(log, "_extend", extend)


def test_of_two_writers_of_one_version_one_wins_and_the_other_comes_after(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store refuses the second entry of one number (conditional put); its writer goes on from there."""
    lake.append(rows_of((1, "x")), TABLE)
    overtake(monkeypatch, "APPEND", lambda: lake.overwrite(rows_of((2, "x")), TABLE))
    assert lake.append(rows_of((3, "y")), TABLE) == 2
    assert [commit.operation for commit in lake.history("raced")] == ["APPEND", "OVERWRITE", "APPEND"]
    assert keys(lake) == [2, 3]


def test_a_compaction_that_loses_its_files_gives_up_by_name(
    lake: Lake, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        lake.append(rows_of((number, "x")), TABLE)
    overtake(monkeypatch, "COMPACT", lambda: lake.overwrite(rows_of((3, "x")), TABLE))
    with pytest.raises(
        LakeError, match="table raced: another writer changed it while it was being compacted"
    ):
        lake.compact("raced")
    assert keys(lake) == [3]
    assert len(objects(s3_server, lake.path("raced"))) == 3  # the compaction's own object is gone


def test_writers_at_once_all_get_through(lake: Lake) -> None:
    lake.append(rows_of((0, "x")), TABLE)
    both = [rows_of((7, city), (number, city)) for number, city in ((1, "x"), (2, "y"))]
    writers = [threading.Thread(target=lake.upsert, args=(rows, TABLE)) for rows in both]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert keys(lake) == [0, 1, 2, 7]


def test_an_entry_sent_twice_is_one_commit(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to the first sending was lost, the second one meets our own entry: that is no lost race."""
    lake.append(rows_of((1, "x")), TABLE)
    real = log._extend

    def sent_twice(path: str, delta: DeltaTable, change: log.Change) -> int:
        real(path, delta, change)
        raise CommitFailedError("412 precondition failed")

    monkeypatch.setattr(log, "_extend", sent_twice)
    assert lake.append(rows_of((2, "x")), TABLE, txn=Txn("app", 1)) == 1
    assert keys(lake) == [1, 2]


def test_objects_are_plain_delta_for_everyone(
    spark: SparkSession, lake: Lake, s3_server: S3Server, tmp_path: Path
) -> None:
    """One object a partition, its statistics in the log, NaN not hidden behind a bound; read by DuckDB."""
    ddl = "k bigint, x double, t timestamp, city string"
    odd = table("odd", ddl, keys=["k"], partition_by=["city"])
    rows = spark.sql(
        "select id as k, if(id = 1, double('NaN'), 0.5) as x, timestamp'2023-01-03 05:14:02.707001' as t, "
        "if(id < 2, 'a b/ć%', null) as city from range(4)"
    )
    lake.append(rows.repartition(3), odd)
    names = objects(s3_server, lake.path("odd"))
    assert {name.split("/")[0] for name in names} == {"city=a_b___", "city=null"}
    table_ = DeltaTable(lake.path("odd"), storage_options=lake._store.options)  # type: ignore[attr-defined]
    ranges: dict[str | None, set[int]] = {}
    for file in log.active_files(table_):
        with_nan = file.lows["k"] <= 1 <= file.highs["k"]
        assert file.highs["x"] == (None if with_nan else 0.5), "NaN would lie beyond the bound"
        ranges.setdefault(file.values["city"], set()).update((file.lows["k"], file.highs["k"]))
    assert ranges == {"a b/ć%": {0, 1}, None: {2, 3}}
    copies = []
    for number, name in enumerate(sorted(names)):
        copies.append(str(tmp_path / f"{number}.parquet"))
        with s3_server.files.open_input_file(f"{lake.path('odd')}/{name}".removeprefix("s3://")) as source:
            Path(copies[-1]).write_bytes(source.read())
    assert str(pq.read_schema(copies[0]).field("t").type) == "timestamp[us, tz=UTC]"
    found = duckdb.sql(f"select k, isnan(x), epoch_us(t) from read_parquet({copies}) order by k").fetchall()
    assert found == [(k, k == 1, 1672722842707001) for k in range(4)]


def test_a_vacuum_takes_what_no_commit_names(lake: Lake, s3_server: S3Server) -> None:
    lake.append(rows_of((1, "x")), TABLE)
    lake.overwrite(rows_of((2, "x")), TABLE)
    assert lake.vacuum("raced", retention_hours=0) == 1
    assert len(objects(s3_server, lake.path("raced"))) == 1
    assert keys(lake) == [2]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["lake.root=s3://no-such-bucket/lake"], "no bucket no-such-bucket; make it"),
        (["s3.endpoint=http://127.0.0.1:9"], r"can't be read: .*are s3\.endpoint and s3\.region right"),
        (["lake.root=s3://pozytywka-tests/a b"], r"expected s3://bucket/folder in letters"),
        (["lake.root=gs://bucket/lake"], "use lake.engine=delta-spark for another store"),
    ],
)
def test_a_root_that_can_not_serve_is_named(
    spark: SparkSession, s3_server: S3Server, tmp_path: Path, overrides: list[str], told: str
) -> None:
    with pytest.raises(LakeError, match=rf"^lake\.root .*{told}"):
        open_lake(settings_of(s3_server, tmp_path, *overrides), spark)


def test_secrets_have_no_place_in_settings(s3_server: S3Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown setting s3\.secret_access_key"):
        settings_of(s3_server, tmp_path, "s3.secret_access_key=x")
    with pytest.raises(UsageError, match=r"s3\.endpoint"):
        settings_of(s3_server, tmp_path, "s3.endpoint=https://key:secret@host")


def test_the_doctor_tries_the_store_as_the_engine_does(
    spark: SparkSession, s3_server: S3Server, tmp_path: Path
) -> None:
    """By the driver and by a task; nothing is left."""
    settings = settings_of(s3_server, tmp_path)
    assert [(found.state, found.found) for found in stores.lake(settings, spark)] == [
        ("ok", f"{settings.lake.root}: read and written")
    ]
    below = fs.FileSelector(settings.lake.root.removeprefix("s3://"), recursive=True)
    assert s3_server.files.get_file_info(below) == []
