"""The command `pozytywka`: every job by its name, as `scripts/submit.sh` runs them from a checkout."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

from pozytywka_spark import cli, jobs

USAGE = """\
usage: pozytywka JOB [--env local|cluster] [--set KEY=VALUE …] [JOB FLAGS]

jobs:
{jobs}

pozytywka JOB --help lists a job's own flags. Without raw.path jobs work on an embedded
Pozytywka under var/embedded of the folder they are started in.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job that is named first; its exit code, 2 if there is no such job."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or given[0] in ("-h", "--help", "help"):
        (sys.stdout if given else sys.stderr).write(usage())
        return 0 if given else 2
    name, *flags = given
    if name == "--version":
        from pozytywka_spark import __version__

        sys.stdout.write(f"pozytywka {__version__}\n")
        return 0
    if name not in names():
        cli.complain(f"no such job: {name}; jobs: {' '.join(names())}")
        return 2
    return int(importlib.import_module(f"{jobs.__name__}.{name}").main(flags))


def names() -> list[str]:
    """All jobs."""
    return sorted(module.name for module in pkgutil.iter_modules(jobs.__path__))


def usage() -> str:
    """What stands under `--help`: all jobs, a line each."""
    lines = (f"  {name:12} {_line(name)}" for name in names())
    return USAGE.format(jobs="\n".join(lines))


def _line(name: str) -> str:
    doc = importlib.import_module(f"{jobs.__name__}.{name}").__doc__ or ""
    return doc.strip().partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
