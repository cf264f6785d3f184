"""The help of a job, as it prints it, without running it."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
from unittest.mock import patch

from scripts.docs.blocks import PROJECT


def jobs() -> list[str]:
    """Names of the jobs."""
    return sorted(file.stem for file in (PROJECT / "jobs").glob("*.py") if file.stem != "__init__")


def commands_of(name: str) -> list[str]:
    """The commands of a job that has any, as `experiment plan`."""
    _, _, after = help_of(name).partition("COMMAND\n")
    return re.findall(r"^    (\w[\w-]*)", after.partition("\noptions:")[0], re.MULTILINE)


def help_of(name: str, *command: str) -> str:
    """What `--help` prints at a width of 110 columns."""
    printed = io.StringIO()
    main = importlib.import_module(f"jobs.{name}").main
    narrow = patch.dict(os.environ, {"COLUMNS": "110"})
    with narrow, contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return printed.getvalue()
