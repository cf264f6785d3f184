"""Deliveries that come again, grow, overlap and go wrong; tables afterwards are what they should be."""

import gzip
import hashlib
import json
import os
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest import stage
from pozytywka_spark.ingest.validate.rules import judge, storage
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.layout import buckets_of
from tests.worlds.deliveries import START, at, contents, rows_in, sessions, users, write


def counts(report, entity="sessions"):
    (found,) = [e for e in report.entities if e.entity == entity]
    return found.read, found.kept, found.repaired, found.quarantined, found.duplicates, found.replayed


@pytest.fixture(autouse=True)
def _no_page(monkeypatch):
    """The checks of silver and their page have tests of their own, on real deliveries."""
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))


def test_a_delivery_that_comes_again_grows_and_overlaps(spark, settings, tmp_path) -> None:
    rows, raw = sessions(30), tmp_path / "raw"
    half, lake = rows[: len(rows) // 2], open_lake(settings, spark)
    file = write(raw / "sessions.jsonl", half)
    first = stage.ingest(spark, at(settings, raw), lake)
    assert counts(first) == (len(half), len(half), 0, 0, 0, 0)

    before = contents(lake, "ingest_counts")
    again = stage.ingest(spark, at(settings, raw), lake)
    assert again.ingest_id is None
    assert contents(lake, "ingest_counts") == before

    write(file, rows)  # grown in place: Spark's file source would never look again
    grown = stage.ingest(spark, at(settings, raw), lake)
    assert counts(grown) == (len(rows), len(rows) - len(half), 0, 0, len(half), 0)
    recorded = {row["event_month"] for row in rows_in(lake, "ingests", ingest_id=2)}
    assert sorted(recorded - {None}) == list(grown.months_touched)

    other, silver = tmp_path / "other name", contents(lake, "events")
    write(other / "sessions" / "part [1].jsonl", rows)  # renamed, as parts, with odd characters in the path
    with gzip.open(other / "sessions" / "part-2.jsonl.gz", "wb") as part:
        part.write(file.read_bytes())
    renamed = stage.ingest(spark, at(settings, other), lake)
    assert counts(renamed) == (2 * len(rows), 0, 0, 0, 2 * len(rows), 0)
    assert contents(lake, "events") == silver
    assert renamed.months_touched == ()
    assert len(silver) == len(rows)


def test_a_session_that_goes_on_in_a_later_delivery_is_completed(spark, settings, tmp_path) -> None:
    """What its beginning can't tell today, its continuation tells tomorrow, without a replay by hand."""
    play, *rest = sessions(10, seed=4)
    late = play | {"timestamp": (START - timedelta(days=60)).isoformat(), "session_id": 998}
    goes_on = late | {"timestamp": (START - timedelta(days=59)).isoformat(), "track_id": "x"}
    raw, lake = tmp_path / "raw", open_lake(settings, spark)
    write(raw / "sessions" / "1.jsonl", [late | {"user_id": None}, *rest])
    first = stage.ingest(spark, at(settings, raw), lake)
    assert counts(first)[3] == 1
    write(raw / "sessions" / "2.jsonl", [goes_on])
    second = stage.ingest(spark, at(settings, raw), lake)
    assert counts(second) == (1, 1, 0, 0, 0, 1)
    assert contents(lake, "quarantine") == []
    assert second.months_touched == (date(2022, 12, 1),)  # late events land in their month


def test_a_path_with_a_step_back_is_the_same_delivery(spark, settings, tmp_path) -> None:
    write(tmp_path / "raw" / "sessions.jsonl", sessions(2))
    (tmp_path / "beside").mkdir()
    lake = open_lake(settings, spark)
    first = stage.ingest(spark, at(settings, tmp_path / "beside" / ".." / "raw"), lake)
    assert first.entities[-1].kept == first.entities[-1].read > 0
    assert stage.ingest(spark, at(settings, tmp_path / "raw"), lake).ingest_id is None


def test_odd_files_of_one_delivery(spark, settings, tmp_path) -> None:
    rows, raw, lake = sessions(40, seed=5), tmp_path / "raw", open_lake(settings, spark)
    parts = [rows[i::5] for i in range(5)]
    folder = raw / "sessions.jsonl"  # a folder under a file's name
    crlf = write(folder / "crlf.jsonl", parts[0])
    crlf.write_bytes(crlf.read_bytes().replace(b"\n", b"\r\n"))
    bom = write(folder / "bom.jsonl", parts[1])
    bom.write_bytes(b"\xef\xbb\xbf" + bom.read_bytes() + b"\n   \n\n")
    last = write(folder / "no newline at the end.jsonl", parts[2])
    last.write_bytes(last.read_bytes().rstrip(b"\n"))
    (folder / "empty.jsonl").touch()
    with gzip.open(folder / "part.jsonl.gz", "wb") as part:
        part.write(write(tmp_path / "plain", parts[3]).read_bytes())
    bad = rows[0]
    odd = [
        b"\xff\xfe\x00not text",
        "x" * 13_000_000,
        '{"timestamp": "2023-01-30T00:00:00", "deep": ' + "[" * 2000 + "]" * 2000 + "}",
        '{"user_id": NaN}',
        bad | {"user_id": float("inf")},
        json.dumps(bad | {"user_id": 5}).replace('"user_id": 5', '"user_id": 1e400'),
        bad | {"timestamp": "2023-02-30T00:00:00"},
        bad | {"timestamp": "2023-01-30T25:61:00"},
        bad | {"event_type": "NAP"},
        bad | {"session_id": None},
        bad | {"new": "field"},
    ]
    write(folder / "odd.jsonl", parts[4] + odd)
    (raw / "README.txt").write_text("not a delivery's")
    report = stage.ingest(spark, at(settings, raw), lake)
    assert counts(report) == (len(rows) + len(odd), len(rows), 0, len(odd) - 1, 1, 0)
    assert report.ignored_files == (str(raw / "README.txt"),)
    assert report.missing == ("users", "artists", "tracks", "track_storage")
    assert Counter(row["reason"] for row in rows_in(lake, "quarantine")) == {
        "invalid_utf8": 1, "too_long": 1, "malformed": 3, "wrong_type": 1, "bad_timestamp": 2,
        "unknown_event_type": 1, "missing_session_id": 1,
    }  # fmt: skip
    (long,) = rows_in(lake, "quarantine", reason="too_long")
    assert (len(long["raw"]), long["source_file"]) == (13_000_000, str(folder / "odd.jsonl"))
    assert stage.ingest(spark, at(settings, raw), lake).ingest_id is None
    # Spark has the empty file in its book as read; that it has grown since must be noticed all the same
    write(folder / "empty.jsonl", sessions(1, seed=8, first=77))
    assert counts(stage.ingest(spark, at(settings, raw), lake))[1] == len(sessions(1, seed=8, first=77))


def test_a_file_that_breaks_off_is_named_and_nothing_of_it_stays(spark, settings, tmp_path) -> None:
    rows, raw, lake = sessions(400), tmp_path / "raw", open_lake(settings, spark)
    whole = gzip.compress(write(tmp_path / "plain", rows).read_bytes())
    raw.mkdir()
    file = raw / "sessions.jsonl.gz"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        DataError, match=r"sessions\.jsonl\.gz: the gzip stream ends early; deliver the file again"
    ):
        stage.ingest(spark, at(settings, raw), lake)
    assert contents(lake, "events") == contents(lake, "ingest_counts") == []
    file.write_bytes(whole)
    assert counts(stage.ingest(spark, at(settings, raw), lake))[:2] == (len(rows), len(rows))


