"""What came and went between two versions, as every engine tells it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.changes import Changes
from pozytywka_spark.schemas import table
from tests.lake.test_contract import BY_CITY, BY_CITY_DDL, DDL, PLAIN

if TYPE_CHECKING:
    from lake.conftest import Bench


def rows_of(bench: Bench, name: str, since: int, until: int | None = None) -> set[tuple[object, ...]]:
    """All rows that lie in the files that came and went."""
    with bench.lake.tasks() as tasks:
        found = bench.lake.changes(name, since, tasks, ["k", "city"], until=until)
        assert not found.gone
        assert found.until == (bench.lake.version(name) if until is None else until)
        frames = [tasks.files.read([file], ["k", "city"]) for file in found.files]  # type: ignore[attr-defined]
    return {row for frame in frames for row in frame.rows()}


def told(bench: Bench, name: str, since: int) -> Changes:
    with bench.lake.tasks() as tasks:
        return bench.lake.changes(name, since, tasks)


def test_added_and_removed_rows_are_told(bench: Bench) -> None:
    lake = bench.lake
    lake.append(bench.rows([(1, "a", "x"), (2, "b", "y"), (3, "c", None)], BY_CITY_DDL), BY_CITY)
    assert told(bench, "by_city", 0).none
    lake.append(bench.rows([(4, "d", "z")], BY_CITY_DDL), BY_CITY)
    assert rows_of(bench, "by_city", 0) == {(4, "z")}
    lake.replace_partitions(bench.rows([(5, "e", "x")], BY_CITY_DDL), BY_CITY, [{"city": "x"}])
    assert rows_of(bench, "by_city", 1) == {(1, "x"), (5, "x")}
    assert rows_of(bench, "by_city", 0) == {(4, "z"), (1, "x"), (5, "x")}
    assert rows_of(bench, "by_city", 0, until=1) == {(4, "z")}
    lake.replace_partitions(bench.rows([], BY_CITY_DDL), BY_CITY, [{"city": None}])
    assert rows_of(bench, "by_city", 2) == {(3, None)}


def test_what_came_and_went_in_between_is_told(on_disk: Bench) -> None:
    lake = on_disk.lake
    lake.append(on_disk.rows([(1, "a", "x")], BY_CITY_DDL), BY_CITY)
    lake.append(on_disk.rows([(2, "b", "y")], BY_CITY_DDL), BY_CITY)
    lake.replace_partitions(on_disk.rows([], BY_CITY_DDL), BY_CITY, [{"city": "y"}])
    assert rows_of(on_disk, "by_city", 0) == {(2, "y")}


def test_what_a_compaction_brought_together_and_somebody_removed_is_told(on_disk: Bench) -> None:
    lake = on_disk.lake
    for row in [(1, "a", "x"), (2, "b", "x"), (3, "c", "x"), (4, "d", "y")]:
        lake.append(on_disk.rows([row], BY_CITY_DDL), BY_CITY)
    since = lake.version("by_city")
    assert lake.compact("by_city") is not None
    lake.replace_partitions(on_disk.rows([(5, "e", "x")], BY_CITY_DDL), BY_CITY, [{"city": "x"}])
    assert rows_of(on_disk, "by_city", since) == {(1, "x"), (2, "x"), (3, "x"), (5, "x")}


def test_updated_rows_are_told(on_disk: Bench) -> None:
    lake = on_disk.lake
    lake.append(on_disk.rows([(1, "a", "x"), (2, "b", "y")], BY_CITY_DDL), BY_CITY)
    lake.upsert(on_disk.rows([(2, "B", "y"), (3, "c", "y")], BY_CITY_DDL), BY_CITY)
    assert {(2, "y"), (3, "y")} <= rows_of(on_disk, "by_city", 0)


def test_a_compaction_and_a_new_column_change_nothing(on_disk: Bench) -> None:
    lake = on_disk.lake
    for row in [(1, "a"), (2, "b"), (3, "c")]:
        lake.append(on_disk.rows([row], DDL), PLAIN)
    assert lake.compact("plain") is not None
    lake.grow(table("plain", f"{DDL}, w double", keys=["k"]))
    found = told(on_disk, "plain", 2)
    assert found.none
    assert found.until == lake.version("plain") > 2


def test_a_vacuum_leaves_no_way_to_know(bench: Bench) -> None:
    lake = bench.lake
    lake.append(bench.rows([(1, "a")], DDL), PLAIN)
    lake.overwrite(bench.rows([(2, "b")], DDL), PLAIN)
    assert len(told(bench, "plain", 0).files) == 2
    lake.vacuum("plain", retention_hours=0)
    found = told(bench, "plain", 0)
    assert found.files == ()
    assert "of table plain it can't be known what changed since version 0: a vacuum deleted" in found.gone
    assert told(bench, "plain", 1).none  # what the vacuum itself logged is no change


def test_a_table_made_anew_has_another_identity(on_disk: Bench) -> None:
    lake = on_disk.lake
    lake.append(on_disk.rows([(1, "a")], DDL), PLAIN)
    lake.append(on_disk.rows([(2, "b")], DDL), PLAIN)
    before = lake.identity("plain")
    assert lake.identity("plain") == before
    assert told(on_disk, "plain", 7).gone == "table plain is at version 1, before version 7: it was made anew"
    shutil.rmtree(Path(lake.root) / "plain")
    lake.append(on_disk.rows([(1, "a")], DDL), PLAIN)
    assert lake.identity("plain") != before


def test_another_type_leaves_no_way_to_know(on_disk: Bench) -> None:
    lake = on_disk.lake
    lake.append(on_disk.rows([(1, "a")], DDL), PLAIN)
    lake.overwrite(
        on_disk.rows([(1, 0.5)], "k bigint, v double"), table("plain", "k bigint, v double", ["k"])
    )
    assert told(on_disk, "plain", 0).gone.endswith("since version 0: v is of another type now")


def test_a_log_without_its_beginning_leaves_no_way_to_know(rs: Bench) -> None:
    lake = rs.lake
    for row in [(1, "a"), (2, "b"), (3, "c")]:
        lake.append(rs.rows([row], DDL), PLAIN)
    from deltalake import DeltaTable

    DeltaTable(lake.path("plain")).create_checkpoint()
    for version in (0, 1):
        (Path(lake.path("plain")) / "_delta_log" / f"{version:020d}.json").unlink()
    assert told(rs, "plain", 0).gone.endswith("since version 0: its log was cleaned up")
    with pytest.raises(LakeError, match="table plain: no version 9"):
        lake.changes("plain", 0, None, until=9)  # type: ignore[arg-type]
    with pytest.raises(LakeError, match="table other: there is none"):
        told(rs, "other", 0)
