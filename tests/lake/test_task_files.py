"""Files that tasks read and write: every type, nulls, odd texts, nothing; statistics; parcels."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake import casting
from pozytywka_spark.lake.notes import read_notes
from pozytywka_spark.lake.parcel_files import read_parcels, write_parcel
from pozytywka_spark.lake.shards import DataFile, Written
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.table_files import TableFiles
from pozytywka_spark.lake.task_files import OpenFiles, forget_shared
from pozytywka_spark.schemas import Table, table

DDL = (
    "id binary, at timestamp, name string, n bigint, small int, tiny tinyint, x double, f float, "
    "yes boolean, day date, price decimal(10,2), tags array<string>, "
    "pair struct<a:int,b:string>, month date, bucket int"
)
KINDS = table("kinds", DDL, keys=["id"], partition_by=["month", "bucket"])
FULL: dict[str, Any] = {
    "id": b"\x00\xff" * 8,
    "at": datetime(2022, 1, 3, 5, 9, 55, 123456, tzinfo=UTC),
    "name": "Zażółć 🎵 \x00 end",
    "n": -(2**63),
    "small": 2**31 - 1,
    "tiny": -128,
    "x": float("nan"),
    "f": 1.5,
    "yes": True,
    "day": date(1, 1, 1),
    "price": Decimal("12345678.90"),
    "tags": ["a", None, ""],
    "pair": {"a": 1, "b": "x"},
}
EMPTY: dict[str, Any] = dict.fromkeys(FULL)
PARTITION = {"month": date(2022, 1, 1), "bucket": 3}


@pytest.fixture
def files(tmp_path: Path) -> OpenFiles:
    (tmp_path / "_staging").mkdir()
    return OpenFiles(TableFiles(Storage(), str(tmp_path)), str(tmp_path / "_staging"))


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows in Polars' own types, which are not all the table's."""
    schema = casting.arrow_schema(KINDS.schema)
    fields = [schema.field(name) for name in FULL]
    return pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(list(rows), schema=pa.schema(fields))))


def as_file(written: Written, of: Table) -> DataFile:
    schema = casting.arrow_schema(of.schema)
    partition = {
        name: pa.scalar(value, pa.string()).cast(schema.field(name).type).as_py()
        for name, value in written.partition.items()
    }
    return DataFile(written.place, written.size, written.rows, partition, written.path, schema)


def test_every_type_comes_back_as_it_was(files: OpenFiles) -> None:
    files.write(KINDS, frame(FULL, EMPTY), PARTITION)
    (written,) = files.written
    assert (written.table, written.rows) == ("kinds", 2)
    assert written.path.startswith("month=2022-01-01/bucket=3/part-")
    assert written.size == Path(written.place).stat().st_size
    back = files.read([as_file(written, KINDS)])
    expected = frame(FULL, EMPTY).with_columns(month=pl.lit(PARTITION["month"]), bucket=pl.lit(3, pl.Int32))
    assert back.equals(expected)
    assert back["x"].is_nan().to_list() == [True, None]
    assert back.schema["bucket"] == pl.Int32
    assert back.schema["month"] == pl.Date
    assert back.schema["at"] == pl.Datetime("us", "UTC")


def test_what_is_noted_of_a_file_is_read_from_its_footer_alone(files: OpenFiles) -> None:
    of = table("noted", "k bigint", keys=["k"])
    rows = pl.DataFrame({"k": [1]})
    noted = {"events": '{"zażółć": 1}', "more": ""}
    files.write(of, rows, noted=noted)
    files.write(of, rows)
    ours, plain = [as_file(written, of) for written in files.written]
    assert read_notes(files.tables.storage, [plain, ours, plain]) == [{}, noted, {}]
    assert files.read([ours]).equals(rows)
    assert {key for key in pq.read_metadata(ours.place).metadata if key.startswith(b"pozytywka")} == {
        b"pozytywka.events",
        b"pozytywka.more",
    }
    Path(ours.place).unlink()
    with pytest.raises(LakeError, match=r"part-\w+\.parquet can't be read"):
        read_notes(files.tables.storage, [ours])


