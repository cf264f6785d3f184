"""Sums over groups and languages in a grid, as grouping has them, however many rows a piece of it has."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.features.build import group_levels
from pozytywka_spark.features.build.lookups import NONE

COUNT = 4
ROWS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(NONE, COUNT - 1), st.integers(1, 9)), max_size=60
).map(sorted)


@pytest.mark.parametrize("cells", [1, 23, 2_000_000])
@given(rows=ROWS)
def test_sums_are_those_of_grouping(cells: int, rows: list[tuple[int, int, int]]) -> None:
    frame = pl.DataFrame(rows, {"row": pl.Int64, "code": pl.Int64, "plays": pl.Int64}, orient="row")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(group_levels, "_CELLS", cells)
        made = group_levels.summed(frame, frame.get_column("code").to_numpy(), COUNT)
    wanted = frame.filter(pl.col("code") != NONE).group_by("row", "code").agg(pl.col("plays").sum())
    assert list(zip(*(part.tolist() for part in made), strict=True)) == wanted.sort("row", "code").rows()


def test_no_group_at_all_is_no_row() -> None:
    frame = pl.DataFrame({"row": [0, 1], "plays": [3, 4]})
    assert [part.tolist() for part in group_levels.summed(frame, frame["row"].to_numpy() * 0 + NONE, 0)] == [
        [], [], []
    ]  # fmt: skip
