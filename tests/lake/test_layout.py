"""Events in buckets of users, on every engine: recorded with the table, changed in one commit, upgraded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import LakeError
from pozytywka_spark.hashing import identity_spark
from pozytywka_spark.ingest import relayout
from pozytywka_spark.ingest.intake.lock import only_ingest
from pozytywka_spark.lake import layout
from pozytywka_spark.lake.api import Txn
from pozytywka_spark.lake.types import stored
from pozytywka_spark.schemas import EVENTS, INGEST_FILES, table
from tests.lake.conftest import Bench

# As the last release declared it; what stands in a lake of it, literally.
OLD = table(
    "events",
    "event_id string, event_time timestamp, event_type string, user_id bigint, session_id bigint, "
    "track_id string, repaired boolean, repair_reason string, event_month date",
    keys=["event_id"],
    partition_by=["event_month"],
)
OLD_FILES = table(
    "ingest_files",
    "stream string, batch bigint, ingest_id bigint, entity string, delivery string, generation int, "
    "path string, size bigint, modified timestamp, rows bigint",
    keys=["stream", "batch", "path"],
)
JANUARY, FEBRUARY = date(2023, 1, 1), date(2023, 2, 1)
_AT = datetime(2023, 1, 3, 5, 9, 55, tzinfo=UTC)
_LATER = datetime(2023, 2, 28, 23, 59, 59, 707_001, tzinfo=UTC)
OLD_ROWS = [
    ("4b322c16dcdcf1640eb723ceba07d9b2", _AT, "PLAY", 101, 7, "5vxyzABCDEF0123456789a", False, None, JANUARY),
    (
        "7c2d65a4b6bb5811f8c8dde70320a28f",
        _AT,
        "SKIP",
        101,
        7,
        "5vxyzABCDEF0123456789a",
        True,
        "user",
        JANUARY,
    ),
    ("00112233445566778899aabbccddeeff", _AT, "PLAY", 2, 8, "ż", False, None, JANUARY),
    ("ffeeddccbbaa99887766554433221100", _LATER, "BUY_PREMIUM", 1, 9, None, False, None, FEBRUARY),
]
# user_id % 2147483647 * 1812433253 % 2147483647 % 3 is 0 for 101, 0 for 2 and 2 for 1
NEW_ROWS_OF_THREE = [
    (bytearray.fromhex(row[0]), *row[1:], bucket) for row, bucket in zip(OLD_ROWS, (0, 0, 0, 2), strict=True)
]


def home_of(bench: Bench, *overrides: str) -> Settings:
    """Settings that name the bench's lake."""
    engine = "delta-rs" if bench.engine.startswith("delta-rs") else "delta-spark"
    return load_settings(
        "local",
        [f"lake.root={bench.lake.root}", f"lake.engine={engine}", "ingest.assume_alone=true", *overrides],
    )


def write_old(bench: Bench) -> None:
    bench.lake.append(bench.spark.createDataFrame(OLD_ROWS, OLD.schema), OLD, txn=Txn("sessions-1-0", 4))
    files = [("sessions-1-0", 4, 1, "sessions", "/raw", 0, "/raw/sessions.jsonl", 10, _AT, 4)]
    bench.lake.append(bench.spark.createDataFrame(files, OLD_FILES.schema), OLD_FILES)


