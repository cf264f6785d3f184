"""Digests of a lake tell what differs, and nothing else."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.digests import digests

ROWS = pl.DataFrame(
    {"k": [1, 2, 2], "v": ["a", None, None], "many": [[1, 2], None, []], "at": [1.5, 2.5, 2.5]}
)


def digest_of(folder: Path, rows: pl.DataFrame, *without: str) -> tuple[int, int]:
    rows.write_delta(str(folder / "plain"))
    return digests(folder, without)["plain"]


def test_neither_the_order_of_rows_nor_of_columns_matters(tmp_path: Path) -> None:
    other = ROWS.select(reversed(ROWS.columns)).reverse()
    assert digest_of(tmp_path / "a", ROWS) == digest_of(tmp_path / "b", other)
    changed = ROWS.with_columns(at=pl.lit(0.0))
    assert digest_of(tmp_path / "c", ROWS, "at") == digest_of(tmp_path / "d", changed, "at")


@pytest.mark.parametrize(
    "other",
    [
        ROWS.with_columns(v=pl.Series(["a", "", None])),
        ROWS.with_columns(many=pl.Series([[2, 1], None, []])),
        ROWS[[0, 0, 1]],
        ROWS[[0, 1]],
        ROWS.rename({"at": "since"}).with_columns(at=pl.lit(1)),
    ],
)
def test_every_cell_and_how_often_a_row_is_there_matters(tmp_path: Path, other: pl.DataFrame) -> None:
    assert digest_of(tmp_path / "a", ROWS) != digest_of(tmp_path / "b", other)
