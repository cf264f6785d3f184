"""Feedback through the whole of ingest: masked in every file, exactly once, in its month; late names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.ingest.masking import salt
from pozytywka_spark.ingest.outcomes import UNKNOWN_NAME
from pozytywka_spark.ingest.stage import EntityReport, ingest
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.ingest.made_feedback import BAD, broken, report_of, texts_in
from tests.worlds.deliveries import at, contents, rows_in, sessions, users, write
from tests.worlds.planted import PLANTED, planted_below, texts

pytestmark = pytest.mark.usefixtures("salt_in_a_file")

MASKED = (
    "Jestem [name] [name]{who}, proszę o zwrot {place} zł dla [name] [name], "
    "ul. [street] (mieszkam na [street]), [email], tel. [phone], karta [card], [link]"
)


def expected(places: Iterator[int] | range) -> dict[str, str]:
    return {f"f{place}": MASKED.format(who=place % 7, place=place) for place in places}


def test_everything_of_it_is_masked_in_every_file(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake
) -> None:
    raw = tmp_path / "raw"
    write(raw / "users.jsonl", users())
    write(raw / "sessions.jsonl", sessions(12))
    strange = texts(1, first=50)[0] | {"note": "Kowalska", "Zdzisława": 1}
    write(raw / "feedback.jsonl", [*texts(), strange, *broken(BAD), '{"text": "Kowalska"', '"Zdzisława"'])
    home = tmp_path / "home"
    own = settings.model_copy(
        update={"home": str(home), "lake": settings.lake.model_copy(update={"root": str(home / "lake")})}
    )
    lake = open_lake(own, spark)
    report = ingest(spark, at(own, raw), lake)
    assert report_of(report) == EntityReport("feedback", 51, 41, 0, 10, 0, 0)
    assert texts_in(lake) == expected(range(40)) | expected(range(50, 51))
    reasons = {row["reason"]: row["raw"] for row in rows_in(lake, "quarantine")}
    assert sorted(reasons) == [
        "bad_queue", "bad_timestamp", "in_the_future", "malformed", "missing_text", "missing_user",
        "out_of_range", "unknown_channel",
    ]  # fmt: skip
    assert [row["rescued"] for row in rows_in(lake, "rescued")] == ['{"note":"***","***":"***"}']
    assert (home / "reports" / "ingest.html").exists()
    assert planted_below(home, PLANTED) == []
    (row,) = rows_in(lake, "feedback", feedback_id="f33")
    assert row | {"text": None} == {
        "feedback_id": "f33", "feedback_time": row["feedback_time"], "user_id": 105, "channel": "nps",
        "text": None, "score": 0, "queue": None, "spam": None, "masked": 10,
        "feedback_month": date(2023, 2, 1), "user_bucket": 0,
    }  # fmt: skip
    assert ingest(spark, at(own, raw), lake).ingest_id is None


@pytest.mark.usefixtures("no_page")
def test_the_log_says_nothing_of_texts(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake
) -> None:
    """What is deleted later would stay there as a bound, whoever wrote the file."""
    for number in range(2):
        write(tmp_path / f"raw{number}" / "feedback.jsonl", texts(5, first=5 * number, user_id=100))
        ingest(spark, at(settings, tmp_path / f"raw{number}"), lake)
    assert lake.compact("feedback") is not None
    log = "".join(path.read_text() for path in Path(lake.path("feedback"), "_delta_log").glob("*.json"))
    assert '\\"channel\\":\\"comment\\"' in log
    assert "Jestem" not in log


@pytest.mark.usefixtures("no_page")
def test_names_that_come_after_the_texts_are_masked_and_the_old_files_gone(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake
) -> None:
    write(tmp_path / "a" / "feedback.jsonl", [*texts(20), *broken(BAD)])
    ingest(spark, at(settings, tmp_path / "a"), lake)
    assert "Kowalska" in str(texts_in(lake)["f1"])
    assert planted_below(Path(lake.root), PLANTED[3:]) == []
    # half of the users, in pieces and compressed; then the others
    (tmp_path / "b" / "users").mkdir(parents=True)
    for number, user in enumerate(users()[:4]):
        line = json.dumps(user)
        (tmp_path / "b" / "users" / f"{number}.gz").write_bytes(gzip.compress(line.encode()))
    ingest(spark, at(settings, tmp_path / "b"), lake)
    assert {key for key, text in texts_in(lake).items() if "Kowalsk" in str(text)} == {
        f"f{place}" for place in range(20) if place % 7 > 3
    }
    write(tmp_path / "c" / "users.jsonl", users())
    report = ingest(spark, at(settings, tmp_path / "c"), lake)
    assert texts_in(lake) == expected(range(20))
    assert planted_below(Path(lake.root), PLANTED) == []
    assert "feedback" not in [each.entity for each in report.entities]
    words = contents(lake, "name_words")
    write(tmp_path / "d" / "users.jsonl", users())  # the same again
    write(tmp_path / "d" / "feedback.jsonl", texts(20))
    assert report_of(ingest(spark, at(settings, tmp_path / "d"), lake)).duplicates == 20
    assert contents(lake, "name_words") == words
    notes = rows_in(lake, "ingest_counts", reason=UNKNOWN_NAME)
    assert [(row["ingest_id"], row["rows"]) for row in notes] == [(1, 20)]


@pytest.mark.usefixtures("no_page")
def test_texts_that_come_where_users_were_read_before_are_masked(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake
) -> None:
    raw = tmp_path / "raw"
    write(raw / "users.jsonl", users())
    ingest(spark, at(settings, raw), lake)
    assert not lake.exists("name_words")
    write(raw / "feedback.jsonl", texts(9))
    ingest(spark, at(settings, raw), lake)
    assert texts_in(lake) == expected(range(9))


@pytest.mark.usefixtures("no_page")
def test_the_salt_is_made_once_and_another_is_refused(
    spark: SparkSession, settings: Settings, tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "raw"
    write(raw / "users.jsonl", users())
    write(raw / "feedback.jsonl", texts(3))
    ingest(spark, at(settings, raw), lake)
    file = Path(settings.home) / "secrets" / "feedback_salt"
    assert (file.stat().st_mode & 0o777, len(file.read_text().strip())) == (0o600, 64)
    assert planted_below(Path(lake.root), [file.read_text().strip()]) == []
    write(raw / "feedback.jsonl", texts(4))
    before = contents(lake, "feedback")
    for secret, told in (("short", "a salt of 5 characters"), ("x" * 20, "hashed with another salt")):
        monkeypatch.setenv(salt.ENVIRONMENT, secret)
        with pytest.raises(UsageError, match=told):
            ingest(spark, at(settings, raw), lake)
    monkeypatch.setenv(salt.ENVIRONMENT, file.read_text())
    file.unlink()
    ingest(spark, at(settings, raw), lake)
    assert len(contents(lake, "feedback")) == len(before) + 1
    assert not file.exists()
    monkeypatch.delenv(salt.ENVIRONMENT)
    write(raw / "feedback.jsonl", texts(5))
    with pytest.raises(UsageError, match="no such file; it holds the salt"):
        ingest(spark, at(settings, raw), lake)
