"""What pass two counts of the events that it writes: what a look that reads them sees, or nothing holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.ingest.quality import key_parcels
from pozytywka_spark.ingest.quality.profile import Silver, profile_silver
from pozytywka_spark.ingest.resolve.event_counts import CountedFiles
from pozytywka_spark.lake.shards import Shard
from tests.ingest.memory_ingest import MemoryIngest
from tests.worlds.quality_worlds import silver_frame

BEGIN = datetime(2023, 1, 30, tzinfo=UTC)
USERS = silver_frame("users", [(1, "x", None, True), (2, "x", None, False), (9, "x", None, None)])


def row(hours: int, kind: str, user: int | None, session: int, track: str = "t1") -> dict[str, Any]:
    with_track = kind in ("PLAY", "SKIP", "LIKE")
    time = (BEGIN + timedelta(hours=hours)).isoformat().removesuffix("+00:00")
    return {"timestamp": time, "user_id": user, "track_id": track if with_track else "",
            "event_type": kind, "session_id": session}  # fmt: skip


def seen(lake: MemoryIngest, counted: CountedFiles | None = None) -> tuple[Silver, list[str]]:
    """What a look at the lake sees, and the names of the shards of events that it reads."""
    users = [Shard("users", {}, (lake.tasks.files.put_file(USERS, {}),))]
    before = len(lake.tasks.ran)
    silver = profile_silver(lake.tasks, {"users": users, "events": lake.event_shards()}, counted=counted)
    return silver, [name for name in lake.tasks.ran[before] if name != "users"]


JANUARY = [row(0, "PLAY", 1, 10), row(1, "LIKE", 1, 10), row(2, "BUY_PREMIUM", 1, 10),
           row(3, "ADVERTISEMENT", 1, 10), row(4, "PLAY", 2, 11, "t2")]  # fmt: skip
FEBRUARY = [row(100, "LIKE", 1, 12), row(101, "ADVERTISEMENT", 1, 12), row(102, "PLAY", 7, 13)]


def test_what_was_counted_is_not_read_again() -> None:
    lake = MemoryIngest(buckets=2)
    counted = lake.resolve(JANUARY, FEBRUARY).counted
    assert counted is not None
    whole, read = seen(lake)
    assert len(read) == 3  # two months, two buckets, but January's users are all of one
    assert seen(lake, counted) == (whole, [])
    found = {(f.entity, f.check): (f.rows, f.total) for f in whole.findings}
    assert found["events", "like repeated"] == (1, 1)
    assert found["events", "advert after the purchase"] == (2, 2)
    assert found["events", "user unknown"] == (1, 8)


def test_other_months_are_read_beside_what_was_counted() -> None:
    lake = MemoryIngest()
    lake.resolve(JANUARY)
    counted = lake.resolve(FEBRUARY).counted
    assert seen(lake, counted) == (seen(lake)[0], ["events, event_month 2023-01-01, user_bucket 0"])


def test_a_shard_of_which_the_table_held_something_is_not_counted() -> None:
    lake = MemoryIngest()
    lake.resolve(JANUARY[:3])
    counted = lake.resolve([*JANUARY[3:], *FEBRUARY]).counted
    assert counted is not None
    assert len(counted.paths) == 1
    assert seen(lake, counted) == (seen(lake)[0], ["events, event_month 2023-01-01, user_bucket 0"])
    assert lake.resolve(JANUARY, FEBRUARY).counted is None


def test_nothing_that_was_counted_holds_once_its_shard_has_other_files() -> None:
    lake = MemoryIngest()
    counted = lake.resolve(JANUARY[:3], FEBRUARY).counted
    assert counted is not None
    lake.resolve(JANUARY)
    assert counted.left_of(lake.event_shards()) is None
    assert seen(lake, counted) == seen(lake)
    assert counted.left_of([]) is None  # files that are gone


def test_nor_where_keys_lie_in_fewer_slices_than_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    lake = MemoryIngest()
    counted = lake.resolve(JANUARY).counted
    monkeypatch.setattr(key_parcels, "SLICE_ROWS", 2)
    assert seen(lake, counted) == seen(lake)
    assert counted is not None
    wider = replace(counted, slices=3)  # as many as five rows need: what is told of slices is believed
    assert seen(lake, wider)[1] == []


def test_a_replay_counts_nothing() -> None:
    """Its rows come to shards that are there, or leave after the last batch."""
    lake = MemoryIngest()
    assert lake.resolve([row(0, "PLAY", None, 10), row(1, "PLAY", 1, 11)]).counted is not None
    before = len(lake.tasks.files.parcels)
    lake.replay()
    kinds = {parcel.kind for parcel in lake.tasks.files.parcels[before:]}
    assert not kinds & {key_parcels.USER_EVENTS, key_parcels.LIKES}


_ROW = st.builds(
    row,
    st.sampled_from([0, 1, 2, 20, 40, 50, 51, 700, 800]),
    st.sampled_from(["PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"]),
    st.sampled_from([1, 1, 2, 3, 4, None]),
    st.integers(0, 4),
    st.sampled_from(["t1", "t2"]),
)


@pytest.mark.thorough
@settings(max_examples=8)
@given(st.lists(st.lists(_ROW, max_size=12), min_size=1, max_size=3), st.integers(1, 3), st.integers(1, 30))
def test_whatever_came_when_a_look_sees_the_same(
    batches: list[list[dict[str, Any]]], buckets: int, slice_rows: int
) -> None:
    """Also with what earlier batches counted, which may hold no longer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_parcels, "SLICE_ROWS", slice_rows)
        lake, counted = MemoryIngest(buckets=buckets), []
        for batch in batches:
            counted.append(lake.resolve(batch).counted)
            whole, read = seen(lake)
            for one in counted:
                silver, left = seen(lake, one)
                assert silver == whole
                assert set(left) <= set(read)
