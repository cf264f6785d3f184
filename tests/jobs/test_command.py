"""The command `pozytywka` in process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pozytywka_spark import __version__, cli
from pozytywka_spark.__main__ import main, names

ROOT = Path(__file__).parents[2]


def test_help_lists_every_job_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in names():
        assert [line for line in lines if line.startswith(f"  {name} ") and line.endswith(".")], name


def test_every_job_has_a_file_for_spark_submit() -> None:
    assert names() == sorted(path.stem for path in (ROOT / "jobs").glob("*.py"))


def test_a_jobs_own_help_is_called_as_it_is_called(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/venv/bin/pozytywka", "train", "--help"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("usage: pozytywka train ")
    monkeypatch.setattr(sys, "argv", ["jobs/train.py"])
    assert cli.program() == "scripts/submit.sh"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["polka"], "error: no such job: polka; jobs: bandits doctor "),
        (["score", "--set", "nothing=1"], "error: unknown setting nothing"),
        ([], "usage: pozytywka JOB"),
    ],
)
def test_wrong_usage_is_told_and_exits_2(
    argv: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    assert capsys.readouterr().err.startswith(told)


def test_it_knows_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pozytywka {__version__}\n"
