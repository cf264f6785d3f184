"""The shell entry points, run as a person runs them; jobs themselves are tested in tests/jobs."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.spark_submit import ask

PROJECT = Path(__file__).resolve().parent.parent
JOBS = sorted(path.stem for path in (PROJECT / "jobs").glob("*.py") if path.stem != "__init__")


def submit(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "scripts/submit.sh", *args],
        cwd=PROJECT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("flag", ["--help", "-h", "help"])
def test_help_lists_every_job_with_a_line(flag: str) -> None:
    shown = submit(flag)
    assert shown.returncode == 0
    lines = {
        line.split()[0]: line.split(maxsplit=1)[1:] for line in shown.stdout.splitlines() if line.strip()
    }
    assert JOBS
    for job in JOBS:
        assert lines[job], f"{job} has no line of help"
        assert lines[job][0].endswith(".")


def test_no_job_is_a_usage_error_that_shows_the_way() -> None:
    shown = submit()
    assert shown.returncode == 2
    assert "usage: scripts/submit.sh JOB" in shown.stderr


@pytest.mark.parametrize("job", ["polka", "../setup", "Ingest", "__init__"])
def test_an_unknown_job_is_named_and_the_known_ones_listed(job: str) -> None:
    shown = submit(job)
    assert shown.returncode == 2
    assert shown.stderr.startswith(f"error: no such job: {job}; jobs: ")
    assert all(known in shown.stderr for known in JOBS)
    assert shown.stderr.count("\n") == 1


def test_a_dry_run_prints_the_spark_submit_command_and_runs_nothing() -> None:
    shown = submit(
        "pipeline", "--env", "cluster", "--set", "raw.path=s3a://b/raw", "--dry-run", "--",
        "--master", "spark://h:7077", "--executor-memory", "4g", SPARK_HOME="/opt/spark",
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    command = shown.stdout.split()
    assert command[0] == "/opt/spark/bin/spark-submit"
    job_at = command.index(str(PROJECT / "jobs" / "pipeline.py"))
    assert command[job_at + 1 :] == ["--env", "cluster", "--set", "raw.path=s3a://b/raw"]
    assert "spark://h:7077" in command[:job_at]
    assert "--py-files" in command[:job_at]
    assert shown.stdout.count("\n") == 1


def dry_run(*args: str, **env: str) -> list[str]:
    """The words of the command that would run."""
    shown = submit(*args[:1], "--env", "cluster", "--dry-run", *args[1:], **env)
    assert shown.returncode == 0, shown.stderr
    return shlex.split(shown.stdout)


def conf(command: list[str], key: str) -> str | None:
    values = [word.partition("=")[2] for word in command if word.partition("=")[0] == key]
    return values[-1] if values else None


def test_the_package_goes_as_a_wheel_with_the_settings() -> None:
    command = dry_run("train", "--master", "spark://h:7077", "--set", "training.num_workers=2")
    job_at = command.index(str(PROJECT / "jobs" / "train.py"))
    assert command[command.index("--master") + 1] == "spark://h:7077"
    assert command[job_at + 1 :] == ["--env", "cluster", "--set", "training.num_workers=2"]
    shipped = command[command.index("--py-files") + 1]
    assert re.fullmatch(r".*/dist/pozytywka_spark-[0-9.]+-py3-none-any\.whl\.zip", shipped)
    files = command[command.index("--files") + 1].split(",")
    assert [Path(file).name for file in files] == ["base.yaml", "cluster.yaml", "rules.yaml"]
    assert all(Path(file).is_file() for file in files)


@pytest.mark.parametrize("own_rules", [True, False])
def test_rules_of_one_s_own_go_along_where_the_settings_folder_has_any(
    own_rules: bool, tmp_path: Path
) -> None:
    """A driver on the cluster looks for them beside the settings, and takes the wheel's if none are there."""
    names = ["base.yaml", "cluster.yaml", *(["rules.yaml"] if own_rules else [])]
    for name in names:
        (tmp_path / name).touch()
    command = dry_run("fraud", "--master", "yarn", "scan", POZYTYWKA_CONF=str(tmp_path))
    assert command[command.index("--files") + 1] == ",".join(str(tmp_path / name) for name in names)


