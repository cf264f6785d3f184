"""Files read before their entity's turn: the same tables, the same order of commits, the same refusals."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest import stage
from pozytywka_spark.ingest.file_log import Book
from pozytywka_spark.ingest.intake.reader import Surveyed
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.storage.listed_file import ListedFile
from tests.worlds.deliveries import Row, at, contents, sessions, users, write

TABLES = ("events", "users", "quarantine", "ingest_counts", "ingest_files")
AHEAD = "read ahead"


@pytest.fixture(autouse=True)
def _no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))


@pytest.fixture
def surveyed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Entities in the order in which their files are looked at, and whether it was ahead of their turn."""
    seen: list[tuple[str, bool]] = []
    survey = Book._surveyed

    def watched(book: Book, files: Sequence[ListedFile], *, refuse: bool) -> list[Surveyed]:
        seen.append((book.source.contract.entity, threading.current_thread().name.startswith(AHEAD)))
        return survey(book, files, refuse=refuse)

    monkeypatch.setattr(Book, "_surveyed", watched)
    return seen


def delivered(raw: Path) -> Path:
    odd: Row = {"timestamp": "2023-02-30T00:00:00", "user_id": 100, "track_id": "t1", "event_type": "PLAY"}
    write(raw / "users.jsonl", [*users(), "not JSON"])
    write(raw / "sessions" / "1.jsonl", sessions(20))
    write(raw / "sessions" / "2.jsonl", [*sessions(20, seed=2, first=21), odd | {"session_id": 9}])
    return raw


def ingested(spark: SparkSession, settings: Settings, raw: Path, name: str, **chosen: int) -> Lake:
    lake_settings = settings.lake.model_copy(update={"root": str(raw.parent / name)})
    there = at(settings.model_copy(update={"lake": lake_settings}), raw, **chosen)
    lake = open_lake(there, spark)
    stage.ingest(spark, there, lake)
    return lake


def read_ahead_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "INLINE_BYTES", -1)


def test_what_is_read_ahead_becomes_the_same_tables(
    spark: SparkSession,
    settings: Settings,
    tmp_path: Path,
    surveyed: list[tuple[str, bool]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = delivered(tmp_path / "raw")
    in_turn = ingested(spark, settings, raw, "in-turn")
    assert surveyed == [("users", False), ("sessions", False)]
    surveyed.clear()
    read_ahead_always(monkeypatch)
    ahead = ingested(spark, settings, raw, "ahead")
    assert sorted(surveyed) == [("sessions", True), ("users", True)]
    for table in TABLES:
        assert contents(ahead, table, "started_at") == contents(in_turn, table, "started_at"), table
    assert len(contents(ahead, "quarantine")) == 2


def test_only_the_first_batch_is_read_ahead_and_none_that_has_begun_or_changed(
    spark: SparkSession,
    settings: Settings,
    tmp_path: Path,
    surveyed: list[tuple[str, bool]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = delivered(tmp_path / "raw")
    read_ahead_always(monkeypatch)
    by_two = ingested(spark, settings, raw, "one-by-one", max_files_per_batch=1)
    together = ingested(spark, settings, raw, "together")
    assert contents(by_two, "events") == contents(together, "events")
    surveyed.clear()
    write(
        raw / "sessions" / "2.jsonl", sessions(22, seed=2, first=21)
    )  # grown in place: read anew in its turn
    write(raw / "sessions" / "3.jsonl", sessions(5, seed=3, first=60))
    lake = ingested(spark, settings, raw, "together")
    assert set(surveyed) == {("sessions", False)}
    surveyed.clear()
    write(raw / "sessions" / "4.jsonl", sessions(5, seed=4, first=70))
    monkeypatch.setattr(Book, "is_unfinished", lambda _: True)
    ingested(spark, settings, raw, "together")
    assert set(surveyed) == {("sessions", False)}
    assert len(contents(lake, "events")) == sum(
        len(rows) for rows in (
            sessions(20), sessions(22, seed=2, first=21), sessions(5, seed=3, first=60),
            sessions(5, seed=4, first=70),
        )
    )  # fmt: skip


def test_a_file_that_is_refused_ahead_is_refused_in_the_same_words_and_hinders_no_other(
    spark: SparkSession, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = delivered(tmp_path / "raw")
    (raw / "users.jsonl").write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 40)
    with pytest.raises(DataError) as in_turn:
        ingested(spark, settings, raw, "in-turn")
    read_ahead_always(monkeypatch)
    with pytest.raises(DataError) as ahead:
        ingested(spark, settings, raw, "ahead")
    assert str(ahead.value) == str(in_turn.value)
    assert "users" in str(ahead.value)
    found = open_lake(
        settings.model_copy(
            update={"lake": settings.lake.model_copy(update={"root": str(tmp_path / "ahead")})}
        ),
        spark,
    )
    assert len(contents(found, "events")) == len(sessions(20)) + len(sessions(20, seed=2, first=21))