def test_files_have_the_declared_types_only(files: OpenFiles) -> None:
    """Views, large lists, counts and dictionaries are Polars' own affair; timestamps are UTC instants."""
    of = table("plain", "k bigint, name string, kind string, tags array<string>, at timestamp", keys=["k"])
    rows = pl.DataFrame(
        {
            "at": pl.Series([datetime(2022, 1, 1, tzinfo=UTC)], dtype=pl.Datetime("ns", "UTC")),
            "tags": [["x"]],
            "kind": pl.Series(["a"], dtype=pl.Categorical),
            "name": ["n"],
            "more": [1],
            "k": pl.Series([7], dtype=pl.UInt32),
        }
    )
    files.write(of, rows)
    found = pq.read_schema(files.written[0].place)
    assert found == pa.schema(
        [
            ("k", pa.int64()),
            ("name", pa.string()),
            ("kind", pa.string()),
            ("tags", pa.list_(pa.field("element", pa.string()))),
            ("at", pa.timestamp("us", "UTC")),
        ]
    )


def test_columns_go_by_their_names(files: OpenFiles) -> None:
    of = table("swapped", "a bigint, b bigint", keys=["a"])
    files.write(of, pl.DataFrame({"b": [1], "a": [2]}))
    assert files.read([as_file(files.written[0], of)]).to_dict(as_series=False) == {"a": [2], "b": [1]}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (pl.DataFrame({"a": [1]}), "table refused: columns missing: b; it holds: a"),
        (pl.DataFrame({"a": ["1"], "b": ["x"]}), "a is large_string, expected int32"),
        (pl.DataFrame({"a": [2**31], "b": ["x"]}), "a doesn't fit int32"),
        (pl.DataFrame({"a": [1.0], "b": ["x"]}), "a is double, expected int32"),
        (pl.DataFrame({"a": [1], "b": [None]}), "column b is NOT NULL, and a row has null"),
    ],
)
def test_rows_that_do_not_fit_are_refused(files: OpenFiles, rows: pl.DataFrame, told: str) -> None:
    of = table("refused", "a int, b string not null", keys=["a"])
    with pytest.raises(LakeError, match=told):
        files.write(of, rows)
    assert not list(Path(files.tables.root).glob("refused/**/*.parquet"))


def test_a_naive_time_is_not_taken_for_utc(files: OpenFiles) -> None:
    of = table("naive", "k bigint, at timestamp", keys=["k"])
    with pytest.raises(LakeError, match=r"at is timestamp\[us\], expected timestamp\[us, tz=UTC\]"):
        files.write(of, pl.DataFrame({"k": [1], "at": [datetime(2022, 1, 1)]}))


def test_only_asked_columns_are_read_and_absent_ones_are_null(files: OpenFiles) -> None:
    old = table("grown", "k bigint, day int", keys=["k"], partition_by=["day"])
    new = table(
        "grown", "k bigint, day int, tags array<string>, at timestamp", keys=["k"], partition_by=["day"]
    )
    files.write(old, pl.DataFrame({"k": [1, 2]}), {"day": None})
    file = as_file(files.written[0], new)
    assert file.partition == {"day": None}
    found = files.read([file], ["at", "day", "k"])
    assert found.schema == {"at": pl.Datetime("us", "UTC"), "day": pl.Int32, "k": pl.Int64}
    assert found.rows() == [(None, None, 1), (None, None, 2)]
    assert files.read([file]).columns == ["k", "day", "tags", "at"]
    with pytest.raises(LakeError, match="there is no column q; it has k, day, tags, at"):
        files.read([file], ["q"])


def test_order_is_kept_and_readers_can_skip_row_groups(files: OpenFiles) -> None:
    of = table("long", "k bigint, name string", keys=["k"])
    rows = pl.DataFrame({"k": range(300_000)}).with_columns(name=pl.col("k").cast(pl.String))
    files.write(of, rows)
    footer = pq.read_metadata(files.written[0].place)
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    assert [group.num_rows for group in groups] == [131_072, 131_072, 37_856]
    assert [group.column(0).statistics.min for group in groups] == [0, 131_072, 262_144]
    assert files.read([as_file(files.written[0], of)]).equals(rows)


def test_statistics_bound_the_rows(files: OpenFiles) -> None:
    files.write(KINDS, frame(FULL, EMPTY, {**FULL, "n": 5, "name": "b", "x": 1.0}), PARTITION)
    told = json.loads(files.written[0].statistics)
    assert told["numRecords"] == 3
    assert (told["minValues"]["n"], told["maxValues"]["n"]) == (-(2**63), 5)
    assert told["maxValues"]["at"] == "2022-01-03T05:09:55.124Z"
    assert told["nullCount"]["small"] == 1
    assert "x" not in told["maxValues"], "NaN is in no bound of Arrow's writer"
    assert (told["minValues"]["f"], told["maxValues"]["f"]) == (1.5, 1.5)
    files.write(KINDS, frame({**FULL, "x": 2.0}, {**FULL, "x": -1.0}), PARTITION)
    told = json.loads(files.written[1].statistics)
    assert (told["minValues"]["x"], told["maxValues"]["x"]) == (-1.0, 2.0)