def events(bench: Bench, users: int = 40, each: int = 5) -> DataFrame:
    """Events of two months, all in bucket 0."""
    rows = [
        (place, [_AT, _LATER][place % 2] + timedelta(microseconds=place * 977), place % users, place // each)
        for place in range(users * each)
    ]
    ddl = "place bigint, event_time timestamp, user_id bigint, session_id bigint"
    made = bench.frame(rows, ddl).withColumns(
        {
            "event_type": F.lit("PLAY"),
            "track_id": F.when(F.col("place") % 7 > 0, F.concat(F.lit("t"), F.col("place").cast("string"))),
            "repaired": F.lit(False),
            "repair_reason": F.lit(None).cast("string"),
            "event_month": schemas.month_of(F.col("event_time")),
            "user_bucket": F.lit(0),
        }
    )
    return EVENTS.conform(made.withColumn("event_id", identity_spark.event_id()))


def content(lake: Any, *without: str) -> list[tuple[Any, ...]]:
    return told(lake.read("events").drop(*without).collect())


def told(rows: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Rows in one order, bytes and instants as they compare; collected times are UTC without saying so."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC)
        return bytes(value) if isinstance(value, bytearray) else value

    return sorted((tuple(map(plain, row)) for row in rows), key=repr)


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
    nothing = bench.spark.createDataFrame([], EVENTS.schema)
    assert bench.lake.append(nothing, EVENTS, txn=first) == 0
    assert layout.buckets_of(bench.lake) == 3
    assert bench.lake.append(nothing, EVENTS, txn=first) is None
    bench.lake.append(events(bench), EVENTS, txn=Txn("sessions", 1))
    assert layout.buckets_of(bench.lake) == 3
    assert layout.recording(bench.lake, 1) == Txn("user_buckets", 2_000_001)
    for wrong in (0, 1001):
        with pytest.raises(LakeError, match="expected 1 to 1000"):
            layout.recording(bench.lake, wrong)


def test_rebucketing_keeps_every_row_in_one_commit(bench: Bench) -> None:
    settings = home_of(bench)
    with pytest.raises(LakeError, match="no table events yet"):
        relayout.rebucket(settings, bench.lake, 4)
    bench.lake.append(events(bench), EVENTS, txn=Txn("sessions", 1))
    before = content(bench.lake, "user_bucket")
    for number, version in ((4, 1), (1, 2)):
        found = relayout.rebucket(settings, bench.lake, number)
        assert (found.after, found.rows, bench.lake.version("events")) == (number, 200, version)
        assert content(bench.lake, "user_bucket") == before
        wrong = F.col("user_bucket") != identity_spark.user_bucket(number)
        assert bench.lake.read("events").where(wrong).count() == 0
        assert layout.buckets_of(bench.lake) == number
        again = relayout.rebucket(settings, bench.lake, number)
        assert (again.before, again.rows, bench.lake.version("events")) == (number, 0, version)
    assert bench.lake.txn_version("events", "sessions") == 1, "what ingest has done stays known"
    with pytest.raises(LakeError, match="expected 1 to 1000"):
        relayout.rebucket(settings, bench.lake, 1001)


def test_a_lake_of_the_last_release_is_upgraded_in_place(bench: Bench) -> None:
    write_old(bench)
    settings = home_of(bench, "lake.user_buckets=3")
    with pytest.raises(LakeError, match="maintain --upgrade") as refused:
        layout.check_layout(bench.lake)
    assert "\n" not in str(refused.value)
    done = relayout.upgrade(settings, bench.lake)
    assert done == [
        "ingest_files: the column content_hash was added",
        "events: 4 rows rewritten, ids as 16 bytes, users in 3 buckets",
    ]
    layout.check_layout(bench.lake)
    assert bench.lake.schema("events") == stored(EVENTS.schema)
    assert content(bench.lake) == told(NEW_ROWS_OF_THREE)
    assert bench.lake.read("ingest_files").columns == list(INGEST_FILES.columns)
    assert [row["content_hash"] for row in bench.lake.read("ingest_files").collect()] == [None]
    versions = [bench.lake.version(name) for name in ("events", "ingest_files")]
    assert relayout.upgrade(settings, bench.lake) == []
    assert [bench.lake.version(name) for name in ("events", "ingest_files")] == versions
    # what follows fits the new layout, and what ingest did before stays done
    bench.lake.append(events(bench), EVENTS)
    assert bench.lake.read("events").count() == 204
    assert layout.buckets_of(bench.lake) == 3
    assert bench.lake.txn_version("events", "sessions-1-0") == 4


def test_an_upgrade_cut_short_is_gone_on_with(rs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    write_old(rs)
    settings = home_of(rs)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rs.lake, "overwrite", killed)
    with pytest.raises(KeyboardInterrupt):
        relayout.upgrade(settings, rs.lake)
    monkeypatch.undo()
    assert layout.is_older(rs.lake)
    assert content(rs.lake) == told(OLD_ROWS)
    assert relayout.upgrade(settings, rs.lake) == [
        "events: 4 rows rewritten, ids as 16 bytes, users in 1 bucket"
    ]


def test_ids_that_the_last_release_did_not_write_are_refused(rs: Bench) -> None:
    odd = rs.spark.createDataFrame([("e00001", *OLD_ROWS[0][1:]), *OLD_ROWS[1:]], OLD.schema)
    rs.lake.append(odd, OLD)
    with pytest.raises(LakeError, match="1 event ids aren't 32 hex digits"):
        relayout.upgrade(home_of(rs), rs.lake)
    assert rs.lake.version("events") == 0


def test_rows_that_changed_on_their_way_are_not_committed(rs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    rs.lake.append(events(rs), EVENTS)
    lost = rs.lake.read("events").where("user_id <> 7").drop("user_bucket")
    for wrong in (
        lost,
        rs.lake.read("events").withColumn("session_id", F.col("session_id") + 1).drop("user_bucket"),
        rs.lake.read("events").withColumn("event_id", F.reverse("event_id").cast("binary")),
    ):
        monkeypatch.setattr(type(wrong), "withColumn", lambda *_, wrong=wrong: wrong)
        with pytest.raises(LakeError, match="aren't the 200 that are there"):
            relayout.rebucket(home_of(rs), rs.lake, 2)
        monkeypatch.undo()
    assert rs.lake.version("events") == 0


def test_no_layout_is_changed_while_an_ingest_runs(rs: Bench) -> None:
    rs.lake.append(events(rs), EVENTS)
    settings = home_of(rs, "ingest.wait_seconds=0")
    with only_ingest(rs.lake.root, settings.ingest):
        with pytest.raises(LakeError, match="another ingest is at work"):
            relayout.rebucket(settings, rs.lake, 2)
        with pytest.raises(LakeError, match="another ingest is at work"):
            relayout.upgrade(settings, rs.lake)
    assert rs.lake.version("events") == 0


def test_a_file_is_one_bucket_sorted_by_user_and_time(rs: Bench) -> None:
    rs.lake.append(events(rs).orderBy(F.rand(3)), EVENTS)
    relayout.rebucket(home_of(rs), rs.lake, 4)
    files = rs.lake.files("events")
    assert len(files) == 8
    for file in files:
        frame = pl.read_parquet(Path(rs.lake.path("events"), file), hive_partitioning=False)
        rows = frame.select("user_id", "event_time").rows()
        assert rows == sorted(rows)
        assert "user_bucket=" in file


def test_compacted_files_are_sorted_too(rs: Bench) -> None:
    half = events(rs).count() // 2
    for rows in (events(rs).limit(half), events(rs).subtract(events(rs).limit(half))):
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
    rs.lake.append(events(rs), EVENTS)
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
    rs.lake.append(events(rs), EVENTS)
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
