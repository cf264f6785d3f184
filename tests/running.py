"""Jobs run as their file would be, in the tests' own process and session."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

JOBS = Path(__file__).resolve().parent.parent / "jobs"


def job(name: str) -> ModuleType:
    """The job's module of the package; its file in `jobs/` only calls it."""
    return importlib.import_module(f"pozytywka_spark.jobs.{name}")


def run(name: str, *overrides: str, flags: tuple[str, ...] = ()) -> int:
    """The exit code of a job with flags and settings; the session's own come from the tests' conf folder."""
    code = job(name).main([*flags, *(part for override in overrides for part in ("--set", override))])
    assert isinstance(code, int)
    return code
