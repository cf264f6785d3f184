"""Production's settings and one Spark session for all tests; a lake in a temporary folder for each."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import yaml
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.ending import GARBAGE
from pozytywka_spark.spark.session import build_session
from tests import needs
from tests.jars import delta_overrides
from tests.side_by_side import place_of, pytest_xdist_make_scheduler  # noqa: F401 a hook

# fixtures that several rooms share
pytest_plugins = (
    "tests.worlds.trained",
    "tests.worlds.made_delivery",
    "tests.redis_server",
    "tests.s3_server",
    "tests.ready_stores",
)

# an example that takes 0.3 s on a busy machine is no failure: no timed tests
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

PROJECT = Path(__file__).resolve().parent.parent
DELIVERIES = PROJECT.parent / "shared" / "data"

# Minutes by nature, each with its reason: scripts/test.sh nightly; whatever is quick belongs back
NIGHTLY = {
    "tests/endurance/test_killed.py": "whole pipelines, killed twenty times and run again",
    "tests/endurance/test_executor_lost.py": "a cluster for each stage, and the pipeline on it",
    "tests/experiments/test_report.py::test_an_assignment_by_hash_finds_no_effect": (
        "assigns everyone of a world anew and reads the experiment twice"
    ),
    "tests/experiments/test_uplift.py::test_the_same_users_are_not_estimated_twice": (
        "a second estimate of 4,000 users by another method"
    ),
    "tests/ingest/test_ingest_crashes.py::test_killed_at_random_moments[10]": (
        "a session in a process of its own for each kill and each run in between: two kills run in the suite"
    ),
    "tests/store/test_s3_pipeline.py": "the four stages twice, once with every file through HTTP",
    "tests/topics/test_real_groups.py::test_groups_tell_of_artists_held_back_and_hardly_move": (
        "five groupings of 26,000 real artists, seconds each: a quick one runs in the suite"
    ),
    "tests/simulation/test_simulation_search.py::test_the_genetic_search_beats_random_search": (
        "random search is given ten times the evaluations, for two seeds"
    ),
}

# And all on classes that scripts/jars.sh brings, but for this: Java takes a minute to compile what such a
# test is the first to use, and five for all of them. Here both engines write one table in turns.
ON_JARS = "tests/lake/test_engines_in_turn.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs at night; what takes longest comes first."""
    for item in items:
        on_jars = "jvm" in item.keywords and not item.nodeid.startswith(ON_JARS)
        if on_jars or item.nodeid.startswith(tuple(NIGHTLY)):
            item.add_marker(pytest.mark.nightly)
    needs.mark(items)
    items.sort(key=lambda item: place_of(item.nodeid))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests ran on what scripts/jars.sh brings: a lane that nobody sees is soon skipped."""

    def on_jars(*outcomes: str) -> int:
        reports = [report for outcome in outcomes for report in terminalreporter.stats.get(outcome, [])]
        return len({report.nodeid for report in reports if "jvm" in report.keywords})

    ran, skipped = on_jars("passed", "failed"), on_jars("skipped")
    if ran or skipped:
        terminalreporter.write_line(
            f"on Delta's JVM classes, S3A or YARN: {ran} tests ran, {skipped} were skipped"
        )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Modules and tests stay to the end: 600,000 objects that no search for cycles goes through."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Production's settings, on two cores whatever the machine, for this process and for those it starts."""
    config.add_cleanup(gc.unfreeze)  # or libraries complain at the end that something of theirs is left
    folder = Path(tempfile.mkdtemp(prefix="pozytywka-conf-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    shutil.copytree(PROJECT / "conf", folder, dirs_exist_ok=True)
    local = yaml.safe_load((folder / "local.yaml").read_text(encoding="utf-8"))
    local["spark"]["master"] = "local[2]"
    (folder / "local.yaml").write_text(yaml.safe_dump(local), encoding="utf-8")
    os.environ["POZYTYWKA_CONF"] = str(folder)
    config.pluginmanager.register(needs.Guard(), "needs")


@pytest.fixture(scope="session")
def spark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The session that all tests of a process share, production's.

    With Delta's classes (tests/jars.py) only where one of the tests asks for them: with their rules a session
    takes longer for whatever it plans.
    """
    home = f"home={tmp_path_factory.mktemp('spark')}"
    items = request.session.items
    on_delta = any("jvm" in item.keywords and "spark" in getattr(item, "fixturenames", ()) for item in items)
    overrides = delta_overrides() if on_delta else []
    session = build_session(load_settings("local", [home, *overrides]), "tests")
    yield session
    session.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Local settings with everything under the test's own folder."""
    return load_settings("local", [f"home={tmp_path}"])


@pytest.fixture(scope="session")
def sample() -> Path:
    """A real, clean delivery."""
    return _real("sample")


@pytest.fixture(scope="session")
def dirty() -> Path:
    """A real, dirty and partial delivery."""
    return _real("dirty")


def _real(name: str) -> Path:
    """Its folder; without it a test is skipped, and fails where `TEST_REAL=required`, as in CI."""
    folder = DELIVERIES / name
    if not folder.is_dir():
        message = f"the real delivery {folder} is not on this machine"
        if os.environ.get("TEST_REAL") == "required":
            pytest.fail(message)
        pytest.skip(message)
    return folder
