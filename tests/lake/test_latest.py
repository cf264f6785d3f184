"""A table's latest snapshot is shared by its readers for as long as its log is the same, and no longer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.delta_rs.latest import KEPT, latest_table

ROWS = pa.table({"a": [1, 2]})


def version(path: Path) -> int | None:
    table = latest_table(str(path))
    return None if table is None else table.version()


def test_it_is_opened_once_as_long_as_nobody_commits(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "one", ROWS)
    first = latest_table(str(tmp_path / "one"))
    assert latest_table(str(tmp_path / "one")) is first
    write_deltalake(tmp_path / "one", ROWS, mode="append")
    second = latest_table(str(tmp_path / "one"))
    assert second is not None
    assert (second.version(), second.to_pyarrow_table().num_rows) == (1, 4)
    assert first is not None
    assert first.version() == 0, "who reads an older one goes on with it"


def test_a_table_that_is_gone_or_made_anew_at_the_same_place(tmp_path: Path) -> None:
    path = tmp_path / "one"
    assert version(path) is None
    write_deltalake(path, ROWS)
    before = latest_table(str(path))
    assert before is not None
    shutil.rmtree(path)
    assert version(path) is None
    write_deltalake(path, ROWS)
    again = latest_table(str(path))
    assert again is not None
    assert (again.version(), again.metadata().id == before.metadata().id) == (0, False)


def test_a_log_that_goes_wrong_is_not_covered_up(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "one", ROWS)
    assert version(tmp_path / "one") == 0
    (tmp_path / "one" / "_delta_log" / f"{0:020}.json").write_text("{")
    with pytest.raises(LakeError, match=r"table one: lake\.engine=delta-rs can't read its log"):
        version(tmp_path / "one")


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    paths = [str(tmp_path / str(number)) for number in range(KEPT + 1)]
    for path in paths:
        write_deltalake(path, ROWS)
    first, *_, last = [latest_table(path) for path in paths]
    assert latest_table(paths[-1]) is last
    assert latest_table(paths[0]) is not first
