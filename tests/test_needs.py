"""What tests are marked with, and the guard that holds unit tests to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests import needs


def _starts() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def _through_another() -> None:
    _starts()


def _inside() -> Callable[[], None]:
    def inner() -> None:
        _starts()

    return inner


class _Helper:
    def work(self) -> None:
        _starts()


def _asks(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("spark")


@pytest.mark.parametrize(
    ("function", "modules", "asked"),
    [
        (_starts, {"subprocess", "sys"}, set()),
        (_through_another, {"subprocess", "sys"}, set()),
        (_inside, {"subprocess", "sys"}, set()),
        (_Helper, {"subprocess", "sys"}, set()),
        (_asks, set(), {"spark"}),
        (len, set(), set()),
    ],
)
@pytest.mark.unit  # it only looks at those that start
def test_what_is_read_off_a_function(function: Any, modules: set[str], asked: set[str]) -> None:
    reading = needs._used(function)
    assert reading.modules == modules
    assert asked <= reading.asked


@pytest.mark.parametrize("name", ["spark"])
def test_this_one_asks_as_it_runs(request: pytest.FixtureRequest, name: str) -> None:
    assert isinstance(_asks(request), SparkSession)
    assert [need for need in needs.NEEDS if request.node.get_closest_marker(need)] == [name]


def test_this_test_is_unit(request: pytest.FixtureRequest) -> None:
    assert [need for need in needs.NEEDS if request.node.get_closest_marker(need)] == ["unit"]


def test_this_one_is_spark(request: pytest.FixtureRequest, spark: SparkSession) -> None:
    assert [need for need in needs.NEEDS if request.node.get_closest_marker(need)] == ["spark"]


def test_this_one_is_system(request: pytest.FixtureRequest) -> None:
    _through_another()
    assert [need for need in needs.NEEDS if request.node.get_closest_marker(need)] == ["system"]


@pytest.fixture
def guard(pytestconfig: pytest.Config) -> needs.Guard:
    guard = pytestconfig.pluginmanager.get_plugin("needs")
    assert isinstance(guard, needs.Guard)
    return guard


def watched(guard: needs.Guard, need: str, work: Callable[[], object]) -> None:
    """Run `work` as a test with the marker would be run."""
    item: Any = SimpleNamespace(get_closest_marker=lambda name: name == need or None)
    steps = guard.pytest_runtest_call(item)
    next(steps)
    try:
        work()
    except RuntimeError as error:
        steps.throw(error)
    with suppress(StopIteration):
        next(steps)


def _swallowed() -> None:
    with suppress(RuntimeError):
        _starts()


@pytest.mark.system  # it looks like one
@pytest.mark.parametrize("work", [_starts, _swallowed])
def test_a_unit_test_that_starts_a_process_fails(guard: needs.Guard, work: Callable[[], None]) -> None:
    with pytest.raises((RuntimeError, pytest.fail.Exception), match=r"unit started .*python.*: mark it"):
        watched(guard, "unit", work)
    watched(guard, "system", work)


@pytest.mark.system  # it looks like one
def test_so_does_one_that_asks_for_a_session(guard: needs.Guard) -> None:
    builder = SparkSession.Builder().config("spark.master", "no such")
    with pytest.raises(RuntimeError, match="marked unit started a Spark session"):
        watched(guard, "unit", builder.getOrCreate)


def _forks() -> None:
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def _spawns() -> None:
    os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ), 0)


def _uses_a_shell() -> None:
    subprocess.run("true", shell=True, check=True)


@pytest.mark.system  # it looks like one
@pytest.mark.parametrize("work", [_forks, _spawns, lambda: os.system("true"), _uses_a_shell])
def test_whatever_way_it_starts_one(guard: needs.Guard, work: Callable[[], None]) -> None:
    with pytest.raises(RuntimeError, match="marked unit started"):
        watched(guard, "unit", work)
    watched(guard, "system", work)


@pytest.mark.unit
def test_libraries_may_ask_about_the_machine() -> None:
    assert subprocess.run(["uname"], capture_output=True, check=True).stdout