def test_a_shipped_environment_is_the_one_that_executors_run_from() -> None:
    environment = {"PYSPARK_PYTHON": "", "PYSPARK_DRIVER_PYTHON": ""}
    own = str(PROJECT / ".venv" / "bin" / "python")
    plain = dry_run("train", "--master", "yarn", **environment)
    assert conf(plain, "spark.pyspark.python") == conf(plain, "spark.pyspark.driver.python") == own
    archive = ["--", "--archives", "hdfs:///envs/environment.tar.gz#environment"]
    here = dry_run("train", "--master", "yarn", *archive, **environment)
    assert conf(here, "spark.pyspark.python") == "./environment/bin/python"
    assert conf(here, "spark.pyspark.driver.python") == own
    there = dry_run("train", "--master", "yarn", *archive, "--deploy-mode", "cluster", **environment)
    assert conf(there, "spark.pyspark.driver.python") is None
    assert "--driver-java-options" not in there, "a file of this machine"
    asked = dry_run("train", "--master", "k8s://https://h:443", PYSPARK_PYTHON="/opt/venv/bin/python")
    assert conf(asked, "spark.pyspark.python") == "/opt/venv/bin/python"


def test_spark_submit_understands_the_command() -> None:
    """Its own parser, up to the refusal of a Python driver inside a standalone cluster: none is needed."""
    archive = "hdfs:///envs/environment.tar.gz#environment"
    flags = ["--deploy-mode", "cluster", "--archives", archive, "--num-executors", "8", "--verbose"]
    command = dry_run("train", "--master", "spark://h:7077", "--", *flags)
    said = ask(command)
    parsed = dict(re.findall(r"^  (\w+) +(\S.*)$", said.stderr, re.MULTILINE))
    assert said.returncode != 0
    assert "not supported for python applications on standalone clusters" in said.stderr
    assert (parsed["master"], parsed["numExecutors"], parsed["archives"]) == ("spark://h:7077", "8", archive)
    assert parsed["primaryResource"].endswith("jobs/train.py")
    assert parsed["pyFiles"].endswith(".whl.zip")
    assert parsed["childArgs"] == "[--env cluster]"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("train", "--env", "cluster", "--master"), "--master needs a value"),
        (("train", "--master", "yarn"), "--master yarn is a cluster's: add --env cluster"),
    ],
)
def test_a_master_that_can_not_be_meant_is_a_usage_error(args: tuple[str, ...], told: str) -> None:
    shown = submit(*args)
    assert shown.returncode == 2
    assert shown.stderr.startswith(f"error: {told}")
    assert shown.stderr.count("\n") == 1


def test_help_after_a_job_is_the_job_s_own() -> None:
    """Whose pages they are: tests/jobs/test_imports.py."""
    shown = submit("reproduce", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "usage: scripts/submit.sh reproduce" in shown.stdout


def test_a_wrong_setting_stops_a_job_before_spark_starts() -> None:
    shown = submit("pipeline", "--set", "label.horizon_days=soon")
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert shown.stderr.startswith("error: setting label.horizon_days='soon'")
    assert shown.stderr.count("\n") == 1


def test_without_java_the_job_says_what_to_install(tmp_path: Path) -> None:
    """Straight at the job, as submit.sh would have brought a Java of its own; fewer users need no Spark."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "env", "dirname", "ps", "uname", "cat", "sed"):
        found = next((Path(p, name) for p in ("/usr/bin", "/bin") if Path(p, name).exists()), None)
        if found:
            (tools / name).symlink_to(found)
    environment = {"PATH": str(tools), "PYTHONPATH": str(PROJECT), "HOME": str(tmp_path)}
    python = PROJECT / ".venv" / "bin" / "python"
    shown = subprocess.run(
        [python, PROJECT / "jobs" / "synthesize.py", "--set", f"home={tmp_path / 'home'}",
         "--set", "synthetic.users=2001", "--set", "synthetic.months=6"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert shown.returncode == 1
    assert "is Java 17 or newer there" in shown.stderr
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "flags",
    [
        ("--conf", "spark.driver.extraJavaOptions=-Xss4m -Da=b"),
        ("--conf=spark.driver.extraJavaOptions=-Xss4m -Da=b",),
        ("--driver-java-options", "-Xss4m -Da=b"),
        ("--driver-java-options=-Xss4m -Da=b",),
    ],
)
def test_the_user_s_java_options_stand_beside_the_quiet_log(flags: tuple[str, ...]) -> None:
    command = " ".join(dry_run("train", "--master", "yarn", "--", *flags))
    assert re.search(r"[= ]-Dlog4j2\.configurationFile=file:\S+ -Xss4m -Da=b", command)
    assert command.count("-Dlog4j2") == 1
    loud = " ".join(dry_run("train", "--master", "yarn", "--verbose", "--", *flags))
    assert "-Xss4m -Da=b" in loud
    assert "log4j2" not in loud