def test_texts_in_a_partition_are_spelt_as_spark_reads_them(files: OpenFiles) -> None:
    of = table("cities", "k bigint, city string", keys=["k"], partition_by=["city"])
    for city in ("a/b=c %", "", None, "Łódź"):
        files.write(of, pl.DataFrame({"k": [1]}), {"city": city})
    folders = [written.path.rpartition("/")[0] for written in files.written]
    null = "city=__HIVE_DEFAULT_PARTITION__"
    assert folders == ["city=a%2Fb%3Dc %25", null, null, "city=Łódź"]
    assert [written.partition["city"] for written in files.written] == ["a/b=c %", None, None, "Łódź"]


def test_a_partition_must_be_the_tables(files: OpenFiles) -> None:
    for partition in ({}, {"month": date(2022, 1, 1)}, {**PARTITION, "more": 1}):
        with pytest.raises(LakeError, match="table kinds: rows of a partition by"):
            files.write(KINDS, frame(FULL), partition)
    with pytest.raises(LakeError, match="expected a int, got a str"):
        files.write(KINDS, frame(FULL), {**PARTITION, "bucket": "3"})


def test_parcels_keep_rows_types_and_columns(files: OpenFiles) -> None:
    rows = frame(FULL, EMPTY).with_columns(kind=pl.Series(["a", None], dtype=pl.Categorical))
    files.stage("odd", rows, ("2022-01-01", 3))
    files.stage("odd", rows.head(0))
    (parcel,) = files.parcels
    assert (parcel.kind, parcel.key, parcel.rows) == ("odd", ("2022-01-01", 3), 2)
    assert parcel.size == Path(parcel.place).stat().st_size
    back = files.read([parcel])
    assert back.schema == rows.schema
    assert str(back.rows()) == str(rows.rows())
    assert files.read([parcel, parcel], ["n", "id"]).rows() == [(FULL["n"], FULL["id"]), (None, None)] * 2


def test_parcels_are_compressed_where_they_travel(files: OpenFiles) -> None:
    rows = pl.DataFrame(
        {"n": [7] * 10_000, "none": [None] * 10_000}, schema={"n": pl.Int64, "none": pl.String}
    )
    sizes = {}
    for compressed in (True, False):
        target = io.BytesIO()
        write_parcel(target, rows, compressed=compressed)
        sizes[compressed] = len(target.getvalue())
        assert read_parcels([io.BytesIO(target.getvalue())], None).equals(rows)
    assert sizes[True] < 10_000 < 80_000 <= sizes[False] < 85_000  # what is null throughout takes no room
    assert files.put("n", rows).size == sizes[False]  # a folder of this machine


def test_parcels_that_lack_different_columns_are_read_as_they_were(files: OpenFiles) -> None:
    kinds = pl.Schema({"kind": pl.Enum(["b", "a"]), "n": pl.Int64, "text": pl.String, "no": pl.List(pl.Int8)})
    rows = [[("a", 1, None, None), (None, 2, None, None)], [("b", None, "t", None)], [(None, 3, None, None)]]
    parts = [pl.DataFrame(some, kinds, orient="row") for some in rows]
    for part in parts:
        files.stage("mixed", part)
    whole, back = (pl.concat(some).cast({"kind": pl.String}) for some in (parts, parts[::-1]))
    assert files.read(files.parcels).schema == whole.schema
    assert files.read(files.parcels).equals(whole)
    assert files.read(files.parcels[::-1], ["no", "kind"]).equals(back.select("no", "kind"))
    assert files.read(files.parcels, ["no"]).equals(whole.select("no"))
    coded = files.read(files.parcels, None, ["kind"])
    assert isinstance(coded.schema["kind"], pl.Enum)
    assert coded.cast({"kind": pl.String}).equals(whole)
    assert files.read(files.parcels[2:], ["kind"], ["kind"]).rows() == [(None,)]


def test_nothing_is_written_of_no_rows(files: OpenFiles) -> None:
    files.write(KINDS, frame().head(0), PARTITION)
    assert files.written == []


def test_shared_tables_are_loaded_once(files: OpenFiles) -> None:
    forget_shared()
    files.stage("tracks", pl.DataFrame({"a": [1], "b": [2]}))
    first = files.shared(files.parcels, ["a"])
    assert files.shared(files.parcels, ["a"]) is first
    assert files.shared(files.parcels).columns == ["a", "b"]
    forget_shared()
    assert files.shared(files.parcels, ["a"]) is not first


