"""Parts are the same rows and files whether Spark makes them or the process itself does."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.lake.storage.folder import Folder
from pozytywka_spark.synthetic import tables, world
from pozytywka_spark.synthetic.each_part import Parts, frame_of, rows_of, write_lines, write_parquet
from pozytywka_spark.synthetic.world import write_world
from tests.worlds.synthetic import TINY, planned


def lists() -> Parts:
    def make(part: int) -> pa.RecordBatch:
        columns = [[part, part + 10], ["Łódź", None], [[part], []]]
        arrays = [pa.array(column) for column in columns]
        return pa.record_batch(arrays, names=["part", "city", "some"])

    return Parts(3, make, "part bigint, city string, some array<bigint>")


@pytest.mark.parametrize("alone", [True, False])
def test_a_file_a_part_in_order(spark: SparkSession, tmp_path: Path, alone: bool) -> None:
    by, folder = (None if alone else spark), Folder.at(str(tmp_path))
    write_lines(by, lists().as_lines(), folder, "told")
    assert sorted(path.name for path in (tmp_path / "told").iterdir()) == [
        f"part-{part:05}.jsonl" for part in range(3)
    ]
    assert (tmp_path / "told" / "part-00001.jsonl").read_text(encoding="utf-8") == (
        '{"part": 1, "city": "Łódź", "some": [1]}\n{"part": 11, "some": []}\n'
    )
    write_parquet(by, lists(), folder.child("rows"))
    rows = spark.read.parquet(str(tmp_path / "rows")).orderBy("part").collect()
    assert [tuple(row) for row in rows] == sorted(
        tuple(row.values()) for row in rows_of(by, lists()).to_pylist()
    )
    assert rows_of(by, lists()).column("part").to_pylist() == [0, 10, 1, 11, 2, 12]


@pytest.mark.parametrize("alone", [True, False])
def test_no_part_is_no_line(spark: SparkSession, tmp_path: Path, alone: bool) -> None:
    none = Parts.of_lines(0, lambda part: pytest.fail(f"part {part}"))
    write_lines(None if alone else spark, none, Folder.at(str(tmp_path)), "told")
    assert "".join(path.read_text() for path in (tmp_path / "told").iterdir()) == ""
    assert spark.read.json(str(tmp_path / "told")).count() == 0


def test_a_world_of_many_chunks_is_spark_s_and_the_same(
    spark: SparkSession, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = TINY.model_copy(update={"users": 60, "months": 2, "truth_paths": 2})
    made = settings.model_copy(update={"synthetic": small})
    used: list[str] = []
    monkeypatch.setattr(
        "pozytywka_spark.synthetic.each_part.frame_of",
        lambda session, parts: (used.append(parts.schema), frame_of(session, parts))[1],
    )
    write_world(spark, made, f"{tmp_path}/alone")
    assert not used
    monkeypatch.setattr(world, "HERE", 0)
    write_world(spark, made, f"{tmp_path}/by_spark")
    assert tables.PURCHASES in used
    for ending in ("", "_truth"):
        alone, by_spark = (_lines_in(tmp_path / f"{name}{ending}") for name in ("alone", "by_spark"))
        assert alone == by_spark
        assert len(alone) >= 3


def _lines_in(folder: Path) -> dict[str, str]:
    """Texts by file."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.json*")}


def test_one_partition_a_part(spark: SparkSession) -> None:
    """Memory is that of one chunk, however many users there are."""
    many = planned(TINY.model_copy(update={"users": 100_000}))
    assert frame_of(spark, tables.lines(many, "sessions")).rdd.getNumPartitions() == 200


def test_accounts_in_json_are_readable_times() -> None:
    fraud = TINY.fraud.model_copy(update={"rings": 1, "accounts": 3, "quick_buyers": 4, "fans": 2})
    plan = planned(TINY.model_copy(update={"users": 100, "fraud": fraud}))
    charged = rows_of(None, tables.chargebacks(plan)).to_pylist()
    told = [
        json.loads(line)
        for line in rows_of(None, tables.accounts(plan).as_lines()).column("value").to_pylist()
    ]
    assert charged == [
        {name: row[name] for name in ("user_id", "bought_at", "charged_back_at")}
        for row in told
        if "charged_back_at" in row
    ]
    assert charged
