"""One line a step: moving at a terminal, plain where it goes to a file."""

import io
import os
import re
import subprocess
import sys

import pytest
from rich.console import Console

from pozytywka_spark.reports import progress
from tests.at_terminal import CONTROL, at_terminal, left_on_screen

WORK = """
import sys, time
from pozytywka_spark import cli
with cli.step("ingest") as step:
    with cli.step("start Spark"):
        time.sleep(0.4)
    time.sleep(0.4)
    cli.say("by the way [x]")
    step.outcome = "12 rows"
with cli.step("train"):
    time.sleep(0.4)
    if "fail" in sys.argv:
        raise SystemExit("error: no rows")
"""
LINES = [
    r"▸ start Spark done in \d+\.\d s",
    r"by the way \[x\]",
    r"▸ ingest done in \d+\.\d s: 12 rows",
    r"▸ train done in \d+\.\d s",
]


def assert_lines(lines: list[str], expected: list[str]) -> None:
    assert len(lines) == len(expected), lines
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), lines


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}])
def test_a_file_gets_one_plain_line_a_step(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORK], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    assert_lines(done.stdout.splitlines(), LINES)
    assert done.stderr == ""


def test_a_terminal_shows_what_runs_and_since_when_then_the_same_lines() -> None:
    code, written = at_terminal([sys.executable, "-c", WORK], 100, os.environ)
    assert code == 0
    moving = CONTROL.sub("", written)
    assert len(set(re.findall(r"(.) ingest · start Spark … \d+ s", moving))) > 1, "nothing moved"
    assert re.search(r". ingest … \d+ s", moving)
    assert re.search(r". train … \d+ s", moving)
    assert_lines([line for line in left_on_screen(written) if line], LINES)
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l"), "the cursor stays hidden"


def test_a_step_that_failed_leaves_no_line_and_a_clean_terminal() -> None:
    code, written = at_terminal([sys.executable, "-c", WORK, "fail"], 100, os.environ)
    assert code == 1
    assert_lines([line for line in left_on_screen(written) if line], [*LINES[:3], "error: no rows"])
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


def test_seconds_of_steps_within_are_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 13.0, 20.0, 24.0, 100.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    steps = progress.Steps(Console(file=io.StringIO()))
    with steps.step("outer") as outer:
        with steps.step("inner") as inner:
            pass
        with steps.step("other") as other:
            pass
    assert (outer.seconds, inner.seconds, other.seconds) == (93.0, 3.0, 4.0)
