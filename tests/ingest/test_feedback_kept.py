"""Texts that come again, are deleted in time, tried again, or cut short as they are written."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest import relayout
from pozytywka_spark.ingest.masking.retention import tidy_texts
from pozytywka_spark.ingest.stage import EntityReport, ingest, replay
from pozytywka_spark.ingest.trial import check_delivery
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.tracking import retention
from tests.breaking_lake import OF_INGEST, CopiedLake
from tests.ingest.made_feedback import BAD, broken, report_of, texts_in
from tests.worlds.deliveries import at, contents, rows_in, sessions, users, write
from tests.worlds.planted import PLANTED, planted_below, texts

pytestmark = pytest.mark.usefixtures("salt_in_a_file")
NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.usefixtures("no_page")
def test_again_late_corrected_and_grown(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake
) -> None:
    first, again, more = (tmp_path / name for name in ("first", "again", "more"))
    write(first / "users.jsonl", users())
    write(first / "feedback.jsonl", texts(30, first=28))
    ingest(spark, at(settings, first), lake)
    before = contents(lake, "feedback")
    shutil.copytree(first, again)
    assert report_of(ingest(spark, at(settings, again), lake)) == EntityReport("feedback", 30, 0, 0, 0, 30, 0)
    assert contents(lake, "feedback") == before
    # a person has labelled two of them since; three are of the month before
    labelled = [row | {"queue": "adverts", "spam": True} for row in texts(2, first=29)]
    write(more / "feedback.jsonl", [*labelled, *texts(3)])
    assert report_of(ingest(spark, at(settings, more), lake)) == EntityReport("feedback", 5, 5, 0, 0, 0, 0)
    rows = {row["feedback_id"]: row for row in rows_in(lake, "feedback")}
    assert len(rows) == 33
    assert (rows["f29"]["queue"], rows["f29"]["spam"], rows["f30"]["queue"]) == ("adverts", True, "adverts")
    assert {rows[f"f{n}"]["feedback_month"] for n in range(3)} == {date(2023, 1, 1)}
    # a file that grows in place is read anew
    write(more / "feedback.jsonl", [*labelled, *texts(4)])
    assert report_of(ingest(spark, at(settings, more), lake)) == EntityReport("feedback", 6, 1, 0, 0, 5, 0)
    assert planted_below(Path(lake.root), PLANTED) == []


def test_texts_are_deleted_by_the_data_s_time(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake
) -> None:
    own = settings.model_copy(
        update={"feedback": settings.feedback.model_copy(update={"retention_months": 3})}
    )
    rows = texts(12 * 28)
    write(tmp_path / "a" / "feedback.jsonl", [row for row in rows if row["timestamp"] < "2023-05"])
    ingest(spark, at(own, tmp_path / "a"), lake)  # up to 2023-04-28, and a microsecond
    kept = {key for key, text in texts_in(lake).items() if text is not None}
    assert kept == {
        row["feedback_id"] for row in rows if "2023-01-28T10:00:00" < row["timestamp"] < "2023-05"
    }
    write(tmp_path / "b" / "feedback.jsonl", rows)
    stamps = contents(lake, "feedback", "text")
    ingest(spark, at(own, tmp_path / "b"), lake)
    kept = {key for key, text in texts_in(lake).items() if text is not None}
    assert kept == {row["feedback_id"] for row in rows if row["timestamp"] > "2023-09-28T10:00:00"}
    assert set(stamps) < set(contents(lake, "feedback", "text"))  # all but the text stays
    assert len(list(Path(lake.path("feedback")).rglob("*.parquet"))) == len(lake.files("feedback"))
    # the same rows again, in another file, don't bring them back; a longer retention neither
    write(tmp_path / "c" / "feedback.jsonl", rows)
    assert report_of(ingest(spark, at(own, tmp_path / "c"), lake)).duplicates == len(rows)
    shorter = own.model_copy(update={"feedback": own.feedback.model_copy(update={"retention_months": 1})})
    tidy_texts(shorter, lake)
    assert sum(text is not None for text in texts_in(lake).values()) == 28


@pytest.mark.usefixtures("no_page")
def test_quarantined_rows_are_tried_again_without_their_texts(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake
) -> None:
    own = at(settings, tmp_path / "raw", at=datetime(2023, 2, 1, tzinfo=UTC))
    write(tmp_path / "raw" / "feedback.jsonl", texts(40))
    assert report_of(ingest(spark, own, lake)).quarantined == 11
    assert planted_below(Path(lake.path("quarantine")), PLANTED) == []
    report = replay(settings, lake)
    assert (report_of(report).replayed, contents(lake, "quarantine")) == (11, [])
    rows = {row["feedback_id"]: row for row in rows_in(lake, "feedback")}
    assert len(rows) == 40
    assert (rows["f39"]["text"], rows["f39"]["score"], rows["f39"]["masked"]) == (None, 39 % 11, 0)


@pytest.mark.usefixtures("no_page")
def test_broken_at_each_write_and_run_again(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    """Late names among new texts: words, masks, texts and books, each write made or not made."""
    first, second = tmp_path / "first", tmp_path / "second"
    write(first / "feedback.jsonl", texts(12))
    write(second / "users.jsonl", users())
    write(second / "feedback.jsonl", [*texts(12, first=9, queue="adverts"), *broken(BAD), "{"])
    names = ("feedback", "name_words", "quarantine", "rescued", "users", "ingest_counts", "ingests")
    points = (*OF_INGEST, "vacuum")

    def state(lake: Lake) -> dict[str, object]:
        return {name: contents(lake, name) for name in names}

    def fresh(name: str) -> tuple[Settings, Lake]:
        root = settings.lake.model_copy(update={"root": str(tmp_path / name)})
        own = settings.model_copy(update={"lake": root})
        return own, open_lake(own, spark)

    own, lake = fresh("before")
    ingest(spark, at(own, first, at=NOW), lake)
    shutil.copytree(tmp_path / "before", tmp_path / "whole")
    own, lake = fresh("whole")
    copied = CopiedLake(lake, counted=points)
    ingest(spark, at(own, second, at=NOW), copied)
    whole = state(lake)
    assert len(copied.copies) > 10
    for root in [*copied.copies[1:], Path(lake.root)]:
        own, lake = fresh(root.name)
        ingest(spark, at(own, second, at=NOW), lake)
        assert state(lake) == whole, root.name
        assert planted_below(Path(lake.root), PLANTED) == [], root.name
        shutil.rmtree(lake.root)


@pytest.mark.usefixtures("no_page")
def test_a_check_tells_what_an_ingest_would_and_writes_nothing(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake
) -> None:
    raw = tmp_path / "raw"
    write(raw / "users.jsonl", users())
    write(raw / "feedback.jsonl", [*texts(9), *broken(BAD)])
    told = check_delivery(spark, at(settings, raw))
    assert not (Path(settings.home) / "secrets").exists()
    assert not Path(lake.root).exists()
    done = ingest(spark, at(settings, raw), lake)
    assert (told.entities, told.missing) == (done.entities, done.missing)
    before = {path: path.read_bytes() for path in sorted(Path(lake.root).rglob("*")) if path.is_file()}
    write(tmp_path / "more" / "users.jsonl", [user | {"name": "Anna Nowak"} for user in users()])
    write(tmp_path / "more" / "feedback.jsonl", texts(3, first=3, text="tu Nowak, a Kowalska była wcześniej"))
    told = check_delivery(spark, at(settings, tmp_path / "more"))
    after = {path: path.read_bytes() for path in sorted(Path(lake.root).rglob("*")) if path.is_file()}
    assert after == before
    done = ingest(spark, at(settings, tmp_path / "more"), lake)
    assert told.entities == done.entities
    assert texts_in(lake)["f3"] == "tu [name], a [name] była wcześniej"


@pytest.mark.usefixtures("no_page")
def test_maintain_keeps_no_older_version_of_texts_and_lays_them_out_with_the_events(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model may have been trained on them: what was deleted is deleted."""
    raw = tmp_path / "raw"
    write(raw / "feedback.jsonl", texts(8))
    ingest(spark, at(settings, raw), lake)
    moved = texts(2, first=3, timestamp="2023-02-01T00:00:00", queue="adverts")
    write(raw / "more" / "feedback.jsonl", moved)
    ingest(spark, at(settings, raw / "more"), lake)
    rows = {row["feedback_id"]: row["feedback_month"] for row in rows_in(lake, "feedback")}
    assert (len(rows), rows["f3"], rows["f5"]) == (8, date(2023, 2, 1), date(2023, 1, 1))
    write(raw / "events" / "sessions.jsonl", sessions(9))
    ingest(spark, at(settings, raw / "events"), lake)
    before = contents(lake, "feedback", "user_bucket")
    relayout.rebucket(settings, lake, 4)
    for row in rows_in(lake, "feedback"):
        assert row["user_bucket"] == row["user_id"] % 2147483647 * 1812433253 % 2147483647 % 4
    assert contents(lake, "feedback", "user_bucket") == before
    monkeypatch.setattr(retention, "connect", lambda _: None)
    monkeypatch.setattr(retention, "pinned_versions", lambda *_: {"feedback": {0}})
    done = {each.table: each for each in retention.maintain(settings, lake)}["feedback"]
    assert (done.pinned, done.lost) == ((), (0,))
    assert len(list(Path(lake.path("feedback")).rglob("*.parquet"))) == len(lake.files("feedback"))
    assert contents(lake, "feedback", "user_bucket") == before
