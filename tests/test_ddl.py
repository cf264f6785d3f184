"""Our DDL reader and Spark's own agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from pozytywka_spark.schemas.ddl import parse_ddl

SIMPLE = st.sampled_from(
    [
        "string",
        "boolean",
        "tinyint",
        "smallint",
        "int",
        "bigint",
        "float",
        "double",
        "date",
        "timestamp",
        "timestamp_ntz",
        "binary",
        "decimal(9,2)",
        "decimal(20, 4)",
        "BIGINT",
    ]
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True).map(lambda name: f"c_{name}")


def _structs(kinds: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    fields = st.lists(st.tuples(NAMES, kinds), min_size=1, max_size=3, unique_by=lambda pair: pair[0])
    return fields.map(lambda pairs: "struct<" + ", ".join(f"{name}: {kind}" for name, kind in pairs) + ">")


KINDS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        inner.map(lambda kind: f"array<{kind}>"),
        st.tuples(SIMPLE, inner).map(lambda pair: f"map<{pair[0]}, {pair[1]}>"),
        _structs(inner),
    ),
    max_leaves=4,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(KINDS, st.sampled_from(["", " not null", " NOT NULL"])), min_size=1, max_size=5))
def test_it_reads_what_spark_reads(spark: SparkSession, columns: list[tuple[str, str]]) -> None:
    text = ", ".join(f"c{number} {kind}{null}" for number, (kind, null) in enumerate(columns))
    assert parse_ddl(text) == T.StructType.fromDDL(text)


@pytest.mark.parametrize(
    "text", ["", "k", "k bigint,", "k big", "k array<int", "k map<int>", "k decimal(1)", "k int>"]
)
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a column's name and type|no such type"):
        parse_ddl(text)
