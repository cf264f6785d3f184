"""Build users' months, features and labels from the silver tables, and guard them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from pozytywka_spark.cli import job_parser, run, say, show_table, step
from pozytywka_spark.config import Settings

if TYPE_CHECKING:
    from pozytywka_spark.features.stage import FeaturesReport


class _Gone(argparse.Action):
    """A flag of older releases: whoever still gives it is told, in one line, what to do instead."""

    def __init__(self, option_strings: Sequence[str], dest: str, instead: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        self._instead = instead

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: object, values: object, option: str | None = None
    ) -> NoReturn:
        """Leave with exit code 2."""
        parser.error(f"{option} {self._instead}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; its exit code."""
    parser = job_parser("features", str(__doc__))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--months", metavar="YYYY-MM..YYYY-MM", help="build these months only")
    which.add_argument(
        "--since-last-ingest",
        action=_Gone,
        instead="is no flag any more: without a flag, features builds the months whose inputs have changed",
    )
    which.add_argument("--full", action="store_true", help="build all months")
    which.add_argument(
        "--canary",
        action="store_true",
        help="build all months with a feature that leaks, which a guard must stop; nothing is kept",
    )
    which.add_argument("--catalogue", action="store_true", help="print the catalogue and write it as pages")
    parser.add_argument(
        "--report", action="store_true", help="write a page of labels, correlation and guards"
    )
    return run(parser, argv, _work)


def _work(args: argparse.Namespace, settings: Settings) -> None:
    from pozytywka_spark.features.build.staleness import month_range

    months = None if args.months is None else month_range(args.months)
    if args.catalogue:
        _show_catalogue(settings)
        return
    from pozytywka_spark.features import stage
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.lake.recorded import record_settings
    from pozytywka_spark.spark.session_on_demand import session_on_demand

    spark = session_on_demand(settings, "features", verbose=args.verbose)
    lake = open_lake(settings, spark)
    with step("features"):
        if args.canary:
            stage.send_canary(spark, settings, lake)
        report = stage.build_features(spark, settings, lake, months=months, full=args.full)
    record_settings(settings)
    _tell(report)
    if args.report:
        from pozytywka_spark.features.lake_catalogue import built_catalogue
        from pozytywka_spark.features.page.features_page import render_report

        with step("report"):
            catalogue = built_catalogue(settings, lake)
            features = [feature for feature in catalogue.entries if feature.name in catalogue.order]
            page = render_report(lake, settings, features, report.labels, report.guards)
            _write(settings, "features-report.html", page)


def _tell(report: FeaturesReport) -> None:
    say(report.span.described())
    show_table("labels by month", report.labels)
    show_table("guards", [vars(guard) for guard in report.guards])
    if report.whole_because:
        say(report.whole_because)
    number = len(report.months)
    built = f"{number} month{'' if number == 1 else 's'} built" if number else "nothing has changed"
    say(f"{report.rows:,} rows, {report.features} features, catalogue {report.catalogue_hash[:12]}; {built}")
    if report.stale:
        stale = ", ".join(f"{month:%Y-%m}" for month in report.stale)
        say(f"stale: {stale}; features without a flag builds them")
    say(", ".join(f"{name} {seconds:.1f} s" for name, seconds in report.seconds.items()))


def _show_catalogue(settings: Settings) -> None:
    """Print and write what is declared: needs no session, nor a lake."""
    from pozytywka_spark.features.declared.catalogue import catalogue_hash, catalogue_of, declared_for
    from pozytywka_spark.features.page import catalogue_page

    features = catalogue_of(settings)
    optional = [feature for feature in declared_for(settings) if feature.needs]
    digest = catalogue_hash(settings, features)
    show_table(f"features, hash {digest[:12]}", catalogue_page.catalogue_rows(features))
    show_table(catalogue_page.OPTIONAL_TITLE.lower(), catalogue_page.optional_rows(optional))
    _write(settings, "features.md", catalogue_page.as_markdown(digest, features, optional))
    _write(settings, "features.html", catalogue_page.as_html(digest, features, optional))


def _write(settings: Settings, name: str, text: str) -> None:
    from pozytywka_spark.reports.files import write_page

    say(f"written: {write_page(settings, name, text)}")
