"""The finding of a check: its state, a line of text, advice."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pozytywka_spark.errors import PozytywkaError

_ENDS_A_TRACEBACK = re.compile(r"(?!Traceback)(\w+\.)*\w*(Error|Exception)\b")
State = Literal["ok", "warning", "trouble"]


@dataclass(frozen=True)
class Finding:
    """What one check found; `advice` says what to do and is empty only where all is well."""

    check: str
    state: State
    found: str
    advice: str = ""


def ok(check: str, state: str) -> Finding:
    """Nothing to do."""
    return Finding(check, "ok", state)


def warning(check: str, state: str, advice: str) -> Finding:
    """Jobs will run, perhaps slower or on less than one thinks."""
    return Finding(check, "warning", state, advice)


def trouble(check: str, state: str, advice: str) -> Finding:
    """A job will fail."""
    return Finding(check, "trouble", state, advice)


def attempted(check: str, examine: Callable[[], Sequence[Finding]]) -> list[Finding]:
    """The findings of `examine`; whatever it raises is itself a finding, so that the others are heard too."""
    try:
        return list(examine())
    except PozytywkaError as error:
        problem, _, advice = str(error).rpartition("; ")  # our messages end in what to do
        return [trouble(check, problem or advice, advice)]
    except Exception as error:  # a check that fails must not hide what the others found
        return [trouble(check, f"{type(error).__name__}: {_told(error)[:200]}", "run again with --verbose")]


def _told(error: Exception) -> str:
    """The line that says what happened: of an error in a Python worker, the last of its traceback."""
    lines = [line for line in str(error).strip().splitlines() if line.strip()] or [type(error).__name__]
    if not any(line.startswith("Traceback") for line in lines):
        return lines[0]
    return next((line for line in reversed(lines) if _ENDS_A_TRACEBACK.match(line)), lines[0])
