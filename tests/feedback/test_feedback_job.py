"""The job as people run it: train, score, the same again, new texts, deleted ones, a new model, errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.jobs import feedback
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.feedback import made

pytestmark = pytest.mark.system  # seconds: jobs as they are run


def settings_of(home: Path, *more: str) -> Settings:
    return load_settings("local", [f"home={home}", *more])


def lake_at(home: Path) -> Lake:
    settings = settings_of(home)
    return open_lake(settings, session_on_demand(settings, "tests"))


def run(home: Path, *words: str, more: Sequence[str] = ()) -> int:
    sets = (f"home={home}", *more)
    return feedback.main([*words, *(part for one in sets for part in ("--set", one))])


def signals(lake: Lake) -> pl.DataFrame:
    return pl.DataFrame(lake.rows("feedback_signals")).sort("feedback_id")


def test_from_labels_to_signals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake, rows = lake_at(tmp_path), made.texts(3000)
    made.put(lake, rows)
    assert run(tmp_path, "train") == 0
    print(capsys.readouterr().out)
    assert run(tmp_path, "score") == 0
    found = signals(lake)
    assert found.height == rows.height
    both = found.join(rows.select("feedback_id", "truth_language", "truth_queue"), on="feedback_id")
    genuine = both.filter(pl.col("truth_queue").is_not_null())
    print(
        both,
        genuine.select(
            (pl.col("queue_best") == pl.col("truth_queue")).mean(),
            (pl.col("language") == pl.col("truth_language")).mean(),
            pl.col("queue").count() / pl.len(),
        ),
    )
    print(capsys.readouterr().out)
