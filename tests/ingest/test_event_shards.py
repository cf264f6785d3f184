"""Complete events put down by month and bucket, whatever order they come in."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.ingest.parcels import COMPLETE, COMPLETE_ROWS
from pozytywka_spark.ingest.validate.event_shards import stage_complete
from pozytywka_spark.ingest.validate.file_stats import month_of_event
from tests.in_memory import MemoryFiles
from tests.ingest.silver_rows import events

DAY = 86_400
JANUARY, FEBRUARY, MARCH = (date(2023, month, 1) for month in (1, 2, 3))


def staged(rows: pl.DataFrame, buckets: int) -> dict[tuple[str | int, ...], pl.DataFrame]:
    files = MemoryFiles()
    stage_complete(rows.with_columns(month_of_event()), buckets, files)
    assert len({parcel.key for parcel in files.parcels}) == len(files.parcels)  # one for each shard
    return files.staged(COMPLETE)


@pytest.mark.parametrize("days", [(-2, -1, 0, 27, 28, 30), (30, 0, -2, 28, 27, -1)])
def test_a_parcel_for_each_month(days: tuple[int, ...]) -> None:
    rows = events(*((day * DAY, "PLAY", 7, 70, f"t{day}") for day in days))
    found = {key: sorted(part["track_id"]) for key, part in staged(rows, 1).items()}
    assert found == {
        (str(JANUARY), 0): ["t-1", "t-2"],
        (str(FEBRUARY), 0): ["t0", "t27"],
        (str(MARCH), 0): ["t28", "t30"],
    }


def test_no_rows_no_parcel() -> None:
    assert staged(events().clear(), 1) == {}
    assert staged(events().clear(), 3) == {}


@pytest.mark.thorough
@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(0, 9))), st.booleans(), st.integers(1, 3))
def test_each_row_lies_once_where_it_belongs(
    rows: list[tuple[int, int]], ordered: bool, buckets: int
) -> None:
    rows = sorted(rows) if ordered else rows
    frame = events(*((day * DAY, "PLAY", user, 70, "t") for day, user in rows))
    found = staged(frame, buckets)
    for (month, bucket), part in found.items():
        assert part.schema == COMPLETE_ROWS
        told = part.select(month_of_event(), bucket=user_bucket(pl.col("user_id"), buckets))
        assert told.unique().rows() == [(date.fromisoformat(str(month)), bucket)]
    places = [place for part in found.values() for place in part["source_order"]]
    assert sorted(places) == list(range(len(rows)))
