"""Spines in files: CSV, packed CSV, Parquet, folders; what each row keeps; what is refused."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pozytywka_spark.errors import DataError, PozytywkaError, UsageError
from pozytywka_spark.featurestore.dataset_files import SpineKey, packed, prepared, unpacked
from pozytywka_spark.featurestore.spine import Spine, open_spine
from pozytywka_spark.lake.storage.filesystem import Storage

CSV = '\ufeffuser_id,as_of,label,"a, b"\n007,2023-05-01,01,"two\nlines"\n8,2023-05-02T01:00+01:00,,NA\n'
USER = SpineKey("user_id", numbers=True)


def opened(path: Path) -> Spine:
    return open_spine(Storage(), str(path), ["user_id"])


def pieces(spine: Spine, rows: int = 100) -> list[list[dict[str, Any]]]:
    return [piece.to_pylist() for piece in spine.pieces(rows)]


def test_csv_is_text_that_stays_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "spine.csv"
    place.write_text(CSV, encoding="utf-8")
    rows = [
        {"user_id": "007", "as_of": "2023-05-01", "label": "01", "a, b": "two\nlines"},
        {"user_id": "8", "as_of": "2023-05-02T01:00+01:00", "label": "", "a, b": "NA"},
    ]
    assert pieces(opened(place)) == [rows]
    assert pieces(opened(place), 1) == [rows[:1], rows[1:]]
    with gzip.open(tmp_path / "spine.csv.gz", "wt", encoding="utf-8") as target:
        target.write(CSV)
    assert pieces(opened(tmp_path / "spine.csv.gz")) == [rows]
    assert opened(place).digest() != opened(tmp_path / "spine.csv.gz").digest()
    assert opened(place).rows_at_most() >= 2


def test_keys_and_moments_of_csv_get_their_types(tmp_path: Path) -> None:
    place = tmp_path / "spine.csv"
    place.write_text(CSV, encoding="utf-8")
    (piece,) = opened(place).pieces(100)
    shown, asked = prepared(piece, [USER], 40, texts=True)
    assert shown.to_pylist() == [
        {"user_id": 7, "as_of": datetime(2023, 5, 1, tzinfo=UTC), "label": "01", "a, b": "two\nlines"},
        {"user_id": 8, "as_of": datetime(2023, 5, 2, tzinfo=UTC), "label": "", "a, b": "NA"},
    ]
    assert shown.schema.types[:2] == [pa.int64(), pa.timestamp("us", "UTC")]
    assert asked["user_id"].rows() == [(40, "7", 1_682_899_200_000_000), (41, "8", 1_682_985_600_000_000)]


def test_parquet_keeps_every_type(tmp_path: Path) -> None:
    table = pa.table(
        {
            "user_id": pa.array([1, None, 3], pa.int32()),
            "as_of": pa.array([1, 2, 3], pa.timestamp("ns", "Europe/Warsaw")),
            "word": pa.array(["a", "b", "a"]).dictionary_encode(),
            "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
            "bytes": pa.array([b"12", b"34", None], pa.binary(2)),
            "price": pa.array([1, 2, None], pa.decimal128(9, 2)),
            "long": pa.array(["x", None, ""], pa.large_string()),
        }
    )
    place = tmp_path / "spine.parquet"
    pq.write_table(table, place, row_group_size=2)
    for rows in (1, 2, 3, 100):
        whole = pa.concat_tables(
            [
                unpacked(packed(prepared(piece, [USER], 0, texts=False)[0]))
                for piece in opened(place).pieces(rows)
            ]
        )
        assert whole.schema == table.schema
        assert whole.to_pylist() == table.to_pylist()
    assert opened(place).rows_at_most() == 3


def test_a_folder_is_its_files_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "spine"
    folder.mkdir()
    pq.write_table(pa.table({"as_of": ["c"], "user_id": [3]}), folder / "part-1.parquet")
    pq.write_table(pa.table({"user_id": [1, 2], "as_of": ["a", "b"]}), folder / "part-0.parquet")
    (folder / "_SUCCESS").touch()
    rows = [{"user_id": n, "as_of": text} for n, text in ((1, "a"), (2, "b"), (3, "c"))]
    assert pieces(opened(folder), 2) == [rows[:2], rows[2:]]
    pq.write_table(pa.table({"user_id": ["x"], "as_of": ["d"]}), folder / "part-2.parquet")
    with pytest.raises(DataError, match=r"part-2\.parquet has user_id as string, the first file as int64"):
        pieces(opened(folder))


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("a.csv", "user_id,when\n1,2023-05-01\n", UsageError, "no column as_of; it has user_id, when"),
        ("a.csv", "as_of\n2023-05-01\n", UsageError, "no column user_id; it has as_of"),
        ("a.csv", "user_id,as_of,as_of\n1,2,3\n", UsageError, "two columns as_of"),
        ("a.csv", "", DataError, "can't be read as csv: Empty CSV file"),
        ("a.csv", "user_id,as_of\n1,2,me@x\n", DataError, "can't be read as csv.*Expected 2 columns, got 3$"),
        ("a.csv", b"user_id,as_of\n1,\xff\n", DataError, "can't be read as csv.*UTF8"),
        ("a.parquet", "user_id,as_of\n", DataError, "can't be read as parquet"),
        ("a.csv.gz", "user_id,as_of\n", DataError, "can't be read as csv"),
        ("a.txt", "user_id,as_of\n", UsageError, r"expected a name that ends in \.csv, \.csv\.gz, \.parquet"),
        ("none.csv", None, DataError, "there is no such file"),
    ],
)
def test_what_is_no_spine(
    tmp_path: Path, name: str, content: str | bytes | None, error: type[PozytywkaError], message: str
) -> None:
    place = tmp_path / name
    if content is not None:
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=message) as raised:
        pieces(opened(place))
    assert str(place) in str(raised.value)
    assert "me@x" not in str(raised.value)  # nobody's rows are told in an error
