"""Run everything in order: (embedded data →) ingest → features → train → score, with a summary."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from pozytywka_spark import cli
from pozytywka_spark.config import Settings

Result = TypeVar("Result")
SPARK = "start Spark"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 when a model and scores are there, 1 when a stage can't go on, 2 on wrong usage."""
    parser = cli.job_parser(cli.job_name(__file__), str(__doc__))
    parser.add_argument(
        "--monthly",
        type=cli.month,
        metavar="YYYY-MM",
        help="do that month's whole work: ingest, features, monitor, train if due or drifted, gate, score, "
        "assign, report; what was done is not done again, so an interrupted month goes on where it stopped",
    )
    parser.add_argument("--status", action="store_true", help="show how far the months' work has come")
    return cli.run(parser, argv, choose)


def choose(args: argparse.Namespace, settings: Settings) -> None:
    """A month's work, its status, or everything once."""
    if not (args.monthly or args.status):
        work(args, settings)
        return
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.monthly.report import show
    from pozytywka_spark.monthly.state import read_states
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, "pipeline", verbose=args.verbose)
    lake = open_lake(settings, spark)
    if not args.status:
        from pozytywka_spark.monthly.report import tell
        from pozytywka_spark.monthly.stage import run_month
        from pozytywka_spark.synthetic.world import write_world

        if settings.raw.path is None:
            write_world(spark, settings, settings.raw_path)
        run_month(spark, settings, lake, args.monthly, tell)
    show(read_states(lake, args.monthly))


def work(args: argparse.Namespace, settings: Settings) -> None:
    """All stages in one session; a stage whose inputs are unchanged leaves everything as it is."""
    from pozytywka_spark.features.stage import build_features
    from pozytywka_spark.ingest.console import show_ingest
    from pozytywka_spark.ingest.stage import ingest
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.scoring.stage import score
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.synthetic.world import write_world
    from pozytywka_spark.training.stage import train

    seconds: dict[str, float] = {}

    def timed(name: str, stage: Callable[[], Result]) -> Result:
        start, spark_before = time.monotonic(), seconds.get(SPARK, 0.0)
        with cli.step(name):
            result = stage()
        # Spark starts within the first stage that has work for it, and has a column of its own
        seconds[name] = time.monotonic() - start - (seconds.get(SPARK, 0.0) - spark_before)
        return result

    @contextmanager
    def starting() -> Iterator[None]:
        start = time.monotonic()
        with cli.step(SPARK):
            yield
        seconds[SPARK] = time.monotonic() - start

    spark = session_on_demand(settings, "pipeline", verbose=args.verbose, told=starting)
    lake = open_lake(settings, spark)
    if settings.raw.path is None:
        timed("make the embedded Pozytywka", lambda: write_world(spark, settings, settings.raw_path))
    taken = timed("ingest", lambda: ingest(spark, settings, lake))
    show_ingest(taken)
    built = timed("features", lambda: build_features(spark, settings, lake))
    cli.say(built.span.told())
    cli.show_table("user-months", built.labels)
    trained = timed("train", lambda: train(spark, settings, lake))
    for line in (*trained.diagram, *(f"note: {note}" for note in trained.notes)):
        cli.say(f"  {line}")
    scored = timed("score", lambda: score(spark, settings, lake))

    cli.say()
    cli.show_table("sides of the split", trained.split)
    cli.show_table("models on the test months", trained.models)
    cli.say(trained.verdict)
    cli.show_table("whom to address: what each rule would have brought there", trained.decisions)
    cli.show_table("seconds", [{name: f"{spent:.1f}" for name, spent in seconds.items()}])
    users = f"{scored.rows:,} users of {scored.month:%Y-%m}"
    cli.say(f"tables   {lake.root}")
    model = f"{trained.model_name} version {trained.version} (champion: {trained.champion})"
    cli.say(f"model    {model}, {trained.model_kind}")
    cli.say(f"run      {trained.run_id} in {trained.tracking_uri}")
    cli.say(f"scores   {scored.path}: {users} by version {scored.model_version}")
    if scored.note:
        cli.say(f"         {scored.note}")
    cli.say(f"look     .venv/bin/mlflow ui --backend-store-uri {trained.tracking_uri}")


if __name__ == "__main__":
    sys.exit(main())