def test_a_file_that_is_gone_is_named(files: OpenFiles) -> None:
    files.write(KINDS, frame(FULL), PARTITION)
    file = as_file(files.written[0], KINDS)
    Path(file.place).unlink()
    with pytest.raises(LakeError, match=r"part-.*it has gone since the table was looked at"):
        files.read([file])
    Path(file.place).write_bytes(b"half a fi")
    with pytest.raises(LakeError, match=r"part-.*can't be read"):
        files.read([file])


def test_files_are_written_so_that_they_are_read_fast(files: OpenFiles) -> None:
    """Differences for numbers and times, no costly dictionary for hashes and reals."""
    files.write(KINDS, frame(*[FULL] * 3), PARTITION)
    footer = pq.read_metadata(files.written[0].place)
    group = footer.row_group(0)
    encodings = {
        group.column(at).path_in_schema: set(group.column(at).encodings) for at in range(group.num_columns)
    }
    for name in ("at", "n", "small", "tiny", "day", "pair.a"):
        assert "DELTA_BINARY_PACKED" in encodings[name], name
    assert "RLE_DICTIONARY" not in encodings["id"] | encodings["x"]
    for name in ("name", "tags.list.element", "pair.b"):
        assert "RLE_DICTIONARY" in encodings[name], name
    compressions = {
        group.column(at).path_in_schema: group.column(at).compression for at in range(group.num_columns)
    }
    assert compressions.pop("id") == "UNCOMPRESSED"  # a hash
    # doubles, of which zstd saves a fifth for twice the time
    assert (compressions.pop("x"), compressions.pop("f")) == ("SNAPPY", "SNAPPY")
    assert set(compressions.values()) == {"ZSTD"}


def test_other_columns_are_not_read_at_all(files: OpenFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(KINDS, frame(FULL), PARTITION)
    asked: list[list[str]] = []
    real = pq.ParquetFile.read

    def read(self: pq.ParquetFile, columns: list[str]) -> pa.Table:
        asked.append(columns)
        return real(self, columns)

    monkeypatch.setattr(pq.ParquetFile, "read", read)
    files.read([as_file(files.written[0], KINDS)], ["n", "bucket", "name"])
    assert asked == [["name", "n"]]


def test_coded_texts_are_the_texts(files: OpenFiles) -> None:
    """Of files and of parcels, whose dictionaries differ; whoever doesn't ask gets texts."""
    for names in (["a", None, "b"], ["b", "c", "b"]):
        files.write(KINDS, frame(*({**FULL, "name": name} for name in names)), PARTITION)
    made = [as_file(written, KINDS) for written in files.written]
    texts = files.read(made, ["n", "name"])
    coded = files.read(made, ["n", "name"], ["name"])
    assert coded["name"].dtype == pl.Enum(["a", "b", "c"])
    assert coded.cast({"name": pl.String}).equals(texts)
    assert texts["name"].to_list() == ["a", None, "b", "b", "c", "b"]
    for part in (coded.head(3), coded.tail(3).cast({"name": pl.Enum(["c", "b"])})):
        files.stage("coded", part)
    assert files.read(files.parcels).equals(texts)
    again = files.read(files.parcels, None, ["name"])
    assert isinstance(again["name"].dtype, pl.Enum)
    assert again.cast({"name": pl.String}).equals(texts)


def test_wide_files_are_read_as_narrow_ones(files: OpenFiles) -> None:
    names = [f"f{number}" for number in range(20)]
    wide = table(
        "wide", f"n int, {', '.join(f'{name} double' for name in names)}, month date", ["n"], ["month"]
    )
    rows = pl.DataFrame({"n": [2, None], **{name: [0.1, float("nan")] for name in names}})
    files.write_runs(wide, rows, [(1, {"month": date(2022, 1, 1)}), (1, {"month": date(2022, 2, 1)})])
    made = [as_file(written, wide) for written in files.written]
    assert [written.rows for written in files.written] == [1, 1]
    assert ["f0" in json.loads(written.statistics)["maxValues"] for written in files.written] == [True, False]
    whole = files.read(made)
    apart = pl.concat([files.read(made, [name]) for name in wide.columns], how="horizontal")
    assert whole.select(wide.columns).equals(apart)
    assert whole.schema == files.read(made, list(whole.columns)).schema
    Path(made[0].place).unlink()
    with pytest.raises(LakeError, match="has gone"):
        files.read(made)
