"""The job as people run it: from a training to the page, the same again, kills, and errors of one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.feed.stage import rank
from pozytywka_spark.jobs import feed
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.breaking_lake import BreakingLake, BrokenError
from tests.feed.silver import put_events, silver
from tests.feed.small_world import DAY, SET, TRAINED, at, events, track
from tests.moderation.world import contents

pytestmark = pytest.mark.system  # seconds: whole trainings and rankings
FEED, STAGES = "feed", "feed_stages"


def settings_of(home: Path) -> Settings:
    return load_settings("local", [f"home={home}", *SET])


def flags(home: Path, *more: str) -> list[str]:
    return [part for one in (f"home={home}", *SET, *more) for part in ("--set", one)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a lake, a model, and a day's feed."""
    home = tmp_path_factory.mktemp("feed")
    silver(settings_of(home), events(plays=150))
    assert feed.main(["train", "--at", TRAINED.isoformat(), *flags(home)]) == 0
    assert feed.main(["rank", "--at", TRAINED.isoformat(), *flags(home)]) == 0
    return home


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, to write to; the model stays where it is."""
    shutil.copytree(trained / "lake", tmp_path / "lake")
    return tmp_path


@pytest.fixture
def here(trained: Path, home: Path) -> tuple[str, ...]:
    store = settings_of(trained).mlflow.tracking_uri
    return (f"mlflow.tracking_uri={store}",)


def lake_at(home: Path) -> Lake:
    settings = settings_of(home)
    return open_lake(settings, session_on_demand(settings, "tests"))


def test_the_same_inputs_change_nothing(
    home: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    lake = lake_at(home)
    versions = {name: lake.version(name) for name in (FEED, STAGES, "feed_weights")}
    before = contents(lake, FEED)
    # what comes after the cut-off is no input either
    put_events(lake, [(100, 9_999_999, at(1), "PLAY", track(250))], first=10**6)
    assert feed.main(["rank", "--at", TRAINED.isoformat(), *flags(home, *here)]) == 0
    assert feed.main(["train", "--at", TRAINED.isoformat(), *flags(home, *here)]) == 0
    told = capsys.readouterr().out
    assert "the same inputs make no page anew" in told
    assert "nothing is trained anew" in told
    assert {name: lake.version(name) for name in versions} == versions
    # other settings replace the day, those of before bring its pages back
    assert feed.main(["rank", "--at", TRAINED.isoformat(), *flags(home, *here, "feed.new_artists=0")]) == 0
    assert "in place of one of other inputs" in capsys.readouterr().out
    assert feed.main(["rank", "--at", TRAINED.isoformat(), *flags(home, *here)]) == 0
    assert contents(lake, FEED) == before


def test_from_the_training_to_the_page(
    home: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    lake = lake_at(home)
    rows = lake.rows(FEED).to_pylist()
    assert len(rows) == 40 * 20
    first = next(row for row in rows if (row["user_id"], row["position"]) == (100, 1))
    assert dict(first["chances"]).keys() == {"finish", "skip", "like", "again"}
    assert first["model_version"] == "1"
    assert feed.main(["explain", "--user", "100", "--at", TRAINED.isoformat(), *flags(home, *here)]) == 0
    told = capsys.readouterr().out
    assert first["track_id"] in told
    assert "other inputs" not in told
    assert feed.main(["evaluate", "--at", TRAINED.isoformat(), *flags(home, *here)]) == 0
    told = capsys.readouterr().out
    assert "linear_item_model" in told
    version = lake.version("feed_evaluations")
    assert feed.main(["evaluate", "--at", TRAINED.isoformat(), *flags(home, *here)]) == 0
    assert lake.version("feed_evaluations") == version
    assert feed.main(["report", *flags(home, *here)]) == 0
    page = (home / "reports" / "feed.html").read_text(encoding="utf-8")
    for words in (
        "Funnel",
        "light pass",
        "Calibration",
        "Weights",
        "Coverage",
        "side by side",
        "popular_lately",
    ):
        assert words in page
    # a later day: a new training, weighed against the champion; then back
    assert feed.main(["train", "--at", DAY.isoformat(), *flags(home, *here)]) in (0, 3)
    assert feed.main(["rank", "--at", DAY.isoformat(), "--users", "free", *flags(home, *here)]) == 0
    code = feed.main(["gate", *flags(home, *here)])
    told = capsys.readouterr().out
    assert code in (0, 3)
    if "version 2 is the champion" in told:
        assert feed.main(["gate", "--rollback", *flags(home, *here)]) == 0


def test_surveys_and_what_was_seen(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    surveys = home / "surveys.jsonl"
    line = {"user_id": 100, "track_id": track(1), "asked_at": "2023-04-01T10:00:00", "answer": 4}
    lines = [line, line | {"answer": 7}, line | {"user_id": 1}, line | {"asked_at": None}]
    surveys.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    seen = home / "seen.csv"
    seen.write_text(
        f"user_id,track_id,seen_at,position\n100,{track(1)},2023-04-01T10:00:00,\n", encoding="utf-8"
    )
    lake = lake_at(home)
    for _ in range(2):
        assert feed.main(["take-in", "--surveys", str(surveys), *flags(home)]) == 0
        assert feed.main(["take-in", "--seen", str(seen), *flags(home)]) == 0
        assert lake.rows("feed_surveys").num_rows == 1
        assert lake.rows("feed_seen").num_rows == 1
        assert sorted(lake.rows("feed_aside").column("reason").to_pylist()) == [
            "answer is none from 1 to 5",
            "no time",
            "unknown user",
        ]
    assert "1 taken" in capsys.readouterr().out


def test_killed_after_each_write(home: Path, trained: Path) -> None:
    """Which is before the next one, and nothing is done before the first."""
    store = f"mlflow.tracking_uri={settings_of(trained).mlflow.tracking_uri}"
    before = load_settings("local", [f"home={home}", *SET, store])
    other = load_settings("local", [f"home={home}", *SET, store, "feed.sink=3"])
    lake = lake_at(home)
    counting = BreakingLake(lake)
    rank(other, counting, TRAINED)  # type: ignore[arg-type] a lake but for its class
    assert counting.tables == [STAGES, FEED, STAGES]
    expected = contents(lake, FEED)
    rank(before, lake, TRAINED)
    original = contents(lake, FEED)
    assert original != expected
    there, next_one = (before, original), (other, expected)
    for number in (1, 2, 3):
        # taken back, it is what it was; gone on with, what it was to be
        for ended, pages in (there, next_one):
            with pytest.raises(BrokenError):
                rank(next_one[0], BreakingLake(lake, number, after=True), TRAINED)  # type: ignore[arg-type]
            rank(ended, lake, TRAINED)
            assert contents(lake, FEED) == pages
        there, next_one = next_one, there


RANK = ["rank", "--at", TRAINED.isoformat()]
Case = tuple[list[str], tuple[str, ...], int, str]
FAULTS: dict[str, Case] = {
    "past the data": (["rank", "--at", "2024-01-01"], (), 2, "the data end at"),
    "before the data": (["rank", "--at", "2022-01-01"], (), 2, "the data begin at"),
    "too little to foretell": (["train", "--at", "2023-02-01"], (), 2, "and the 28 days before it: the data"),
    "not over": (["evaluate", "--at", "2023-04-20"], (), 2, "28 days after it"),
    "never ranked": (["evaluate", "--at", "2023-03-20"], (), 1, "run feed rank"),
    "no such user": (["explain", "--user", "7", "--at", TRAINED.isoformat()], (), 1, "no such user"),
    "no block list": (RANK, ("feed.block_list=/nowhere",), 2, "feed.block_list /nowhere"),
    "no surveys": (["take-in", "--surveys", "/nowhere.csv"], (), 1, "--surveys /nowhere.csv: there is no"),
    "both files": (["take-in", "--surveys", "a", "--seen", "b"], (), 2, "one of them"),
    "no model": (RANK, ("mlflow.tracking_uri=sqlite:///{home}/none.db",), 1, "run feed train"),
    "no such source": (RANK, ("feed.caps.hits=3",), 2, "hits"),
    "no such head": (RANK, ('feed.weights={{"ended": 1}}',), 2, "no such heads: ended"),
    "all removed": (RANK, ("feed.block_list={home}/all",), 1, "no track is left"),
    "light loses": (RANK, ("feed.light=50", "feed.min_recall=1"), 1, "feed.min_recall"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_errors_are_one_line_and_write_nothing(
    name: str, home: Path, here: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    argv, more, code, told = FAULTS[name]
    (home / "all").write_text("\n".join(track(number) for number in range(300)), encoding="utf-8")
    lake = lake_at(home)
    before = contents(lake, FEED, STAGES)
    settings = (*here, *(one.format(home=home) for one in more))
    assert feed.main([*argv, *flags(home, *settings)]) == code
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert told in error[0]
    assert contents(lake, FEED, STAGES) == before


def no_plays(settings: Settings) -> None:
    """Adverts alone."""
    silver(settings, [(100 + n % 30, n, at(n / 4 + 0.1), "ADVERTISEMENT", None) for n in range(300)])


def one_track(settings: Settings) -> None:
    """Everybody plays the same."""
    silver(settings, [(100 + n % 30, n, at(n / 4 + 0.1), "PLAY", track(1)) for n in range(300)])


@pytest.mark.parametrize(("world", "told"), [(no_plays, "play"), (one_track, "")])
def test_worlds_with_next_to_nothing(
    world: Callable[[Settings], None], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world(settings_of(tmp_path))
    code = feed.main(["train", "--at", DAY.isoformat(), *flags(tmp_path)])
    error = capsys.readouterr().err.strip().splitlines()
    assert (code, len(error)) in ((1, 1), (0, 0))
    assert not told or told in error[0]


def test_a_model_of_other_features(
    trained: Path,
    home: Path,
    here: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def changed() -> str:
        return "others"

    monkeypatch.setattr("pozytywka_spark.feed.model_files.features_hash", changed)
    assert feed.main(["rank", "--at", TRAINED.isoformat(), *flags(home, *here)]) == 1
    assert "run feed train again" in capsys.readouterr().err


def test_a_lake_without_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert feed.main(["train", "--at", date(2023, 5, 1).isoformat(), *flags(tmp_path)]) == 1
    error: Any = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert "run the ingest job first" in error[0]
