"""The job as people run it: train, score, the same again, new and deleted texts, kills, the page, errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.feedback import stage
from pozytywka_spark.feedback.score import score
from pozytywka_spark.jobs import feedback
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.schemas import FEEDBACK, FEEDBACK_SIGNALS, FIRST_PURCHASES, USERS
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.breaking_lake import BreakingLake, BrokenError
from tests.feedback import made

pytestmark = pytest.mark.system  # seconds: jobs as they are run
SIGNALS = FEEDBACK_SIGNALS.name


def settings_of(home: Path, *more: str) -> Settings:
    return load_settings("local", [f"home={home}", *more])


def lake_at(home: Path) -> Lake:
    settings = settings_of(home)
    return open_lake(settings, session_on_demand(settings, "tests"))


def run(home: Path, *words: str, more: Sequence[str] = ()) -> int:
    sets = (f"home={home}", *more)
    return feedback.main([*words, *(part for one in sets for part in ("--set", one))])


def signals(lake: Lake) -> dict[str, dict[str, Any]]:
    return {row["feedback_id"]: row for row in lake.rows(SIGNALS).to_pylist()}


def test_from_labels_to_signals_and_their_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_ITERATIONS", 8)  # enough for texts as plain as these
    lake, rows = lake_at(tmp_path), made.texts(1200)
    made.put(lake, rows)
    made.put(lake, made.texts(300, seed=9).with_columns(text=pl.lit(None, pl.String)))  # scores without words
    lake.append(as_table([{"user_id": n, "city": f"City {n % 2}"} for n in range(500)], USERS), USERS)
    bought = [
        {"user_id": n, "purchased_at": rows["feedback_time"][0], "month": made.FIRST} for n in range(99)
    ]
    lake.append(as_table(bought, FIRST_PURCHASES), FIRST_PURCHASES)

    assert run(tmp_path, "score") == 1
    assert "run feedback train first" in capsys.readouterr().err
    assert run(tmp_path, "train") == 0
    assert "version 1 serves: the first model" in capsys.readouterr().out
    assert run(tmp_path, "train") == 0
    assert "nothing to do; the champion is 1" in capsys.readouterr().out

    # killed before its commit and after it
    for after in (False, True):
        with pytest.raises(BrokenError):
            score(settings_of(tmp_path), cast("Lake", BreakingLake(lake, breaks_at=1, after=after)))
        assert lake.exists(SIGNALS) is after
    assert run(tmp_path, "score") == 0
    assert "nothing to do" in capsys.readouterr().out
    first = signals(lake)
    truth = {row["feedback_id"]: row for row in rows.to_dicts()}
    assert set(first) == set(truth)
    genuine = {name: row for name, row in truth.items() if row["truth_queue"]}
    assert {first[name]["language"] for name in genuine} == {"en", "pl", "pt"}
    assert all(first[name]["queue_best"] == row["truth_queue"] for name, row in genuine.items())
    assert all(first[name]["spam"] is not True for name in genuine)
    assert all(first[name]["queue"] is None for name in truth if first[name]["spam"])
    assert sum(row["queue"] is not None for row in first.values()) > 0.8 * len(genuine)
    happy = [first[name]["sentiment"] for name, row in genuine.items() if row["truth_queue"] == "praise"]
    others = [first[name]["sentiment"] for name, row in genuine.items() if row["truth_queue"] != "praise"]
    assert min(happy) > max(others)
    for name, row in first.items():
        mine = ("feedback_time", "user_id", "channel", "feedback_month", "user_bucket")
        assert [row[column] for column in mine] == [truth[name][column] for column in mine]

    # the same again: nothing; compaction changes nothing either
    version = lake.version(SIGNALS)
    lake.compact(FEEDBACK.name)
    assert run(tmp_path, "score") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert lake.version(SIGNALS) == version

    # new texts, in months of their own and of others; and old ones without their text
    more = made.texts(60, months=2, seed=2, first=made.month_after(made.FIRST, 5), labels=0.0)
    made.put(lake, more)
    gone = rows.filter(pl.col("feedback_month") == made.FIRST).with_columns(text=pl.lit(None, pl.String))
    names = [field.name for field in FEEDBACK.schema]
    parts = [{"feedback_month": made.FIRST, "user_bucket": bucket} for bucket in (0, 1)]
    lake.replace_partitions(as_table(gone.select(names).to_dicts(), FEEDBACK), FEEDBACK, parts)
    assert run(tmp_path, "score") == 0
    assert f"{gone.height} signals of texts that are deleted stay" in capsys.readouterr().out
    second = signals(lake)
    assert {name: second[name] for name in first} == first
    assert set(second) - set(first) == set(more["feedback_id"])

    page = tmp_path / "reports" / "feedback.html"
    assert run(tmp_path, "report") == 0
    content = page.read_text()
    for words in ("City 1", "after it", "praise", "adverts", "Clopper"):
        assert words in content
    assert f"{rows.height + more.height:,} texts," in content
    assert run(tmp_path, "report") == 0
    assert page.read_text() == content


def test_too_few_labels_are_said_and_nothing_is_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "train") == 1
    assert "deliver a file of feedback and ingest it" in capsys.readouterr().err
    made.put(lake_at(tmp_path), made.texts(600))
    assert run(tmp_path, "train") == 1
    told = capsys.readouterr().err
    assert "too few labels to learn from, and nothing is guessed" in told
    assert "feedback.min_labels asks for 200" in told
    assert run(tmp_path, "report") == 1
    assert "run feedback score first" in capsys.readouterr().err
