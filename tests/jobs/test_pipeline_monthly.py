"""A month's whole work through its entry point: what it does, and that being killed makes no difference."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.cli import OUT
from pozytywka_spark.config import load_settings
from pozytywka_spark.experiments.assignment.assign import assign
from pozytywka_spark.lake import open_lake
from pozytywka_spark.orchestration import stage
from pozytywka_spark.orchestration.stage import STEPS
from pozytywka_spark.orchestration.state import DONE, SETTLED, SKIPPED, StepState, read_states
from pozytywka_spark.synthetic.world import write_world
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.store import connect
from tests.digests import digests
from tests.running import run
from tests.worlds.made_delivery import FEW_MONTHS

WORLD = [
    "synthetic.users=200", "synthetic.start=2022-03-01", "synthetic.months=5", "synthetic.tracks=400",
    "synthetic.played_tracks=200", "synthetic.artists=60", "synthetic.truth_paths=0",
]  # fmt: skip
CHOSEN = [
    *FEW_MONTHS, "monthly.retrain_every_months=1",
]  # fmt: skip
# The clock's and the files' names (of which feature_builds keeps digests): by chance, not the work's
CHANCE = ("scored_at", "started_at", "finished_at", "ingested_at", "files", "catalogue")


class Killed(BaseException):
    """As sudden as a SIGKILL: nothing in the code catches it."""


def settings_of(home: Path, raw: Path) -> list[str]:
    return [f"home={home}", f"raw.path={raw}", *CHOSEN]


def pipeline(home: Path, raw: Path, month: str) -> str:
    with OUT.capture() as told:
        assert run("pipeline", *settings_of(home, raw), flags=("--monthly", month)) == 0
    return told.get()


@pytest.fixture(scope="module")
def deliveries(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A world's events until the end of its fourth month with all catalogues; the fifth month's events."""
    world, first, second = (tmp_path_factory.mktemp(name) for name in ("world", "first", "second"))
    shutil.rmtree(world)
    write_world(spark, load_settings("local", [f"home={first}", *WORLD]), str(world))
    shutil.copytree(world, first, dirs_exist_ok=True, ignore=lambda *_: ["sessions"])
    for path in (world / "sessions").glob("*.jsonl"):
        lines = path.read_text().splitlines(keepends=True)
        late = [json.loads(line)["timestamp"] >= "2022-07" for line in lines]
        for folder, wanted in ((first, False), (second, True)):
            (folder / "sessions").mkdir(exist_ok=True)
            chosen = [line for line, is_late in zip(lines, late, strict=True) if is_late is wanted]
            (folder / "sessions" / path.name).write_text("".join(chosen))
    return first, second


@pytest.fixture(scope="module")
def june(
    spark: SparkSession, deliveries: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """June done on an empty lake, and what was told; an experiment that began in June on top."""
    home = tmp_path_factory.mktemp("june")
    told = pipeline(home, deliveries[0], "2022-06")
    settings = load_settings("local", settings_of(home, deliveries[0]))
    assign(settings, open_lake(settings, spark), "fewer-ads", {"treatment": 50})
    return home, told


def a_copy(home: Path, place: Path) -> Path:
    """Another home with the same past; its runs' artefacts stay where they were written."""
    shutil.copytree(home, place, dirs_exist_ok=True)
    return place


def end_state(spark: SparkSession, home: Path, raw: Path) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    """Tables (but the record of the steps), the registry, and what the steps' record says in the end."""
    settings = load_settings("local", settings_of(home, raw))
    tables = digests(Path(settings.lake.root), CHANCE)
    del tables["monthly_steps"]
    tracking = connect(settings)
    versions = tracking.client.search_model_versions("")
    aliases = {name: registry.aliased(tracking, name) for name in (registry.CHALLENGER, registry.CHAMPION)}
    models = {"versions": len(versions), **{name: a and a.number for name, a in aliases.items()}}
    # a step that always asks its stage begins anew in every run, and has other words when nothing was left
    states = read_states(open_lake(settings, spark))
    steps = [(s.month, s.step, s.state, s.inputs, s.outcome) for s in states]
    return tables, models, sorted(steps, key=lambda step: step[:2])


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Steps after whose work the process dies, before anyone has written down that it is done."""
    doomed: list[str] = []
    record = stage.record

    def kill(lake: Any, state: StepState) -> None:
        if state.state in SETTLED and state.step in doomed:
            doomed.remove(state.step)
            raise Killed
        record(lake, state)

    monkeypatch.setattr(stage, "record", kill)
    yield doomed
    assert not doomed, "every step was reached"


def test_the_first_month_trains_and_scores(spark: SparkSession, june: tuple[Path, str]) -> None:
    home, told = june
    settings = load_settings("local", [f"home={home}"])
    states = {s.step: s for s in read_states(open_lake(settings, spark))}
    done = {"ingest", "features", "train", "gate", "score", "materialize"}
    assert {step.name: states[step.name].state for step in STEPS} == {
        step.name: DONE if step.name in done else SKIPPED for step in STEPS
    }
    assert states["train"].outcome == {"version": 1}
    assert "no champion yet: version 1" in told
    assert "2022-06 is done" in told
    scored = open_lake(settings, spark).read("predictions")
    assert {str(row["month"]) for row in scored.select("month").distinct().collect()} == {"2022-06-01"}


def test_a_month_killed_after_each_of_its_steps_ends_as_an_undisturbed_one(
    spark: SparkSession,
    june: tuple[Path, str],
    deliveries: tuple[Path, Path],
    tmp_path: Path,
    killing: list[str],
) -> None:
    """Each step is killed and done again by itself, for a walk of whole months would ask the first of them
    fifteen times; the whole month follows, and asks every step once more."""
    _, late = deliveries
    calm, killed = a_copy(june[0], tmp_path / "calm"), a_copy(june[0], tmp_path / "killed")
    told = pipeline(calm, late, "2022-07")
    assert "train: last trained in 2022-06: version 2" in told.replace("train done: ", "train: ")
    codes = {}
    for step in STEPS:
        flags = ("--monthly", "2022-07", "--step", step.name)
        killing.append(step.name)
        with pytest.raises(Killed):
            run("pipeline", *settings_of(killed, late), flags=flags)
        codes[step.name] = run("pipeline", *settings_of(killed, late), flags=flags)
    expected = end_state(spark, calm, late)
    assert end_state(spark, killed, late) == expected
    outcomes = {step: outcome for month, step, _, _, outcome in expected[2] if month.month == 7}
    found = {"monitor": 4 * bool(outcomes["monitor"]["alerts"]), "gate": 3 * outcomes["gate"]["kept"]}
    assert codes == {step.name: found.get(step.name, 0) for step in STEPS}

    again = pipeline(killed, late, "2022-07")
    assert "monitor done before" in again
    assert "train done before" in again
    assert end_state(spark, killed, late) == expected
    with OUT.capture() as shown:
        assert run("pipeline", f"home={killed}", flags=("--status",)) == 0
    assert "2022-07 is done" in shown.get()


def test_a_month_without_events_is_named(
    june: tuple[Path, str], deliveries: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_copy(june[0], tmp_path / "home")
    assert run("pipeline", *settings_of(home, deliveries[0]), flags=("--monthly", "2023-01")) == 1
    error = capsys.readouterr().err
    assert "no free user was active in 2023-01: months with features are 2022-03 to 2022-06" in error
    assert error.count("\n") == 1
