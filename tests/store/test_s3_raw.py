"""Deliveries on an object store: the book of files done, an ingest."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.doctor import stores
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.intake import ingest_log, reader
from pozytywka_spark.ingest.stage import ingest
from pozytywka_spark.lake import Lake, open_lake

if TYPE_CHECKING:
    from tests.s3_server import S3Server


def put(server: S3Server, address: str, data: bytes) -> None:
    # by default Arrow compresses what goes into a name with .gz
    with server.files.open_output_stream(address.removeprefix("s3://"), compression=None) as target:
        target.write(data)


def as_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def plays(*tracks: str, session: int = 1) -> list[dict[str, Any]]:
    return [
        {"timestamp": f"2023-01-03T05:{10 + 3 * n}:00", "user_id": session, "track_id": track,
         "event_type": "PLAY", "session_id": session}
        for n, track in enumerate(tracks)
    ]  # fmt: skip


@pytest.fixture
def settings(s3_server: S3Server, tmp_path: Path) -> Settings:
    """Raw files and lake both on the store."""
    places = [f"raw.path={s3_server.folder()}", f"lake.root={s3_server.folder()}", "ingest.assume_alone=true"]
    return load_settings("local", [f"home={tmp_path}", *places, *s3_server.overrides])


def events(lake: Lake) -> list[tuple[Any, ...]]:
    rows = lake.rows("events", ["session_id", "track_id", "event_time"]).to_pylist()
    return sorted((row["session_id"], row["track_id"], row["event_time"].minute) for row in rows)


def test_a_delivery_is_taken_in_once_and_its_next_file_too(
    spark: SparkSession, settings: Settings, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain parts (read in splits), a compressed one, a bad line, a hidden file; then a file more."""
    raw = settings.raw_path
    monkeypatch.setattr(reader, "SPLIT_BYTES", 200)
    put(s3_server, f"{raw}/sessions/part-0.jsonl", as_lines(plays("a", "b", "c", "d", "e")))
    put(
        s3_server,
        f"{raw}/sessions/part 1%.jsonl.gz",
        gzip.compress(as_lines(plays("f", session=2)) + b"\xff{\n"),
    )
    put(s3_server, f"{raw}/sessions/_SUCCESS", b"x")
    put(s3_server, f"{raw}/tracks.jsonl", b"")
    lake = open_lake(settings, spark)
    first = ingest(spark, settings, lake)
    taken = next(entity for entity in first.entities if entity.entity == "sessions")
    assert (taken.read, taken.kept, taken.quarantined) == (7, 6, 1)
    once = events(lake)
    assert once == [(1, track, 10 + 3 * n) for n, track in enumerate("abcde")] + [(2, "f", 10)]
    refused = lake.rows("quarantine", ["source_file"])["source_file"].to_pylist()
    assert refused == [f"{raw}/sessions/part 1%.jsonl.gz"]

    version = lake.version("events")
    assert ingest(spark, settings, lake).ingest_id is None
    assert lake.version("events") == version
    put(s3_server, f"{raw}/sessions/part-2.jsonl", as_lines(plays("g", session=3)))
    assert ingest(spark, settings, lake).ingest_id == 2
    assert events(lake) == [*once, (3, "g", 10)]
    assert [found.state for found in stores.raw_files(settings, spark)] == ["warning"]  # entities are missing


def test_an_attempt_cut_short_is_made_again_with_the_same_files(
    spark: SparkSession, settings: Settings, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after its events were written, before its files were put down as read; meanwhile a file came."""
    raw, lake = settings.raw_path, open_lake(settings, spark)
    put(s3_server, f"{raw}/sessions/0.jsonl", as_lines(plays("a", "b")))
    real = ingest_log.record_files

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ingest_log, "record_files", die)
    with pytest.raises(KeyboardInterrupt):
        ingest(spark, settings, lake)
    monkeypatch.setattr(ingest_log, "record_files", real)
    put(s3_server, f"{raw}/sessions/1.jsonl", as_lines(plays("c", session=2)))
    done = ingest(spark, settings, lake)
    taken = next(entity for entity in done.entities if entity.entity == "sessions")
    assert (taken.read, taken.kept, taken.duplicates) == (3, 3, 0)
    assert events(lake) == [(1, "a", 10), (1, "b", 13), (2, "c", 10)]


def test_what_can_not_be_read_is_named(spark: SparkSession, settings: Settings, s3_server: S3Server) -> None:
    lake = open_lake(settings, spark)
    with pytest.raises(DataError, match=r"raw\.path=s3://.*no such folder|holds no entity"):
        ingest(spark, settings, lake)
    whole = gzip.compress(as_lines(plays(*"abcdefgh")))
    put(s3_server, f"{settings.raw_path}/sessions.jsonl.gz", whole[: len(whole) // 2])
    with pytest.raises(
        DataError, match=r"sessions\.jsonl\.gz: the gzip stream ends early; deliver the file again"
    ):
        ingest(spark, settings, lake)
    assert not lake.exists("events")
