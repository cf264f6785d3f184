"""Training, evaluation and what is handed in die at each of their writes, to lake and registry; run again,
they end as if they hadn't. Ranking is killed in `test_feed_job`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.feed.evaluate import evaluate
from pozytywka_spark.feed.model import connected
from pozytywka_spark.feed.said import KINDS, SURVEYS
from pozytywka_spark.feed.stage import rank
from pozytywka_spark.feed.take_in import take_in
from pozytywka_spark.feed.training import train
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.spark.session_on_demand import session_on_demand
from pozytywka_spark.tracking import plain_models, registry
from tests.breaking_lake import BreakingLake, BrokenError
from tests.feed.silver import silver
from tests.feed.small_world import SET, TRAINED, events, track
from tests.moderation.world import contents

pytestmark = pytest.mark.system  # seconds: whole trainings
AFTER = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])


def settings_of(home: Path, *more: str) -> Settings:
    return load_settings("local", [f"home={home}", *SET, *more])


def lake_at(settings: Settings) -> Lake:
    return open_lake(settings, session_on_demand(settings, "tests"))


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a lake, a model, and a day's feed."""
    home = tmp_path_factory.mktemp("feed")
    settings = settings_of(home)
    lake = silver(settings, events(plays=150))
    train(settings, lake, TRAINED)
    rank(settings, lake, TRAINED)
    return home


@pytest.fixture
def home(ranked: Path, tmp_path: Path) -> Path:
    """A copy of it, with its model."""
    shutil.copytree(ranked / "lake", tmp_path / "lake")
    return tmp_path


def dying(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        raise BrokenError

    return call


def state(settings: Settings, lake: Lake) -> dict[str, Any]:
    """Versions by number with what they were made of, who is the champion, and the table of weights."""
    tracking = connected(settings)
    versions = tracking.client.search_model_versions(f"name = '{tracking.model_name}'")
    aliases = {name: registry.aliased(tracking, name) for name in (registry.CHAMPION, registry.CHALLENGER)}
    return {
        "versions": sorted((one.version, one.tags[registry.INPUTS]) for one in versions),
        "aliases": {name: one and one.number for name, one in aliases.items()},
        **contents(lake, "feed_weights"),
    }


def test_a_training_killed_at_each_write(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each, which is after the one before it; and after the last to the registry and to the lake."""
    shutil.rmtree(home / "lake" / "feed_weights")
    settings = settings_of(home)
    lake = lake_at(settings)
    moves: tuple[tuple[Any, str, bool], ...] = (
        (plain_models, "_log", False),
        (registry, "register", False),
        (registry, "set_alias", False),
        (registry, "set_alias", True),
    )
    for place, name, after in moves:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, dying(getattr(place, name), after=after))
            with pytest.raises(BrokenError):
                train(settings, lake, TRAINED)
    shutil.rmtree(home / "lake" / "feed_weights")
    for after in (False, True):
        lake_of_weights = BreakingLake(lake, 1, after=after)
        with pytest.raises(BrokenError):
            train(settings, lake_of_weights, TRAINED)  # type: ignore[arg-type] a lake but for its class
        assert lake_of_weights.tables == ["feed_weights"]
    train(settings, lake, TRAINED)
    ended = state(settings, lake)
    assert [number for number, _ in ended["versions"]] == [1]
    assert ended["aliases"] == {registry.CHAMPION: 1, registry.CHALLENGER: 1}
    assert len(ended["feed_weights"]) == 4
    assert train(settings, lake, TRAINED).unchanged
    assert state(settings, lake) == ended


@AFTER
def test_an_evaluation_killed_at_its_write(ranked: Path, home: Path, *, after: bool) -> None:
    settings = settings_of(home, f"mlflow.tracking_uri={settings_of(ranked).mlflow.tracking_uri}")
    lake, whole = lake_at(settings), settings_of(ranked)
    evaluate(whole, lake_at(whole), TRAINED)
    expected = contents(lake_at(whole), "feed_evaluations")
    shutil.rmtree(home / "lake" / "feed_evaluations", ignore_errors=True)
    counting = BreakingLake(lake, 1, after=after)
    with pytest.raises(BrokenError):
        evaluate(settings, counting, TRAINED)  # type: ignore[arg-type] a lake but for its class
    assert counting.tables == ["feed_evaluations"]
    assert evaluate(settings, lake, TRAINED).unchanged is after
    assert contents(lake, "feed_evaluations") == expected


ANSWERS = pl.DataFrame(
    {
        "user_id": ["100", "101", "100", "1"],
        "track_id": [track(1), track(2), track(3), track(4)],
        "asked_at": ["2023-04-01T10:00:00"] * 4,
        "answer": ["4", "5", "7", "3"],
    }
).with_columns(trouble=pl.lit(None, pl.String))


@AFTER
def test_taking_in_killed_at_each_write(home: Path, *, after: bool) -> None:
    settings = settings_of(home)
    lake = lake_at(settings)
    assert set(KINDS[SURVEYS].columns) < set(ANSWERS.columns)
    for number, table in enumerate(("feed_surveys", "feed_aside"), 1):
        breaking = BreakingLake(lake, number if not (after and number == 2) else 1, after=after)
        with pytest.raises(BrokenError):
            take_in(breaking, SURVEYS, [ANSWERS], "answers.csv")  # type: ignore[arg-type] a lake but for its class
        assert breaking.tables[-1] == table
        assert lake.exists(table) is after
    for _ in range(2):
        done = take_in(lake, SURVEYS, [ANSWERS], "answers.csv")
        assert (done.taken + done.duplicates, sum(done.refused.values())) == (2, 2)
        rows = contents(lake, "feed_surveys", "feed_aside")
        assert [row["answer"] for row in rows["feed_surveys"]] == [4, 5]
        assert sorted(row["reason"] for row in rows["feed_aside"]) == [
            "answer is none from 1 to 5",
            "unknown user",
        ]
