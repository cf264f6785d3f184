"""A table that an older release wrote gets the columns that were declared since, null in its rows."""

from __future__ import annotations

import pytest

from pozytywka_spark.errors import LakeError
from pozytywka_spark.schemas import table
from tests.lake.conftest import Bench

OLD = table("grown", "k bigint, day int", keys=["k"], partition_by=["day"])
DDL = "k bigint, complete boolean, day int, tags array<string>"
NEW = table("grown", DDL, keys=["k"], partition_by=["day"])


def test_declared_columns_are_added_and_old_rows_have_null_there(bench: Bench) -> None:
    bench.lake.append(bench.rows([(1, 1), (2, 2)], "k bigint, day int"), OLD)
    assert bench.lake.grow(NEW) == 1
    assert bench.lake.grow(NEW) is None
    rows = bench.rows([(3, True, 2, ["a"])], DDL)
    bench.lake.replace_partitions(rows, NEW, [{"day": 2}])
    found = bench.lake.read("grown").select(*NEW.columns)
    bench.assert_rows(found, [(1, None, 1, None), (3, True, 2, ["a"])], DDL)
    bench.assert_rows(bench.lake.read("grown", version=0), [(1, 1), (2, 2)], "k bigint, day int")


def test_only_what_can_be_null_is_added(rs: Bench) -> None:
    assert rs.lake.grow(NEW) is None, "no table, nothing to add to"
    rs.lake.append(rs.rows([(1, 1)], "k bigint, day int"), OLD)
    for other, told in (
        ("k bigint, day int, n int not null", "n is not in the table"),
        ("k int, day int, n int", "k is int, the table holds bigint"),
    ):
        with pytest.raises(LakeError, match=told):
            rs.lake.grow(table("grown", other, keys=["k"], partition_by=["day"]))
    with pytest.raises(LakeError, match="partitioned by"):
        rs.lake.grow(table("grown", "k bigint, day int, n int", keys=["k"], partition_by=["day", "n"]))
    assert rs.lake.version("grown") == 0
