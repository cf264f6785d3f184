"""The DAG that `pipeline --dag` prints, read as Airflow would, by stand-ins of what it names."""

import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import jinja2
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.cli import OUT
from pozytywka_spark.config import load_settings
from pozytywka_spark.config.ingest import Data
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.data_span import span_of
from pozytywka_spark.lake.event_days import INGEST, write_span
from pozytywka_spark.orchestration.dag import dag_text
from pozytywka_spark.orchestration.stage import STEPS
from tests.running import run

INTERVAL = datetime(2023, 5, 1)


class Recorder:
    """Stands for whatever of Airflow the file names, and keeps what it was called with."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.args, self.options = args, options
        self.next: list[str] = []

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __rshift__(self, other: "Recorder") -> "Recorder":
        self.next.append(other.options["task_id"])
        return other


class CronDataIntervalTimetable(Recorder):
    """The one timetable whose runs bear the month before them, in Airflow 2 and 3 alike."""


def module_of(path: str, **names: Any) -> dict[str, ModuleType]:
    parts = path.split(".")
    modules = {".".join(parts[:end]): ModuleType(".".join(parts[:end])) for end in range(1, len(parts) + 1)}
    vars(modules[path]).update(names)
    return modules


AIRFLOW_3 = {
    **module_of("airflow.providers.standard.operators.bash"),
    **module_of("airflow.sdk"),
}
AIRFLOW_2 = {**module_of("airflow.operators.bash"), **module_of("airflow.timetables.interval")}


@pytest.fixture(params=[2, 3])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The DAG and the tasks of a file's text, under one of the two Airflows."""

    def read(text: str) -> tuple[Recorder, list[Recorder]]:
        made: list[Recorder] = []

        class Kept(Recorder):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                made.append(self)

        named = {"DAG": Kept, "CronDataIntervalTimetable": CronDataIntervalTimetable, "BashOperator": Kept}
        for name in [each for each in sys.modules if each.partition(".")[0] == "airflow"]:
            monkeypatch.delitem(sys.modules, name)
        for name, module in (AIRFLOW_3 if request.param == 3 else AIRFLOW_2).items():
            vars(module).update(named)
            monkeypatch.setitem(sys.modules, name, module)
        exec(compile(text, "dag", "exec"), {})
        (dag,) = (each for each in made if "schedule" in each.options)
        return dag, [each for each in made if "bash_command" in each.options]

    return read


def printed(*overrides: str, flags: tuple[str, ...] = ("--monthly", "2023-03")) -> str:
    with OUT.capture() as told:
        assert run("pipeline", *overrides, flags=("--dag", *flags)) == 0
    return told.get()


def rendered(task: Recorder) -> str:
    return jinja2.Template(task.options["bash_command"]).render(data_interval_start=INTERVAL)


def test_each_step_is_a_task_and_works_on_the_month_that_is_over(read: Any) -> None:
    dag, tasks = read(printed("raw.path=deliveries of {month}", flags=("--monthly", "2023-03")))
    names = [step.name for step in STEPS]
    assert [task.options["task_id"] for task in tasks] == names
    assert [task.next for task in tasks] == [*([name] for name in names[1:]), []]
    assert isinstance(dag.options["schedule"], CronDataIntervalTimetable)
    assert dag.options["schedule"].args == ("@monthly",)
    assert dag.options["schedule"].options == {"timezone": "UTC"}
    assert dag.options["start_date"] == datetime(2023, 3, 1)
    assert dag.options["catchup"] is True
    assert dag.options["max_active_runs"] == 1
    project = Path(__file__).resolve().parents[2]
    for name, task in zip(names, tasks, strict=True):
        first = rendered(task).splitlines()[0]
        assert first == (
            f"{project}/scripts/submit.sh pipeline --set 'raw.path=deliveries of 2023-05' "
            f"--monthly 2023-05 --step {name}"
        )
        assert task.options["cwd"] == str(Path.cwd())


@pytest.mark.parametrize(("code", "task_ends_with"), [(0, 0), (1, 1), (2, 2), (3, 0), (4, 0), (130, 130)])
def test_a_champion_kept_and_alerts_are_no_failures(
    read: Any, tmp_path: Path, code: int, task_ends_with: int
) -> None:
    script = tmp_path / "it's a job.sh"
    script.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit ' + str(code) + "\n")
    script.chmod(0o755)
    odd = 'note="$HOME" `id` \\ {brace}'
    _, (task,) = read(dag_text(date(2023, 3, 1), "why", str(tmp_path), [str(script), odd], ["gate"]))
    done = subprocess.run(
        ["bash", "-c", rendered(task)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == task_ends_with
    assert done.stdout.splitlines() == [odd, "--monthly", "2023-05", "--step", "gate"], done.stderr


def test_the_first_month_is_the_lakes_unless_another_is_named(read: Any, tmp_path: Path) -> None:
    silver_home = tmp_path / "with events"
    settings = load_settings("local", [f"home={silver_home}"])
    days = {date(2022, 4, 1) + timedelta(days=number): 100 for number in range(70)}
    write_span(open_lake(settings, cast("SparkSession", object())), span_of(days, Data()), days, INGEST)
    starts = {
        "named": printed(f"home={silver_home}"),
        "setting": printed("data.start=2023-02-03", flags=()),
        "lake": printed(f"home={silver_home}", flags=()),
        "none": printed(f"home={tmp_path}", flags=()),
    }
    read_starts = {name: read(text)[0].options["start_date"] for name, text in starts.items()}
    assert read_starts == {
        "named": datetime(2023, 3, 1),
        "setting": datetime(2023, 2, 1),
        "lake": datetime(2022, 4, 1),
        "none": datetime(2022, 1, 1),
    }
    assert "of your deliveries put the first in its place" in starts["none"]
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--dag", "--status"), "--dag and --status don't go together"),
        (("--step", "train", "--status"), "--status and --step don't go together"),
        (("--step", "train"), "--step train is a step of a month's work: add --monthly YYYY-MM"),
        (("--step", "rain", "--monthly", "2023-05"), "--step rain: no such step; steps: ingest, features, "),
    ],
)
def test_flags_that_say_too_little_or_too_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], message: str
) -> None:
    assert run("pipeline", f"home={tmp_path}", flags=flags) == 2
    assert message in capsys.readouterr().err
