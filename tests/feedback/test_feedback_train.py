"""Which model serves: decided once for each training, killed wherever. The models are written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.feedback import train as room
from pozytywka_spark.feedback.champion import champion_version, connected
from pozytywka_spark.feedback.labels import QUEUE
from pozytywka_spark.feedback.model import Model
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.feedback import made, small_model

pytestmark = pytest.mark.system  # tasks in processes of their own


class KilledError(Exception):
    """Stands for a kill."""


def _killed(*_: object) -> None:
    raise KilledError


def _never(*_: object) -> Model:
    raise AssertionError("it learnt what it had learnt before")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    settings = _settings(tmp_path)
    lake = open_lake(settings, session_on_demand(settings, "tests"))
    made.put(lake, made.texts(1500, labels=1.0).filter(pl.col("queue") != "playback"))
    return lake


def _settings(home: Path, route: float = 0.95) -> Settings:
    return load_settings("local", [f"home={home}", f"feedback.route_precision={route}"])


def _model(word: str) -> Model:
    good = small_model.model()
    queues = small_model.linear(("adverts", "payment", "praise"), {"adverts": {word: 60.0}})
    return Model({**good.learnt, QUEUE: queues}, good.ngrams)


def _train(monkeypatch: pytest.MonkeyPatch, lake: Lake, settings: Settings, make: Any) -> room.TrainReport:
    monkeypatch.setattr(room, "_made", make)
    return room.train(cast("SparkSession", None), settings, lake)


@pytest.mark.parametrize("step", ["take_over", "set_tag"])
def test_a_run_killed_before_it_decided_is_taken_up(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before, after = _settings(tmp_path), _settings(tmp_path, 0.9)
    first = _train(monkeypatch, lake, before, lambda *_: _model("refund"))
    assert (first.version, first.champion) == (1, 1)
    with monkeypatch.context() as during:
        # the champion gets its tags in `take_over` too: only the last of them is never written
        original = getattr(room.registry, step)
        breaks = _killed if step == "take_over" else _unless(original, room.DECIDED)
        during.setattr(room.registry, step, breaks)
        with pytest.raises(KilledError):
            _train(during, lake, after, lambda *_: _model("adverts"))
    again = _train(monkeypatch, lake, after, _never)
    serving = champion_version(connected(after))
    assert (again.version, again.champion) == (2, 2)
    assert serving is not None
    assert serving.number == 2
    assert room.DECIDED in serving.tags
    assert _train(monkeypatch, lake, after, _never).unchanged


def _unless(original: Any, key: str) -> Any:
    def tag(tracking: object, version: int, name: str, value: str) -> None:
        if name == key:
            raise KilledError
        original(tracking, version, name, value)

    return tag


def test_a_worse_model_is_decided_on_once(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _train(monkeypatch, lake, _settings(tmp_path), lambda *_: _model("adverts"))
    other = _settings(tmp_path, 0.9)
    worse = _train(monkeypatch, lake, other, lambda *_: _model("refund"))
    assert (worse.version, worse.champion, worse.unchanged) == (2, 1, False)
    again = _train(monkeypatch, lake, other, _never)
    assert (again.version, again.champion, again.unchanged) == (2, 1, True)
