"""What a test needs, worked out as it is collected: Python alone, a shared Spark session, or processes.

    unit    starts no JVM and no process
    spark   uses the Spark session that the tests of a worker share
    system  starts processes: jobs as people run them, servers, clusters

Each test has one of these markers, so `-m unit`, `-m spark` and `-m system` are together all tests. It is
read off the test: the fixtures it asks for, and the functions of tests/ that it and they call. Where that
reading is wrong, the guard below fails a unit test that starts a process or a session all the same.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from pyspark.sql import SparkSession

TESTS = f"{Path(__file__).resolve().parent}/"
# whatever their tests call
SYSTEM = ("tests/cluster/", "tests/endurance/", "tests/store/", "tests/test_class_archive.py")
STARTERS = {"subprocess", "multiprocessing"}  # whoever uses them starts processes
# the others of `os` call these
CALLS = ("fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execve", "system")
HARMLESS = {"git", "uname", "lscpu", "ldconfig"}  # libraries ask them about the machine, in milliseconds
NEEDS = ("unit", "spark", "system")


def mark(items: list[pytest.Item]) -> None:
    """Give each test the marker of what it needs, unless it has one."""
    for item in items:
        if not any(item.get_closest_marker(need) for need in NEEDS):
            item.add_marker(need_of(item))


def need_of(item: pytest.Item) -> str:
    """`unit`, `spark` or `system`."""
    if not isinstance(item, pytest.Function) or item.nodeid.startswith(SYSTEM):
        return "system"
    given = list(item.callspec.params.values()) if hasattr(item, "callspec") else []
    certain = _read(
        [item.function, *(each for each in given if isinstance(each, FunctionType))], item.fixturenames, item
    )
    if certain.modules & STARTERS:
        return "system"
    # which of them a test asks for as it runs isn't known: Spark or a server, and mostly Spark
    possible = certain
    if certain.asked:
        texts = [*certain.asked, *(text for text in given if isinstance(text, str))]
        possible = _read([], texts, item)
    if "spark" in certain.fixtures | possible.fixtures:
        return "spark"
    return "system" if possible.modules & STARTERS else "unit"


@dataclass(frozen=True)
class _Reading:
    """What functions use, themselves and through others of tests/."""

    modules: Set[str] = frozenset()
    asked: Set[str] = frozenset()  # texts of whoever asks for fixtures as it runs
    fixtures: Set[str] = frozenset()


def _read(functions: Sequence[Any], names: Sequence[str], item: pytest.Item) -> _Reading:
    """The functions and the fixtures, with those that they ask for in their turn."""
    manager = item.session._fixturemanager
    readings = [_used(function) for function in functions]
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        definitions = manager.getfixturedefs(name, item) or ()
        if definitions:
            seen.add(name)
        for definition in definitions:
            readings.append(_used(definition.func))
            waiting += definition.argnames
    modules = frozenset().union(*(reading.modules for reading in readings))
    return _Reading(modules, frozenset().union(*(reading.asked for reading in readings)), seen)


@cache
def _used(function: Any) -> _Reading:
    """What a function uses, wherever in tests/ the code is that it runs."""
    modules: set[str] = set()
    asked: set[str] = set()
    seen: set[int] = set()
    waiting = [*_ours([function])]
    while waiting:
        function = waiting.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        own, calls = _own(function)
        modules |= own.modules
        asked |= own.asked
        waiting += calls
    return _Reading(modules, asked)


@cache  # helpers are reached from hundreds of tests
def _own(function: Any) -> tuple[_Reading, tuple[Any, ...]]:
    """What a function or class of tests/ itself uses, and the functions and classes there that it names."""
    if isinstance(function, type):
        parts = [part for part in vars(function).values() if isinstance(part, FunctionType)]
        return _Reading(), _ours(parts)
    names, texts = _names_and_texts(function.__code__)
    modules, named = set[str](), list[Any]()
    for name in names & function.__globals__.keys():
        used = function.__globals__[name]
        if isinstance(used, ModuleType):
            modules.add(used.__name__)
            named += [getattr(used, other, None) for other in names]
        else:
            named.append(used)
    return _Reading(modules, texts | {""} if "getfixturevalue" in names else frozenset()), _ours(named)


def _ours(named: Iterable[Any]) -> tuple[Any, ...]:
    """Those that are classes or functions whose code is in tests/."""
    bare = (getattr(each, "__wrapped__", each) for each in named)
    return tuple(
        each for each in bare if isinstance(each, type) or (isinstance(each, FunctionType) and _is_ours(each))
    )


def _is_ours(function: FunctionType) -> bool:
    return function.__code__.co_filename.startswith(TESTS)  # of 120,000 functions: no Path for each


def _names_and_texts(code: CodeType) -> tuple[set[str], set[str]]:
    """Names and texts of a function's code and of the functions inside it."""
    names, texts = set(code.co_names), {part for part in code.co_consts if isinstance(part, str)}
    for part in code.co_consts:
        if isinstance(part, CodeType):
            more_names, more_texts = _names_and_texts(part)
            names, texts = names | more_names, texts | more_texts
    return names, texts


class Guard:
    """Fails a unit test, or its set-up, where it starts a process or asks for a Spark session."""

    def __init__(self) -> None:
        self._watched = False
        self._started: list[str] = []
        # not by a hook on Python's audit events: with one, every `id()` takes 20 times as long
        for name in CALLS:
            setattr(os, name, self._refusing(f"os.{name}", getattr(os, name)))
        self._refuse_processes()
        self._refuse_sessions()

    def _refusing(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **named: Any) -> Any:
            self._refuse(name)
            return call(*args, **named)

        return called

    def _refuse_processes(self) -> None:
        start = subprocess.Popen.__init__

        def init(
            process: Any, args: Any, bufsize: int = -1, executable: Any = None, *rest: Any, **named: Any
        ) -> None:
            words = [args] if isinstance(args, (str, bytes, os.PathLike)) else [*args]
            program = "sh" if named.get("shell") else os.fsdecode(executable or words[0])
            if Path(program).name not in HARMLESS:
                self._refuse(str(words)[:200])
            start(process, args, bufsize, executable, *rest, **named)

        subprocess.Popen.__init__ = init  # type: ignore[method-assign]

    def _refuse_sessions(self) -> None:
        start = SparkSession.Builder.getOrCreate

        def get_or_create(builder: SparkSession.Builder) -> SparkSession:
            self._refuse("a Spark session")
            return start(builder)

        SparkSession.Builder.getOrCreate = get_or_create  # type: ignore[method-assign]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._watching(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._watching(item))

    def _watching(self, item: pytest.Item) -> Iterator[None]:
        started: list[str] = []
        self._watched, self._started = item.get_closest_marker("unit") is not None, started
        try:
            yield
        finally:
            self._watched = False
        if started:  # whoever asked may have caught the refusal
            pytest.fail(_complaint(started[0]))

    def _refuse(self, what: str) -> None:
        if self._watched:
            self._started.append(what)
            raise RuntimeError(_complaint(what))


def _complaint(what: str) -> str:
    return (
        f"a test marked unit started {what}: mark it system or spark, "
        "let it ask for the fixture spark, or do without"
    )