def test_a_field_that_no_row_has_stops_by_name(spark, settings, tmp_path) -> None:
    rows, raw, lake = sessions(3), tmp_path / "raw", open_lake(settings, spark)
    write(raw / "sessions.jsonl", [{k: v for k, v in row.items() if k != "event_type"} for row in rows])
    with pytest.raises(DataError, match=r"sessions\.jsonl: no row has event_type; sessions need timestamp"):
        stage.ingest(spark, at(settings, raw), lake)
    assert contents(lake, "events") == []


def test_catalogue_rows_are_replaced_by_later_ones_and_rejected_ones_replayed(
    spark, settings, tmp_path, monkeypatch
) -> None:
    raw, lake = tmp_path / "raw", open_lake(settings, spark)
    ice = [{"track_id": f"t{n}", "storage_class": "ICE", "daily_cost": 0.5} for n in range(3)]
    write(raw / "users.jsonl", [*users(5), users(5)[0], users()[1] | {"city": "Opole", "id": -1}])
    write(raw / "track_storage.jsonl", [*ice[1:], ice[0] | {"storage_class": "SLOW"}])
    first = stage.ingest(spark, at(settings, raw, accept_bad_share=1), lake)
    assert counts(first, "users") == (7, 5, 0, 0, 2, 0)
    assert counts(first, "track_storage") == (3, 1, 0, 2, 0, 0)
    cities = {row["user_id"]: row["city"] for row in rows_in(lake, "users")}
    assert cities == {100: "Radom", 101: "Opole", 102: "Radom", 103: "Radom", 104: "Radom"}
    assert [row["rescued"] for row in rows_in(lake, "rescued")] == ['{"id":"***"}']

    later = tmp_path / "later"
    write(later / "users.jsonl", [users()[0] | {"premium_user": None}, users()[3], users()[6]])
    second = stage.ingest(spark, at(settings, later), lake)
    assert counts(second, "users") == (3, 2, 0, 0, 1, 0)
    assert {row["user_id"]: row["premium_user"] for row in rows_in(lake, "users")} == {
        100: None, 101: False, 102: True, 103: False, 104: True, 106: True,
    }  # fmt: skip

    assert stage.replay(settings, lake).ingest_id is None  # rules are what they were

    def lenient(*row):
        return storage.meaning(*row)._replace(broken=None)

    monkeypatch.setitem(judge.ENTITIES, "track_storage", replace(storage.RULES, meaning=lenient))
    replayed = stage.replay(settings, lake)
    assert counts(replayed, "track_storage") == (0, 0, 0, 0, 0, 2)
    assert contents(lake, "quarantine") == []
    assert sorted(r["track_id"] for r in rows_in(lake, "track_storage")) == ["t0", "t1", "t2"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda raw: None, "no such folder; give the folder of a delivery, which holds users.jsonl"),
        (lambda raw: raw.write_text("x"), "is a file; give the folder of a delivery"),
        (
            lambda raw: write(raw / "songs.jsonl", []),
            "holds no entity of a delivery, or only empty files; expected at least one of",
        ),
    ],
)
def test_a_folder_that_is_no_delivery(spark, settings, tmp_path, make, message) -> None:
    raw = tmp_path / "raw"
    make(raw)
    with pytest.raises(DataError, match=f"raw.path={raw}.*{message}"):
        stage.ingest(spark, at(settings, raw), open_lake(settings, spark))
    assert not os.path.exists(settings.lake.root)  # noqa: PTH110


