"""A lake of the last release is brought to today's layout in place."""

from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import functions as F

from pozytywka_spark.errors import LakeError
from pozytywka_spark.ingest import relayout
from pozytywka_spark.lake import layout
from pozytywka_spark.lake.api import Txn
from pozytywka_spark.lake.types import stored
from pozytywka_spark.schemas import EVENTS, INGEST_FILES, table
from tests.lake.conftest import Bench, as_rows
from tests.lake.made_layouts import AT, LATER, content, events, home_of, told

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
OLD_ROWS = [
    ("4b322c16dcdcf1640eb723ceba07d9b2", AT, "PLAY", 101, 7, "5vxyzABCDEF0123456789a", False, None, JANUARY),
    (
        "7c2d65a4b6bb5811f8c8dde70320a28f",
        AT,
        "SKIP",
        101,
        7,
        "5vxyzABCDEF0123456789a",
        True,
        "user",
        JANUARY,
    ),
    ("00112233445566778899aabbccddeeff", AT, "PLAY", 2, 8, "ż", False, None, JANUARY),
    ("ffeeddccbbaa99887766554433221100", LATER, "BUY_PREMIUM", 1, 9, None, False, None, FEBRUARY),
]
# user_id % 2147483647 * 1812433253 % 2147483647 % 3 is 0 for 101, 0 for 2 and 2 for 1
NEW_ROWS_OF_THREE = [
    (bytes.fromhex(row[0]), *row[1:], bucket) for row, bucket in zip(OLD_ROWS, (0, 0, 0, 2), strict=True)
]


def write_old(bench: Bench) -> None:
    bench.lake.append(as_rows(OLD_ROWS, OLD.schema), OLD, txn=Txn("sessions-1-0", 4))
    files = [("sessions-1-0", 4, 1, "sessions", "/raw", 0, "/raw/sessions.jsonl", 10, AT, 4)]
    bench.lake.append(as_rows(files, OLD_FILES.schema), OLD_FILES)


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
    files = bench.lake.rows("ingest_files")
    assert files.column_names == list(INGEST_FILES.columns)
    assert files["content_hash"].to_pylist() == [None]
    versions = [bench.lake.version(name) for name in ("events", "ingest_files")]
    assert relayout.upgrade(settings, bench.lake) == []
    assert [bench.lake.version(name) for name in ("events", "ingest_files")] == versions
    # what follows fits the new layout, and what ingest did before stays done
    bench.lake.append(events(), EVENTS)
    assert bench.lake.rows("events", ["user_id"]).num_rows == 204
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
    odd = [("e00001", *OLD_ROWS[0][1:]), *OLD_ROWS[1:]]
    rs.lake.append(as_rows(odd, OLD.schema), OLD)
    with pytest.raises(LakeError, match="1 event ids aren't 32 hex digits"):
        relayout.upgrade(home_of(rs), rs.lake)
    assert rs.lake.version("events") == 0


def test_rows_that_changed_on_their_way_are_not_committed(rs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    rs.lake.append(events(), EVENTS)
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
