"""Run everything in order: (embedded data →) ingest → features → train → score → materialize."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.reports.progress import Step

if TYPE_CHECKING:
    from pozytywka_spark.features.stage import FeaturesReport
    from pozytywka_spark.ingest.stage import IngestReport
    from pozytywka_spark.scoring.stage import ScoringReport
    from pozytywka_spark.training.stage import TrainingReport

Result = TypeVar("Result")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 when it is done, 1 when a stage can't go on, 2 on wrong usage, 3 and 4 as `--step` says."""
    parser = cli.job_parser(cli.job_name(__file__), str(__doc__))
    parser.add_argument(
        "--monthly",
        type=cli.month,
        metavar="YYYY-MM",
        help="do that month's whole work: ingest, features, check and forecast (with "
        "monthly.forecast=true), scan, decide and run (with monthly.fraud=true), "
        "monitor, train if due or drifted, gate, score, assign, report, materialize; what was done is not "
        "done again, so an interrupted month goes on where it stopped",
    )
    parser.add_argument(
        "--step",
        metavar="NAME",
        help="with --monthly, that step alone, once those before it are done; exit 3 if the gate kept the "
        "champion, 4 if monitoring has alerts or a day checked is out of order",
    )
    parser.add_argument("--status", action="store_true", help="show how far the months' work has come")
    parser.add_argument(
        "--dag",
        action="store_true",
        help="print a file for Airflow's folder of DAGs: each month's work once the month is over, a task a "
        "step, with the settings given here ({month} in them is the run's month), from the month --monthly "
        "on, else from the lake's first",
    )
    return cli.run(parser, argv, choose)


def choose(args: argparse.Namespace, settings: Settings) -> int:
    """A month's work, a step of it, its status, the DAG of it, or everything once."""
    chosen = [flag for flag in ("dag", "status", "step") if getattr(args, flag)]
    if len(chosen) > 1:
        raise UsageError(
            " and ".join(f"--{flag}" for flag in chosen) + " don't go together: take one of them"
        )
    if args.step and not args.monthly:
        raise UsageError(f"--step {args.step} is a step of a month's work: add --monthly YYYY-MM")
    if args.dag:
        print_dag(args, settings)
    elif args.monthly or args.status:
        return monthly(args, settings)
    else:
        work(args, settings)
    return 0


def print_dag(args: argparse.Namespace, settings: Settings) -> None:
    """The DAG alone on standard output: it goes into a file."""
    from pozytywka_spark.orchestration.dag import dag_text
    from pozytywka_spark.orchestration.stage import STEPS

    first, why = first_month(args, settings)
    command = [*cli.program_path(), "pipeline", *(["--env", args.env] if args.env != "local" else [])]
    command += [part for override in args.overrides for part in ("--set", override)]
    text = dag_text(first, why, str(Path.cwd()), command, [step.name for step in STEPS])
    cli.OUT.out(text, end="", highlight=False)


def first_month(args: argparse.Namespace, settings: Settings) -> tuple[date, str]:
    """The month that a DAG begins with, and who says so."""
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.lake.event_days import INGEST, recorded_span
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    if args.monthly:
        return args.monthly, "as asked for"
    if settings.data.start:
        return settings.data.start.date().replace(day=1), "the setting data.start"
    spark = session_on_demand(settings, "pipeline", verbose=args.verbose)
    span = recorded_span(open_lake(settings, spark), settings.data, INGEST)
    if span is not None:
        return span.first, "the first month of the lake's events"
    return settings.synthetic.start, "the embedded world's; of your deliveries put the first in its place"


def monthly(args: argparse.Namespace, settings: Settings) -> int:
    """A month's whole work, or one step of it, or how far it has come."""
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.lake.recorded import record_settings
    from pozytywka_spark.orchestration.console import show_month
    from pozytywka_spark.orchestration.state import read_states
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, "pipeline", verbose=args.verbose)
    lake = open_lake(settings, spark)
    code = 0
    if not args.status:
        from pozytywka_spark.orchestration.console import exit_code, show_step
        from pozytywka_spark.orchestration.stage import run_month, run_step, step_named
        from pozytywka_spark.synthetic.world import make_embedded_world

        step = step_named(args.step) if args.step else None
        make_embedded_world(spark, settings)
        if step:
            code = exit_code(run_step(spark, settings, lake, args.monthly, step, show_step))
        else:
            run_month(spark, settings, lake, args.monthly, show_step)
        record_settings(settings)
    show_month(read_states(lake, args.monthly))
    return code


