"""What all jobs share: flags, settings, progress, errors for people, exit codes."""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from pozytywka_spark.config import ENVIRONMENTS, Settings, load_settings
from pozytywka_spark.errors import PozytywkaError
from pozytywka_spark.months import as_utc
from pozytywka_spark.reports.console import table_lines
from pozytywka_spark.reports.progress import Step, Steps
from pozytywka_spark.spark.unzipped import prefer_files

# rich takes 80 columns for all that isn't a terminal
LOG_WIDTH = 180
OUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else LOG_WIDTH)
_STEPS = Steps(OUT)

COMMAND = "pozytywka"  # what an installed package is called by
_NO_SPACE = "No space left on device"  # the system's own words, whoever passes them on

Work = Callable[[argparse.Namespace, Settings], int | None]
# by name of a command: its help, and what adds its flags
Commands = Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]]


def job_parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with the flags that every job takes; a job adds its own."""
    parser = argparse.ArgumentParser(
        prog=f"{program()} {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--env",
        default="local",
        metavar="|".join(ENVIRONMENTS),
        help="which conf/ENV.yaml to lay over base.yaml",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="override one setting, such as label.horizon_days=14; repeatable",
    )
    parser.add_argument("--verbose", action="store_true", help="show Spark's log and full stack traces")
    return parser


def command_parser(name: str, description: str, commands: Commands) -> argparse.ArgumentParser:
    """A parser of a job with commands, each by its name with its help and what adds its flags.

    The flags of every job may stand before or after the command.
    """
    parser = job_parser(name, description)
    of_commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    keep = argparse.SUPPRESS
    for each, (text, add_flags) in commands.items():
        command = of_commands.add_parser(each, help=text, description=text)
        command.add_argument("--env", default=keep, metavar="|".join(ENVIRONMENTS), help=keep)
        command.add_argument(
            "--set", action="append", default=keep, metavar="KEY=VALUE", dest="overrides", help=keep
        )
        command.add_argument("--verbose", action="store_true", default=keep, help=keep)
        add_flags(command)
    return parser


def program() -> str:
    """How jobs are called here: by the installed command, else from a checkout."""
    return COMMAND if Path(sys.argv[0]).name == COMMAND else "scripts/submit.sh"


def program_path() -> list[str]:
    """The words that call jobs from any folder: the installed command, else the checkout's script."""
    if program() == COMMAND:
        return [str(Path(sys.argv[0]).resolve())]
    return [str(Path(__file__).resolve().parents[1] / program())]


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None, work: Work) -> int:
    """Parse, load the settings, do the work; 0 on success, 2 on wrong usage, 1 on failure."""
    args = parser.parse_args(argv)
    quiet_libraries(verbose=args.verbose)
    show_progress()
    prefer_files()
    try:
        return work(args, load_settings(args.env, args.overrides)) or 0
    except KeyboardInterrupt:
        complain("interrupted; run the same command again to go on")
        return 130
    except PozytywkaError as error:
        if args.verbose:
            traceback.print_exc()
        complain(_full_disk(error) or str(error))
        return error.exit_code
    except Exception as error:  # the last line of defence: whatever it is, a person reads one line
        if args.verbose:
            traceback.print_exc()
        complain(_full_disk(error) or f"{_first_line(error)} (run again with --verbose for the stack trace)")
        return 1


def month(text: str) -> date:
    """The type of a flag that names a month: `2023-05` as the first of May.

    >>> month("2023-05")
    datetime.date(2023, 5, 1)
    """
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a month such as 2023-05") from None


def day(text: str) -> date:
    """A day, such as `2023-05-01`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a day such as 2023-05-01") from None


def moment(text: str) -> datetime:
    """A day (its midnight) or a time, UTC unless it names a zone."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected a time such as 2023-05-01 or 2023-05-01T12:00"
        ) from None
    return as_utc(parsed)


def complain(message: str) -> None:
    """One line on standard error."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201 the error channel itself


class _Progress(logging.Handler):
    """What the library logs, as lines for the person who watches."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"  {record.getMessage()}")


def show_progress() -> None:
    """Let the library's log be seen among the job's own lines; only the command line prints."""
    log = logging.getLogger("pozytywka_spark")
    if not any(isinstance(handler, _Progress) for handler in log.handlers):
        log.addHandler(_Progress())
    log.setLevel(logging.INFO)


def quiet_libraries(*, verbose: bool) -> None:
    """Keep libraries' chatter off the terminal unless asked for."""
    if verbose:
        return
    warnings.simplefilter("ignore")
    for name in ("py4j", "pyspark", "mlflow", "alembic", "XGBoost-PySpark", "matplotlib", "git"):
        logging.getLogger(name).setLevel(logging.ERROR)


def say(text: str = "") -> None:
    """A line for the person who watches."""
    OUT.print(text, markup=False)


def step(name: str) -> AbstractContextManager[Step]:
    """A step of work: one line with how long it took, once it is done; at a terminal it moves until then."""
    return _STEPS.step(name)


def show_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows (all with the same keys) as a table, or as records where a table wouldn't fit; nothing is cut."""
    if not rows:
        say(f"{title}: none")
        return
    first, *lines = table_lines(title, rows, OUT.width)
    OUT.print(first, markup=False, style="bold")
    for line in lines:
        say(line)


def _full_disk(error: BaseException | None) -> str | None:
    """What to say if a full disk is behind it: Spark, Delta's log and Python each hide that elsewhere."""
    while error is not None:
        if _NO_SPACE in str(error):
            return (
                "the disk is full (lake.root, home or Spark's scratch folder): "
                "make room and run the same command again"
            )
        error = error.__cause__ or error.__context__
    return None


def _first_line(error: Exception) -> str:
    """The first line that says something; Spark's own errors carry theirs in brackets."""
    if _is_of_spark(error):
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        line_shown = next(
            (line for line in lines if line.startswith("[")), lines[0] if lines else "no message"
        )
        return f"Spark: {line_shown}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


def _is_of_spark(error: Exception) -> bool:
    """Asked of a class's names, not by importing Spark: a job that has nothing to do never did."""
    roots = {kind.__module__.partition(".")[0]: kind.__name__ for kind in reversed(type(error).__mro__)}
    return "pyspark" in roots or "py4j" in roots


def job_name(file: str) -> str:
    """The job's name from its file's."""
    return Path(file).stem
