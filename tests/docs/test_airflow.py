import re
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import jinja2
import pytest

PROJECT = Path(__file__).resolve().parents[2]


class Recorder:
    """Stands for whatever of Airflow the example names, and keeps what it was called with."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.args, self.options = args, options
        made.append(self)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class CronDataIntervalTimetable(Recorder):
    """The one timetable whose runs bear the month before them, in Airflow 2 and 3 alike."""


made: list[Recorder] = []


def modules_with(*names: tuple[str, str, type]) -> dict[str, ModuleType]:
    modules: dict[str, ModuleType] = {}
    for path, name, stub in names:
        parts = path.split(".")
        for end in range(1, len(parts) + 1):
            modules.setdefault(".".join(parts[:end]), ModuleType(".".join(parts[:end])))
        setattr(modules[path], name, stub)
    return modules


def test_the_airflow_example_works_on_the_month_that_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow 3.3 itself, tried by hand: of `airflow dags test pozytywka 2023-06-01` the month is 2023-05."""
    text = (PROJECT / "docs/how-to/run-every-month.md").read_text(encoding="utf-8")
    (example,) = (each for each in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "airflow" in each)
    stubs = modules_with(
        ("airflow.providers.standard.operators.bash", "BashOperator", Recorder),
        ("airflow.sdk", "DAG", Recorder),
        ("airflow.sdk", "CronDataIntervalTimetable", CronDataIntervalTimetable),
    )
    for name, module in stubs.items():
        monkeypatch.setitem(sys.modules, name, module)
    made.clear()
    exec(compile(example, "run-every-month.md", "exec"), {})
    (dag,) = (each for each in made if "schedule" in each.options)
    assert isinstance(dag.options["schedule"], CronDataIntervalTimetable)
    (task,) = (each for each in made if "bash_command" in each.options)
    command = jinja2.Template(task.options["bash_command"]).render(data_interval_start=datetime(2023, 5, 1))
    assert command == "scripts/submit.sh pipeline --monthly 2023-05 --set raw.path=deliveries/2023-05"