def test_a_file_that_was_only_touched_is_not_read_again(spark, settings, tmp_path, monkeypatch) -> None:
    """Its bytes are known by their hash; one that grew, or holds other bytes, is read anew."""
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))
    rows, raw = sessions(6, seed=31), tmp_path / "raw"
    plain = write(raw / "sessions" / "1.jsonl", rows[:10])
    packed = raw / "sessions" / "2.jsonl.gz"
    packed.write_bytes(gzip.compress(write(tmp_path / "2", rows[10:]).read_bytes()))
    own = at(settings, raw)
    lake = open_lake(own, spark)
    assert stage.ingest(spark, own, lake).entities[-1].read == len(rows)
    hashes = {row["path"]: row["content_hash"] for row in lake.rows("ingest_files").to_pylist()}
    assert hashes[str(plain)] == by_blocks(plain.read_bytes())
    assert hashes[str(packed)] == by_blocks(packed.read_bytes())

    for file in (plain, packed):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    assert stage.ingest(spark, own, lake).ingest_id is None
    assert stage.ingest(spark, own, lake).ingest_id is None  # nor is it looked at again
    files = lake.rows("ingest_files").to_pylist()
    assert [row["rows"] for row in files].count(0) == 2
    assert sum(row["rows"] for row in files) == len(rows)

    other = plain.read_bytes().replace(b'"session_id": 1}', b'"session_id": 9}')
    plain.write_bytes(other)
    os.utime(plain, (1_700_000_001, 1_700_000_001))
    taken = stage.ingest(spark, own, lake).entities[-1]
    changed = other.count(b'"session_id": 9}')
    assert changed
    assert (taken.read, taken.kept, taken.duplicates) == (len(rows), changed, len(rows) - changed)


def by_blocks(data: bytes) -> str:
    """The hash of the hashes of a file's blocks of 4 MB; these files have one."""
    return hashlib.sha256(hashlib.sha256(data).hexdigest()[:32].encode()).hexdigest()[:32]


def test_a_new_lake_lies_in_as_many_buckets_as_the_setting_says(spark, settings, tmp_path) -> None:
    """Only once events come; the same rows as in one bucket, the same delivery again adds nothing."""
    rows, raw = [*sessions(30), *sessions(3, seed=4, first=50)[:5]], tmp_path / "raw"
    rows[7] = rows[7] | {"user_id": None}
    divided = at(settings, raw)
    divided = divided.model_copy(update={"lake": divided.lake.model_copy(update={"user_buckets": 4})})
    lake = open_lake(divided, spark)
    write(raw / "users.jsonl", users())
    stage.ingest(spark, divided, lake)
    assert not lake.exists("events")

    write(raw / "sessions.jsonl", rows)
    first = stage.ingest(spark, divided, lake)
    assert buckets_of(lake) == 4
    found = lake.rows("events").to_pylist()
    assert {row["user_bucket"] for row in found} == {0, 1, 2, 3}
    whole = at(settings, raw)
    whole = whole.model_copy(update={"lake": whole.lake.model_copy(update={"root": str(tmp_path / "whole")})})
    other = open_lake(whole, spark)
    assert counts(stage.ingest(spark, whole, other)) == counts(first)
    assert contents(lake, "events", "user_bucket") == contents(other, "events", "user_bucket")
    write(raw / "sessions" / "again.jsonl", rows)
    assert counts(stage.ingest(spark, divided, lake))[1] == 0
    assert len(lake.rows("events")) == len(found)
