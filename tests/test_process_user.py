"""Jobs run by a user without a home, in folders that can't be written, as in a container."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pozytywka_spark.errors import PozytywkaError
from pozytywka_spark.spark.process_user import downloads_folder, named_home
from pozytywka_spark.tracking.source import command
from tests.worlds.made_delivery import FEW_MONTHS, FOUR_MONTHS, write_delivery

PROJECT = Path(__file__).resolve().parent.parent
NOBODY = pwd.getpwnam("nobody").pw_uid
UNNAMED = 54_321
PYTHON = ("env", f"PYTHONPATH={PROJECT}", str(PROJECT / ".venv" / "bin" / "python"))

needs_other_users = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv to be someone else"
)


def run_as(user: int, *words: str) -> subprocess.CompletedProcess[str]:
    """In a folder of root's, without `$HOME`; whoever it is may read everything and write what is theirs."""
    may_read = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    given = {key: os.environ[key] for key in ("PATH", "JAVA_HOME") if key in os.environ}
    return subprocess.run(
        ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *may_read, *words],
        cwd="/", env=given | {"PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False,
        timeout=900,
    )  # fmt: skip


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that nobody owns, not below pytest's own, which others can't look into."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, NOBODY)
        yield Path(folder)


@needs_other_users
def test_the_pipeline_needs_no_home_no_root_and_no_working_folder(home: Path, tmp_path: Path) -> None:
    raw = write_delivery(FOUR_MONTHS, tmp_path)
    settings = (f"home={home}/all", f"raw.path={raw}", "spark.shuffle_partitions=2", *FEW_MONTHS)
    sets = [part for setting in settings for part in ("--set", setting)]
    done = run_as(NOBODY, *PYTHON, str(PROJECT / "jobs" / "pipeline.py"), *sets)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "scores " in done.stdout
    assert (home / "all" / "lake" / "predictions" / "_delta_log").is_dir()


@needs_other_users
def test_a_home_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    start = (
        "from pozytywka_spark.config import load_settings\n"
        "from pozytywka_spark.spark.session import build_session\n"
        f"build_session(load_settings('local', ['home={tmp_path}/x']), 'any')"
    )
    done = run_as(NOBODY, *PYTHON, "-c", start)
    assert f"home: logs can't be written to {tmp_path}/x/logs (Permission denied)" in done.stderr


@needs_other_users
def test_a_user_without_a_name_is_told_so(home: Path) -> None:
    os.chown(home, UNNAMED, UNNAMED)
    job = (*PYTHON, str(PROJECT / "jobs" / "synthesize.py"), "--set", f"home={home}/all")
    done = run_as(UNNAMED, *job, "--users", "2001")  # more than the process makes without Spark
    assert done.returncode == 1
    assert f"user {UNNAMED} has no entry in /etc/passwd" in done.stderr


def test_a_named_user_has_the_home_of_the_system_s_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/elsewhere")
    assert named_home() == Path(pwd.getpwuid(os.getuid()).pw_dir)
    monkeypatch.setattr(os, "getuid", lambda: UNNAMED)
    with pytest.raises(PozytywkaError, match=f"user {UNNAMED} has no entry in /etc/passwd"):
        named_home()


def test_jars_are_downloaded_beside_the_job_s_things_only_where_a_home_can_t_take_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert downloads_folder(tmp_path, Path("/job")) is None
    assert downloads_folder(tmp_path / "not" / "made", Path("/job")) is None
    monkeypatch.setattr(os, "access", lambda folder, mode: folder != tmp_path)
    assert downloads_folder(tmp_path / "not" / "made", Path("/job")) == Path("/job/ivy")


def test_a_run_s_command_is_there_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: UNNAMED)
    assert command(["/opt/jobs/train.py", "--set", "home=/x"]) == "scripts/submit.sh train --set home=/x"
