"""A month's events in the kernel's order, whatever order and ties they come in."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.month_events import ORDER, in_order

COLUMNS = list(ORDER)
TYPES = {"kind": pl.UInt8, "track": pl.UInt32}


def drawn(seed: int, rows: int = 400) -> pl.DataFrame:
    """Events with many ties, of unknown kinds and tracks too."""
    dice = np.random.default_rng(seed)
    columns = {
        name: dice.integers(0, most, rows) for name, most in zip(COLUMNS, (5, 3, 9, 5, 4), strict=True)
    }
    events = pl.DataFrame(columns).with_columns(
        pl.when(pl.col("kind") != 2).then("kind"),
        pl.when(pl.col("track") != 0).then(pl.col("track") + 4_294_967_291),
    )
    return events.cast(TYPES)  # type: ignore[arg-type]  # Polars' type of a mapping of names


@pytest.mark.parametrize("by", [[], ["user_id", "at"], ["user_id", "session_id", "at"], COLUMNS])
@pytest.mark.parametrize("seed", range(3))
def test_events_are_in_order(by: list[str], seed: int) -> None:
    given = drawn(seed)
    given = given.sort(by, maintain_order=True) if by else given
    assert_frame_equal(in_order(given), given.sort(ORDER))


@pytest.mark.parametrize("name", ["user_id", "session_id"])
def test_nobodys_events_and_those_of_no_session_come_first(name: str) -> None:
    given = drawn(7).with_columns(pl.when(pl.col(name) != 1).then(name))
    assert_frame_equal(in_order(given), given.sort(ORDER))
    assert in_order(given.clear()).is_empty()
