"""Nothing personal that people write is in a model of texts, their signals or the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.feedback import stage as fitting
from pozytywka_spark.feedback.report import write_report
from pozytywka_spark.feedback.score import score
from pozytywka_spark.feedback.train import train
from pozytywka_spark.ingest import stage
from pozytywka_spark.ingest.masking import salt
from pozytywka_spark.lake import open_lake
from tests.worlds.deliveries import Row, users, write
from tests.worlds.planted import PLANTED, planted_below, texts

MANY = 224
SAID = {
    "payment": ("cena abonamentu bardzo wysoka", "pobraliście opłatę dwukrotnie"),
    "adverts": ("dużo reklam między piosenkami", "głośne reklamy wieczorem"),
}


def _texts() -> list[Row]:
    """Eight months of them, each with all that is planted; both queues labelled."""
    rows = texts(MANY, channel="nps", spam=False)
    for place, row in enumerate(rows):
        row["queue"] = list(SAID)[place % 2]
        row["text"] = f"{SAID[row['queue']][place // 2 % 2]}. {row['text']}"
        row["score"] = place % 7
    return rows


def test_no_name_address_or_number_is_in_the_models_the_signals_or_the_page(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(salt.ENVIRONMENT, raising=False)
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))
    monkeypatch.setattr(fitting, "_ITERATIONS", 8)
    raw, home = tmp_path / "raw", tmp_path / "home"
    write(raw / "users.jsonl", users())
    write(raw / "feedback.jsonl", _texts())
    settings = load_settings("local", [f"home={home}", f"raw.path={raw}", "feedback.min_labels=20"])
    lake = open_lake(settings, spark)
    stage.ingest(spark, settings, lake)
    report = train(spark, settings, lake)
    assert report.model.topics  # words stand in the model as they were written
    assert score(settings, lake).texts == MANY
    page = Path(write_report(settings, lake)).read_text()
    assert "[name]" in page  # and texts on the page
    assert list(home.rglob("about.json"))
    assert planted_below(home, PLANTED) == []
    written = " ".join(word for topic in report.model.topics for word in topic.words)
    assert not [word for word in PLANTED if word in written]
