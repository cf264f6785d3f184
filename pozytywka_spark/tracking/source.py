"""The source of a run, the job's command and the commit of the code, as MLflow's own tags."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from pozytywka_spark.dataset.provenance import git_commit
from pozytywka_spark.tracking.store import hide_secrets

# KEY=VALUE and "key": "value" alike: a setting of Spark's may come as either
_SECRET = re.compile(
    r"([\w.-]*(?:password|secret|token|credential|access.?key)[\w.-]*[\"']*\s*[=:]\s*[\"']*)[^\s\"',}]+",
    re.IGNORECASE,
)
_CHANGED = "+changes"
COMMAND = "pozytywka"  # of an installed package


def source_tags() -> dict[str, str]:
    """MLflow's tags of a run's source; those of git are left out outside a repository."""
    # JOB and not LOCAL: of a local source the UI shows only what stands after the last slash
    tags = {"mlflow.source.name": command(sys.argv), "mlflow.source.type": "JOB"}
    commit = _commit()
    if commit is None:
        return tags
    dirty = str(commit.endswith(_CHANGED)).lower()
    return tags | {"mlflow.source.git.commit": commit, "mlflow.source.git.dirty": dirty}


def command(argv: Sequence[str]) -> str:
    """The line that a person would type: a job by its name, no passwords, no names of home folders."""
    program = Path(argv[0] if argv else "")
    is_job = program.parent.name == "jobs"
    name = f"scripts/submit.sh {program.stem}" if is_job else program.name or "python"
    arguments = shlex.join(argv[1:]) if is_job or program.name == COMMAND else ""
    line = f"{name} {arguments}".strip()
    with suppress(RuntimeError):  # a user without a name and without $HOME has no home folder to hide
        line = line.replace(f"{Path.home()}/", "~/")
    return _SECRET.sub(r"\1***", hide_secrets(line))


@lru_cache(maxsize=1)
def _commit() -> str | None:
    """The commit when the process first asks: a training with trials makes many runs."""
    return git_commit()
