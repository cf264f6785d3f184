"""A table read in pieces is the table, whatever its format and wherever it was cut."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from pozytywka_spark.errors import DataError
from pozytywka_spark.factory import table_inputs
from pozytywka_spark.factory.table_pieces import ReadPieces, common_kinds, kinds_of, pieces_of, typed
from tests.in_memory import MemoryTasks

ROWS = pl.DataFrame(
    {
        "case_id": ["007", "8", "nine", "10", "11"],
        "group": ["1", "1", "2", "2", "2"],
        "user_id": [1, 2, 3, 4, 5],
        "cut_off": [datetime(2024, 1, 1 + day) for day in range(5)],
        "verdict": ["bad", "ok", "ok", "unsure", "bad"],
        "words": ["plain", "two\nlines, and a comma", 'a "quoted"\nword', None, "łódź"],
        "first": [None, None, None, None, 1.5],
        "whole": [1, 2, 3, 4, None],
        "mixed": [1.0, 2.0, 3.0, 4.0, 0.25],
        "yes": [True, False, True, None, False],
    }
)
KINDS = {
    "user_id": "int", "verdict": "text", "words": "text", "first": "float", "whole": "int", "mixed": "float",
    "yes": "bool",
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 40, 100, 10_000])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_the_same_table_from_pieces_of_any_size(kind: str, size: int, tmp_path: Path) -> None:
    path = str(tmp_path / f"cases.{kind}")
    {"csv": ROWS.write_csv, "jsonl": ROWS.write_ndjson, "parquet": ROWS.write_parquet}[kind](path)
    pieces = list(pieces_of(path, size))
    kinds = common_kinds([kinds_of(piece, are_texts=kind == "csv") for piece in pieces])
    assert {name: kinds[name] for name in KINDS} == KINDS
    whole = pl.concat([typed(piece, kinds) for piece in pieces])
    assert whole.drop("cut_off").equals(ROWS.drop("cut_off"))
    assert len(pieces) > 1 or size > 100


def test_words_that_look_like_numbers_at_first_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("case_id,code\n" + "".join(f"c{n},0{n}\n" for n in range(9)) + "x,A1\n", encoding="utf-8")
    pieces = list(pieces_of(str(path), 30))
    kinds = common_kinds([kinds_of(piece, are_texts=True) for piece in pieces])
    found = pl.concat([typed(piece, kinds) for piece in pieces])
    assert kinds["code"] == "text"
    assert found["code"].to_list() == [*(f"0{n}" for n in range(9)), "A1"]


def test_a_case_that_stands_in_two_pieces_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_inputs, "ReadPieces", lambda: ReadPieces(60))
    path = str(tmp_path / "cases.csv")
    ROWS.write_csv(path)
    tasks = MemoryTasks()
    gathered = table_inputs.gather_file(tasks, path, group=None)
    assert [(group.name, group.cases) for group in gathered.groups] == [("1", 2), ("2", 3)]
    assert len(tasks.ran[1]) > 2
    pl.concat([ROWS, ROWS.head(1)]).write_csv(path)
    with pytest.raises(DataError, match="case_id 007 stands twice"):
        table_inputs.gather_file(MemoryTasks(), path, group=None)


def test_a_table_without_rows_has_columns_all_the_same(tmp_path: Path) -> None:
    for kind in ("csv", "parquet"):
        path = str(tmp_path / f"none.{kind}")
        (ROWS.clear().write_csv if kind == "csv" else ROWS.clear().write_parquet)(path)
        assert table_inputs.gather_file(MemoryTasks(), path, group=None).groups == ()
