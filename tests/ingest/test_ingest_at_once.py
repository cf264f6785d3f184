"""Ingests at the same time, and deliveries that arrive while one runs."""

import threading

import pytest

from pozytywka_spark.config import Ingest
from pozytywka_spark.errors import LakeError
from pozytywka_spark.ingest import stage
from pozytywka_spark.ingest.file_log import Book
from pozytywka_spark.ingest.intake.lock import only_ingest
from pozytywka_spark.lake import open_lake
from tests.worlds.deliveries import at, contents, sessions, write


def counts(report):
    (found,) = [e for e in report.entities if e.entity == "sessions"]
    return found.read, found.kept, found.repaired, found.quarantined, found.duplicates, found.replayed


@pytest.fixture(autouse=True)
def _no_page(monkeypatch):
    """The checks of silver and their page have tests of their own, on real deliveries."""
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))


def test_one_ingest_at_a_time(tmp_path, caplog) -> None:
    order, now, later = [], Ingest(wait_seconds=0), Ingest(wait_seconds=30)
    with only_ingest(str(tmp_path), now), pytest.raises(LakeError, match="another ingest is at work"):  # noqa: SIM117
        with only_ingest(str(tmp_path), Ingest(wait_seconds=0.3)):
            order.append("never")
    release = threading.Event()

    def second() -> None:
        release.wait()
        with only_ingest(f"file://{tmp_path}", later):
            order.append("second")

    waiting = threading.Thread(target=second)
    waiting.start()
    with only_ingest(str(tmp_path), now):
        release.set()
        threading.Event().wait(0.5)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]
    assert caplog.text.count("waiting for it to end") == 2  # once each, however often it looks


def test_a_lake_without_a_lock_is_only_for_one_who_is_alone() -> None:
    def take(settings) -> bool:
        with only_ingest("s3://bucket/lake", settings):
            return True

    with pytest.raises(LakeError, match=r"lake s3://bucket/lake: no lock.*ingest\.assume_alone=true"):
        take(Ingest())
    assert take(Ingest(assume_alone=True))


def test_two_ingests_at_once_take_everything_in_once(spark, settings, tmp_path) -> None:
    rows, lake = sessions(20, seed=11), open_lake(settings, spark)
    write(tmp_path / "a" / "sessions.jsonl", rows[:60])
    write(tmp_path / "b" / "sessions.jsonl", rows[30:])  # overlapping, so that one must see the other's rows
    reports = []

    def take(raw) -> None:
        reports.append(stage.ingest(spark, at(settings, raw, wait_seconds=300), lake))

    threads = [threading.Thread(target=take, args=(tmp_path / name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read, kept, *_, duplicates, _ = map(sum, zip(*map(counts, reports), strict=True))
    assert (read, kept, duplicates) == (len(rows) + 30, len(rows), 30)
    assert len(contents(lake, "events")) == len(rows)


def test_a_delivery_that_arrives_while_the_job_runs_is_taken_in_once(
    spark, settings, tmp_path, monkeypatch
) -> None:
    rows, raw, lake = sessions(20, seed=12), tmp_path / "raw", open_lake(settings, spark)
    write(raw / "sessions" / "1.jsonl", rows[:50])
    read_new = Book.read_new

    def arriving(*args):
        write(raw / "sessions" / "2.jsonl", rows[50:])  # after the delivery was listed, before it is read
        return read_new(*args)

    monkeypatch.setattr(Book, "read_new", arriving)
    stage.ingest(spark, at(settings, raw), lake)
    monkeypatch.setattr(Book, "read_new", read_new)
    stage.ingest(spark, at(settings, raw), lake)
    assert len(contents(lake, "events")) == len(rows)
    fates = lake.read("ingest_counts").where("outcome <> 'noted'")  # remarks on rows, beside their fate
    by_outcome = fates.groupBy("outcome").sum("rows").collect()
    assert dict(map(tuple, by_outcome)) == {"kept": len(rows)}
    assert stage.ingest(spark, at(settings, raw), lake).ingest_id is None
