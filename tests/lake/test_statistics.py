"""Statistics let readers skip files, and never skip one that matters."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.lake import statistics
from pozytywka_spark.schemas import table
from pozytywka_spark.schemas.ddl import parse_ddl
from tests.lake.conftest import as_rows

if TYPE_CHECKING:
    from lake.conftest import Bench


def _stats(
    tmp_path: Path, values: list[Any], kind: pa.DataType, ddl: str, group: int = 1000
) -> dict[str, Any]:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"c": pa.array(values, kind)}), path, row_group_size=group)
    found = statistics.of_footer(pq.read_metadata(path), statistics.leaves(parse_ddl(f"c {ddl}"), ()))
    assert found.records == len(values)
    return json.loads(found.text, parse_float=Decimal)


@pytest.mark.parametrize(
    ("values", "kind", "ddl", "low", "high"),
    [
        ([3, None, -1], pa.int64(), "bigint", -1, 3),
        ([date(2022, 2, 1), date(2022, 1, 1)], pa.date32(), "date", "2022-01-01", "2022-02-01"),
        (
            [datetime(2022, 1, 1, 0, 0, 0, 1), datetime(2022, 1, 1, 0, 0, 0, 1001)],
            pa.timestamp("us", "UTC"),
            "timestamp",
            "2022-01-01T00:00:00.000Z",
            "2022-01-01T00:00:00.002Z",  # to the millisecond, and never below the value
        ),
        (
            [Decimal("1.10"), Decimal("-2.00")],
            pa.decimal128(9, 2),
            "decimal(9,2)",
            Decimal("-2.00"),
            Decimal("1.10"),
        ),
        (["b" * 40, "a" * 40], pa.string(), "string", "a" * 32, "b" * 31 + "c"),
        (["\U0010ffff" * 40, "a"], pa.string(), "string", None, None),  # nothing bounds it from above
        (["\ud7ff" * 40], pa.string(), "string", "\ud7ff" * 32, "\ud7ff" * 31 + "\ue000"),
        ([1.5, float("inf")], pa.float64(), "double", None, None),  # JSON has no infinity
        ([True, False], pa.bool_(), "boolean", None, None),
        ([None, None], pa.int64(), "bigint", None, None),
    ],
)
def test_bounds(tmp_path: Path, values: list[Any], kind: pa.DataType, ddl: str, low: Any, high: Any) -> None:
    found = _stats(tmp_path, values, kind, ddl)
    assert found["minValues"].get("c") == low
    assert found["maxValues"].get("c") == high
    assert found["nullCount"]["c"] == sum(value is None for value in values)


def test_all_row_groups_count(tmp_path: Path) -> None:
    found = _stats(tmp_path, [5, None, None, 9, 1, 2], pa.int64(), "bigint", group=2)
    assert (found["minValues"], found["maxValues"], found["nullCount"]) == ({"c": 1}, {"c": 9}, {"c": 2})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=28, max_size=40), min_size=1, max_size=5
    )
)
def test_string_bounds_bound(values: list[str]) -> None:
    """In the order of UTF-8 bytes, which is what readers compare."""
    low = statistics._bound(min(values, key=str.encode), highest=False)
    high = statistics._bound(max(values, key=str.encode), highest=True)
    for value in values:
        assert low.encode() <= value.encode()
        assert high is None or value.encode() <= high.encode()


def test_which_columns_have_statistics() -> None:
    schema = parse_ddl(
        "p string, a int, s struct<x: int, y: struct<z: date>>, l array<int>, m map<string, int>"
    )
    assert statistics.leaves(schema, ("p",)) == {"a": ("a",), "s.x": ("s", "x"), "s.y.z": ("s", "y", "z")}
    wide = T.StructType([T.StructField(f"c{number}", T.IntegerType()) for number in range(50)])
    assert len(statistics.leaves(wide, ())) == 32


def test_a_filter_skips_files(rs: Bench) -> None:
    """Three appends make three files; readers open those only that the filter can't rule out."""
    days = table("days", "k bigint, t timestamp, name string, s struct<x: int>", keys=["k"])
    for start in (0, 100, 200):
        rows = [
            (k, datetime.fromtimestamp(k * 3600, UTC), f"name {k:03}", {"x": k})
            for k in range(start, start + 100)
        ]
        rs.lake.append(as_rows(rows, days.schema), days)
    delta = DeltaTable(rs.lake.path("days"))

    def opened(*predicate: tuple[str, str, Any]) -> int:
        return len(delta.file_uris(file_pruning_predicate=list(predicate)))

    assert len(delta.file_uris()) == 3
    assert opened(("k", "=", 150)) == 1
    assert opened(("k", ">", 99)) == 2
    assert opened(("k", ">", 299)) == 0
    assert opened(("name", "=", "name 250")) == 1
    assert opened(("t", "<", datetime(1970, 1, 2))) == 1
    # the merge uses them, too: a key in the middle file rewrites that one only
    rs.lake.upsert(rs.spark.range(120, 121).select(F.col("id").alias("k"), *_nulls(days)), days)
    assert len(set(DeltaTable(rs.lake.path("days")).file_uris()) & set(delta.file_uris())) == 2
    held = {row["k"]: row["name"] for row in rs.lake.rows("days", ["k", "name"]).to_pylist()}
    assert (len(held), held[119], held[120]) == (300, "name 119", None)
    assert rs.lake.rows("days").num_rows == 300


def _nulls(days: Any) -> list[Any]:
    return [F.lit(None).cast(field.dataType).alias(field.name) for field in days.schema if field.name != "k"]
