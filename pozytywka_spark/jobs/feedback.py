"""Read what people write: language, sentiment, queue, topic, spam; and what they say of the service."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

NAME = cli.job_name(__file__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed, 2 wrong usage, 3 the old model stays."""
    return cli.run(cli.command_parser(NAME, __doc__ or "", COMMANDS), argv, work)


def work(args: argparse.Namespace, settings: Settings) -> int:
    """One session, one command."""
    from pozytywka_spark.errors import require

    require("topics")
    from pozytywka_spark.feedback import commands
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, NAME, verbose=args.verbose)
    lake = open_lake(settings, spark)
    with cli.step(f"feedback {args.command}"):
        show, code = getattr(commands, f"run_{args.command}")(spark, settings, lake, args)
    show()
    return int(code)


def _nothing(_: argparse.ArgumentParser) -> None:
    pass


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "train": (
        "learn from the labels of earlier texts; the old model stays unless the new one is better",
        _nothing,
    ),
    "score": ("signals of texts that are new, or of all if the model is", _nothing),
    "report": ("the page: NPS by month, city and subject, what detractors write about", _nothing),
}
