"""What the watch over functions takes for a user's row, and what not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from scripts.docs.row_watch import Stage, Watch

EVENTS = pl.DataFrame({"user_id": [7, 8, 7], "at": [1, 2, 3]})
LINE = b'{"timestamp": "2022-01-01T00:00:00", "user_id": 7, "track_id": "a"}'


@pytest.fixture
def watch() -> Watch:
    """One that has seen the user in a frame of three rows."""
    watch = Watch(7)
    assert watch.holds(EVENTS)
    return watch


@pytest.mark.parametrize(
    "value",
    [
        EVENTS.to_arrow(),
        EVENTS.to_pandas(),
        [EVENTS],
        np.zeros(3),
        np.zeros((3, 115)),
        EVENTS.get_column("at"),
        pl.DataFrame({"row": [0, 0, 1]}),
        LINE,
        LINE.decode(),
        pa.array([LINE, b""]),
        pl.DataFrame({"raw": [LINE.decode(), ""]}),
    ],
)
def test_a_row_of_the_user_may_be_in_it(watch: Watch, value: object) -> None:
    assert watch.holds(value)


@pytest.mark.parametrize(
    "value",
    [
        EVENTS.filter(pl.col("user_id") == 8),
        EVENTS.clear(),
        pl.DataFrame({"user_id": [7, 8, 9], "favourite_genres": [["a"], [], []], "city": ["b", "b", "b"]}),
        pl.DataFrame({"track_id": ["a", "b"], "popularity": [1, 2]}),
        np.zeros(2),
        LINE.replace(b"7,", b"77,"),
        {"rows": 3},
    ],
)
def test_no_row_of_the_user_is_in_it(watch: Watch, value: object) -> None:
    assert not watch.holds(value)


def test_lengths_of_another_stage_say_nothing(watch: Watch) -> None:
    watch.stage = Stage()
    assert not watch.holds(np.zeros(3))
    watch.stage = Stage(any_length=True)
    assert watch.holds(np.zeros(4))
