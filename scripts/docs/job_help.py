"""The help of a job, as it prints it, without running it."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
from unittest.mock import patch

from scripts.docs.blocks import PROJECT


def jobs() -> list[str]:
    """Names of the jobs."""
    return sorted(file.stem for file in (PROJECT / "jobs").glob("*.py") if file.stem != "__init__")


def help_of(name: str) -> str:
    """What `--help` prints at a width of 110 columns."""
    printed = io.StringIO()
    main = importlib.import_module(f"jobs.{name}").main
    narrow = patch.dict(os.environ, {"COLUMNS": "110"})
    with narrow, contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main(["--help"])
    return printed.getvalue()
