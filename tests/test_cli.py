import argparse
import errno
import os

import pytest

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import GuardError, LakeError, UsageError


def fails_with(error: BaseException) -> cli.Work:
    def work(args: argparse.Namespace, settings: Settings) -> int | None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("setting x is wrong"), 2, "error: setting x is wrong\n"),
        (GuardError("guard maturity: row\n1"), 1, "error: guard maturity: row 1\n"),
        (ValueError("odd"), 1, "error: ValueError: odd (run again with --verbose for the stack trace)\n"),
        (KeyboardInterrupt(), 130, "error: interrupted; run the same command again to go on\n"),
    ],
)
def test_every_failure_is_one_line_and_an_exit_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(cli.job_parser("job", "A job."), [], fails_with(error)) == code
    assert capsys.readouterr().err == line


def test_a_full_disk_is_said_as_such_however_deep_it_lies(capsys: pytest.CaptureFixture[str]) -> None:
    """Spark's tasks wrap the system's words in their own, Delta's log in others."""
    wrapped = LakeError("table events: not written")
    wrapped.__cause__ = RuntimeError("Job aborted due to stage failure")
    wrapped.__cause__.__context__ = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for error in (wrapped, ValueError("task 3 failed:\njava.io.IOException: No space left on device\nat …")):
        assert cli.run(cli.job_parser("job", "A job."), [], fails_with(error)) == 1
        told = capsys.readouterr().err
        assert told.startswith("error: the disk is full")
        assert told.count("\n") == 1


def test_verbose_adds_the_stack_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(cli.job_parser("job", "A job."), ["--verbose"], fails_with(ValueError("odd"))) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_wrong_setting_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    def never(args: argparse.Namespace, settings: Settings) -> int | None:
        pytest.fail("the work must not start")

    assert cli.run(cli.job_parser("job", "A job."), ["--set", "nothing=1"], never) == 2
    assert "unknown setting nothing" in capsys.readouterr().err


def test_an_unknown_flag_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.run(cli.job_parser("job", "A job."), ["--colour"], fails_with(ValueError()))
    assert caught.value.code == 2
    assert "unrecognized arguments: --colour" in capsys.readouterr().err


def test_a_table_shows_numbers_and_gaps_readably(capsys: pytest.CaptureFixture[str]) -> None:
    cli.show_table("counts", [{"what": "rows", "n": 1234567, "rate": 0.5, "note": None}])
    shown = capsys.readouterr().out
    assert "1,234,567" in shown
    assert "0.5000" in shown
    assert "–" in shown