def work(args: argparse.Namespace, settings: Settings) -> None:
    """All stages in one session; a stage whose inputs are unchanged leaves everything as it is."""
    from pozytywka_spark.training.ahead import collector_resting, training_made_ready

    with collector_resting():
        from pozytywka_spark.features.stage import build_features
        from pozytywka_spark.ingest.console import show_ingest
        from pozytywka_spark.ingest.stage import ingest
        from pozytywka_spark.lake import open_lake
        from pozytywka_spark.lake.recorded import record_settings
        from pozytywka_spark.orchestration.serving_steps import in_words, materialize_if_possible
        from pozytywka_spark.scoring.stage import score
        from pozytywka_spark.spark.session_on_demand import session_on_demand
        from pozytywka_spark.training.stage import train

    done: list[Step] = []
    ahead = ExitStack()
    details: list[Callable[[], None]] = []

    def stage(name: str, work: Callable[[], Result], outcome: Callable[[Result], str]) -> Result:
        with cli.step(name) as step:
            result = work()
            step.outcome = outcome(result)
        done.append(step)
        return result

    @contextmanager
    def starting() -> Iterator[None]:
        # Spark starts within the first stage that has work for it, and has a line of its own
        ahead.enter_context(training_made_ready(settings))
        with cli.step("start Spark") as step:
            yield
        done.append(step)

    spark = session_on_demand(settings, "pipeline", verbose=args.verbose, surrounding=starting)
    lake = open_lake(settings, spark)
    try:
        if settings.raw.path is None:
            from pozytywka_spark.synthetic.world import make_embedded_world

            make = "make the embedded Pozytywka"
            stage(make, lambda: make_embedded_world(spark, settings), lambda _: settings.raw_path)
        taken = stage("ingest", lambda: ingest(spark, settings, lake), _taken)
        record_settings(settings)
        details.append(lambda: show_ingest(taken))
        built = stage("features", lambda: build_features(spark, settings, lake), _built)
        details.append(lambda: _show_built(built))
        ahead.close()
        trained = stage("train", lambda: train(spark, settings, lake), _trained)
        details.append(lambda: _show_trained(trained))
        scored = stage("score", lambda: score(spark, settings, lake), _scored)
        stage("materialize", lambda: materialize_if_possible(settings, lake), in_words)
    finally:
        ahead.close()
        # of all that came so far: what stops a later stage is often to be seen in an earlier one's
        for show in details:
            cli.say()
            show()
    cli.say()
    cli.say(f"tables   {lake.root}")
    model = f"{trained.model_name} version {trained.version} (champion: {trained.champion})"
    cli.say(f"model    {model}, {trained.model_kind}")
    cli.say(f"run      {trained.run_id} in {trained.tracking_uri}")
    cli.say(f"scores   {scored.path}")
    if scored.note:
        cli.say(f"         {scored.note}")
    cli.say(f"look     .venv/bin/mlflow ui --backend-store-uri {trained.tracking_uri}")
    cli.say()
    rows = [{"stage": each.name, "seconds": f"{each.seconds:7.1f}", "outcome": each.outcome} for each in done]
    cli.show_table("stages", rows)


def _taken(report: IngestReport) -> str:
    if report.ingest_id is None:
        return "nothing new"
    rows = sum(entity.kept + entity.repaired for entity in report.entities)
    quarantined = sum(entity.quarantined for entity in report.entities)
    return f"{rows:,} rows taken in, {quarantined:,} quarantined"


def _built(report: FeaturesReport) -> str:
    if not report.months:
        return "nothing new"
    return f"{report.rows:,} user-months of {len(report.months)} months, {report.features} features"


def _trained(report: TrainingReport) -> str:
    again = "nothing new; " if report.reused else ""
    return f"{again}version {report.version} (champion: {report.champion})"


def _scored(report: ScoringReport) -> str:
    again = "nothing new; " if report.unchanged else ""
    return f"{again}{report.rows:,} users of {report.month:%Y-%m} by version {report.model_version}"


def _show_built(report: FeaturesReport) -> None:
    cli.say(report.span.described())
    cli.show_table("user-months", report.labels)


def _show_trained(report: TrainingReport) -> None:
    for line in (*report.diagram, *(f"note: {note}" for note in report.notes)):
        cli.say(f"  {line}")
    cli.say()
    cli.show_table("sides of the split", report.split)
    cli.show_table("models on the test months", report.models)
    cli.say(report.verdict)
    cli.show_table("whom to address: what each rule would have brought there", report.decisions)
