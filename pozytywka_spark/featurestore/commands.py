"""The commands of the featurestore job: parsed flags in; what to show, its JSON and the exit code out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.featurestore import console
from pozytywka_spark.lake.api import Lake

DIFFERS = 4


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    show: Callable[[], None]
    plain: Mapping[str, Any]
    code: int = 0


def run_views(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """What is declared, beside what is stored of it."""
    from pozytywka_spark.featurestore.listing import list_views

    listed = list_views(settings, lake)
    return Outcome(partial(console.show_views, listed), listed)


def run_dataset(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """A training set."""
    from pozytywka_spark.featurestore.dataset_command import dataset_facts, dataset_of, show_dataset

    made = dataset_of(settings, lake, args)
    return Outcome(partial(show_dataset, made), dataset_facts(made))


def run_materialize(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """The lake's changes into the store."""
    from pozytywka_spark.featurestore.stage import materialize

    loaded = materialize(settings, lake, views=args.view, full=args.full)
    plain = {
        "written": sum(each.written for each in loaded),
        "deleted": sum(each.deleted for each in loaded),
        "views": [asdict(each) for each in loaded],
    }
    return Outcome(partial(console.show_loaded, loaded), plain)


def run_sweep(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """What has expired out of the store."""
    from pozytywka_spark.featurestore.sweep import sweep

    swept = sweep(settings, views=args.view)
    plain = {"deleted": sum(each.deleted for each in swept), "views": [asdict(each) for each in swept]}
    return Outcome(partial(console.show_swept, swept), plain)


def run_verify(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Online beside offline; with `--served` the logged answers."""
    if args.served:
        from pozytywka_spark.featurestore.served import verify_served

        served = verify_served(settings, lake)
        code = DIFFERS if served.differences else 0
        return Outcome(partial(console.show_served, served), served.plain(), code)
    from pozytywka_spark.featurestore.verify import verify

    verified = verify(settings, lake, views=args.view, sample=args.sample)
    plain = {
        "compared": sum(each.compared for each in verified),
        "differences": sum(each.differences for each in verified),
        "views": [asdict(each) | {"differences": each.differences} for each in verified],
    }
    return Outcome(partial(console.show_verified, verified), plain, DIFFERS if plain["differences"] else 0)


def run_lineage(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """Where a value comes from; exit 4 where its table's version doesn't hold it."""
    from pozytywka_spark.featurestore.lineage import lineage

    traced = lineage(settings, lake, view=args.view, key=args.key, feature=args.feature)
    return Outcome(partial(console.show_lineage, traced), traced.plain(), 0 if traced.holds else DIFFERS)


def run_status(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """How far behind, how old, how large."""
    from pozytywka_spark.featurestore.status import status

    statuses = status(settings, lake, views=args.view)
    late = any(each.is_late for each in statuses)
    plain = {
        "late": late,
        "views": [asdict(each) | {"lag": each.lag, "many_gb": each.many_gb} for each in statuses],
    }
    return Outcome(partial(console.show_status, statuses), plain, DIFFERS if late else 0)


def run_report(settings: Settings, lake: Lake, args: argparse.Namespace) -> Outcome:
    """The page."""
    from pozytywka_spark.featurestore.report import report

    page = str(report(settings, lake))
    return Outcome(partial(cli.say, f"page     {page}"), {"page": page})


def run_serve(settings: Settings, args: argparse.Namespace) -> Outcome:
    """Until it is told to stop."""
    from pozytywka_spark.featurestore.serve.run import serve

    serve(settings, args.port, args.host, cli.say)
    return Outcome(partial(cli.say, "stopped"), {"stopped": True})
