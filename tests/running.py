"""Jobs run as their file would be, in the tests' own process and session."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

JOBS = Path(__file__).resolve().parent.parent / "jobs"


def job(name: str) -> ModuleType:
    """The job's module, loaded from its file."""
    spec = importlib.util.spec_from_file_location(f"job_{name}", JOBS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, *overrides: str, flags: tuple[str, ...] = ()) -> int:
    """The exit code of a job with flags and settings; the session's own come from the tests' conf folder."""
    code = job(name).main([*flags, *(part for override in overrides for part in ("--set", override))])
    assert isinstance(code, int)
    return code
