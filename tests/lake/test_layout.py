"""Events in buckets of users, on every engine: recorded with the table, changed in one commit, upgraded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from pozytywka_spark.errors import LakeError
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.ingest import relayout
from pozytywka_spark.ingest.intake.lock import only_ingest
from pozytywka_spark.lake import layout
from pozytywka_spark.lake.api import Txn
from pozytywka_spark.schemas import EVENTS
from tests.lake.conftest import Bench
from tests.lake.made_layouts import content, events, home_of


@pytest.mark.parametrize(
    ("largest", "setting", "expected"),
    [
        (0, None, 1), (1, None, 1), (2_000_000, None, 1), (2_000_001, None, 2), (4_000_000, None, 2),
        (4_000_001, None, 4), (6_000_001, None, 4), (8_000_001, None, 8), (512_000_000, None, 256),
        (10**12, None, 256), (0, 7, 7), (10**12, 1, 1), (5, 1000, 1000),
    ],
)  # fmt: skip
def test_the_number_for_a_new_table(largest: int, setting: int | None, expected: int) -> None:
    assert layout.buckets_for(largest, setting) == expected


def test_the_number_is_recorded_with_the_table(bench: Bench) -> None:
    assert layout.buckets_of(bench.lake) == 1
    first = layout.recording(bench.lake, 3)
    assert first == Txn("user_buckets", 1_000_003)
    nothing = events().slice(0, 0)
    assert bench.lake.append(nothing, EVENTS, txn=first) == 0
    assert layout.buckets_of(bench.lake) == 3
    assert bench.lake.append(nothing, EVENTS, txn=first) is None
    bench.lake.append(events(), EVENTS, txn=Txn("sessions", 1))
    assert layout.buckets_of(bench.lake) == 3
    assert layout.recording(bench.lake, 1) == Txn("user_buckets", 2_000_001)
    for wrong in (0, 1001):
        with pytest.raises(LakeError, match="expected 1 to 1000"):
            layout.recording(bench.lake, wrong)


def test_rebucketing_keeps_every_row_in_one_commit(on_disk: Bench) -> None:
    settings = home_of(on_disk)
    with pytest.raises(LakeError, match="no table events yet"):
        relayout.rebucket(settings, on_disk.lake, 4)
    on_disk.lake.append(events(), EVENTS, txn=Txn("sessions", 1))
    before = content(on_disk.lake, "user_bucket")
    for number, version in ((4, 1), (1, 2)):
        found = relayout.rebucket(settings, on_disk.lake, number)
        assert (found.after, found.rows, on_disk.lake.version("events")) == (number, 200, version)
        assert content(on_disk.lake, "user_bucket") == before
        users = pl.DataFrame(on_disk.lake.rows("events", ["user_id", "user_bucket"]))
        assert (
            users["user_bucket"] == users.select(user_bucket(pl.col("user_id"), number)).to_series()
        ).all()
        assert layout.buckets_of(on_disk.lake) == number
        again = relayout.rebucket(settings, on_disk.lake, number)
        assert (again.before, again.rows, on_disk.lake.version("events")) == (number, 0, version)
    assert on_disk.lake.txn_version("events", "sessions") == 1, "what ingest has done stays known"
    with pytest.raises(LakeError, match="expected 1 to 1000"):
        relayout.rebucket(settings, on_disk.lake, 1001)


def test_no_layout_is_changed_while_an_ingest_runs(rs: Bench) -> None:
    rs.lake.append(events(), EVENTS)
    settings = home_of(rs, "ingest.wait_seconds=0")
    with only_ingest(rs.lake.root, settings.ingest):
        with pytest.raises(LakeError, match="another ingest is at work"):
            relayout.rebucket(settings, rs.lake, 2)
        with pytest.raises(LakeError, match="another ingest is at work"):
            relayout.upgrade(settings, rs.lake)
    assert rs.lake.version("events") == 0


def test_a_file_is_one_bucket_sorted_by_user_and_time(rs: Bench) -> None:
    shuffled = pl.DataFrame(events()).sample(fraction=1, shuffle=True, seed=3).to_arrow()
    rs.lake.append(shuffled, EVENTS)
    relayout.rebucket(home_of(rs), rs.lake, 4)
    files = rs.lake.files("events")
    assert len(files) == 8
    for file in files:
        frame = pl.read_parquet(Path(rs.lake.path("events"), file), hive_partitioning=False)
        rows = frame.select("user_id", "event_time").rows()
        assert rows == sorted(rows)
        assert "user_bucket=" in file


def test_compacted_files_are_sorted_too(rs: Bench) -> None:
    for rows in (events().slice(0, 100), events().slice(100)):
        rs.lake.append(rows, EVENTS)
    before = content(rs.lake)
    assert rs.lake.compact("events") is not None
    assert content(rs.lake) == before
    for file in rs.lake.files("events"):
        frame = pl.read_parquet(Path(rs.lake.path("events"), file), hive_partitioning=False)
        rows = frame.select("user_id", "event_time").rows()
        assert rows == sorted(rows)


def test_what_is_asked_for_and_what_would_be_better_is_told(
    rs: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert relayout.advice(home_of(rs, "lake.user_buckets=4"), rs.lake) is None
    rs.lake.append(events(), EVENTS)
    assert relayout.advice(home_of(rs), rs.lake) is None
    assert relayout.advice(home_of(rs, "lake.user_buckets=1"), rs.lake) is None
    assert relayout.advice(home_of(rs, "lake.user_buckets=4"), rs.lake) == (
        "events lie in 1 bucket of users, lake.user_buckets says 4: maintain --buckets 4 changes it"
    )
    monkeypatch.setattr(layout, "_ROWS", 30)
    assert relayout.advice(home_of(rs), rs.lake) == (
        "events lie in 1 bucket of users, and a month has 100 of them: "
        "maintain --buckets 4 makes what a task holds smaller"
    )
    relayout.rebucket(home_of(rs), rs.lake, 8)
    assert relayout.advice(home_of(rs), rs.lake) is None, "more than needed is nobody's trouble"


def test_other_engines_read_ids_of_16_bytes_and_instants(rs: Bench) -> None:
    rs.lake.append(events(), EVENTS)
    relayout.rebucket(home_of(rs), rs.lake, 3)
    expected = sorted(
        (bytes(row["event_id"]), row["event_time"].replace(tzinfo=UTC), row["user_bucket"])
        for row in rs.lake.read("events").collect()
    )
    path, wanted = rs.lake.path("events"), ["event_id", "event_time", "user_bucket"]
    scanned = pa.RecordBatchReader.from_stream(DeltaTable(path).scan()).read_all().select(wanted)
    assert pa.types.is_timestamp(scanned.schema.field("event_time").type)
    assert scanned.schema.field("event_time").type.tz == "UTC"
    frame = pl.read_delta(path).select(wanted)
    assert frame.schema == {
        "event_id": pl.Binary, "event_time": pl.Datetime("us", "UTC"), "user_bucket": pl.Int32
    }  # fmt: skip
    assert sorted(frame.rows()) == expected
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    files = DeltaTable(path).file_uris()
    source = f"read_parquet({files!r}, hive_partitioning = true, hive_types = {{'user_bucket': int}})"
    kinds = connection.execute(
        f"select any_value(typeof(event_id)), any_value(typeof(event_time)) from {source}"
    )
    assert kinds.fetchone() == ("BLOB", "TIMESTAMP WITH TIME ZONE")
    told = connection.execute(f"select event_id, epoch_us(event_time), user_bucket from {source}").fetchall()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert sorted((i, epoch + timedelta(microseconds=t), b) for i, t, b in told) == expected
    arrow = sorted(zip(*(scanned[name].to_pylist() for name in wanted), strict=True))
    assert [(i, t, b) for i, t, b in arrow] == expected
    assert {len(i) for i, _, _ in expected} == {16}
