"""A month's work as a file of Airflow's: the text of a DAG with a task for each step. No Spark here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from string import Template


def dag_text(first: date, why_first: str, folder: str, command: Sequence[str], steps: Sequence[str]) -> str:
    """A Python file that Airflow reads by itself, with no package of ours.

    Its first run works on the month that begins on `first`, for the reason `why_first`. Each step is a task
    that runs the words of `command` in `folder`; `{month}` in them is the run's month.
    """
    template = files("pozytywka_spark.orchestration").joinpath("templates/airflow_dag.txt")
    return Template(template.read_text(encoding="utf-8")).substitute(
        folder=_literal(folder),
        first_month=f"datetime({first.year}, {first.month}, 1)",
        why_first=why_first,
        command=_literal(shlex.join(command)),
        steps="\n".join(f"    {_literal(step)}," for step in steps),
    )


def _literal(text: str) -> str:
    """A Python string in double quotes: JSON's is one."""
    return json.dumps(text, ensure_ascii=False)
