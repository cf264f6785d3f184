"""`featurestore dataset`: flags in; what to show, the facts for `--json`, and the exit code out."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.featurestore.asof import STATUSES
from pozytywka_spark.featurestore.dataset import MadeDataset, make_again, make_dataset
from pozytywka_spark.featurestore.dataset_flags import check_dataset_flags

if TYPE_CHECKING:
    from pozytywka_spark.lake.api import Lake


def dataset_of(settings: Settings, lake: Lake, args: argparse.Namespace) -> MadeDataset:
    """Make what the flags ask for."""
    check_dataset_flags(args)
    if args.again is not None:
        return make_again(settings, lake, args.again, args.out, spine_path=args.spine)
    return make_dataset(
        settings,
        lake,
        args.spine,
        args.out,
        views=args.view,
        service=args.service,
        allow_snapshot=args.allow_snapshot,
    )


def show_dataset(made: MadeDataset) -> None:
    """Lines for a person."""
    recipe, rows = made.manifest.recipe, made.manifest.rows
    columns = sum(len(view.columns) for view in recipe.views)
    state = "unchanged" if made.unchanged else "made"
    cli.say(f"data set {state}: {rows:,} rows with {columns} features in {made.folder}")
    cli.show_table(
        "Views",
        [
            {
                "view": view.view,
                "columns": len(view.columns),
                "table": view.table,
                "version": view.version,
                **made.manifest.statuses[view.view],
            }
            for view in recipe.views
        ],
    )
    cli.say(f"manifest {made.manifest_path}")


def dataset_facts(made: MadeDataset) -> dict[str, Any]:
    """The same for a machine, as JSON takes it."""
    manifest = made.manifest
    return {
        "dataset_id": manifest.recipe.dataset_id,
        "folder": made.folder,
        "manifest": made.manifest_path,
        "unchanged": made.unchanged,
        "rows": manifest.rows,
        "columns": sum(len(view.columns) for view in manifest.recipe.views),
        **{status: sum(of_view[status] for of_view in manifest.statuses.values()) for status in STATUSES},
        "views": {
            view.view: {"version": view.version, **manifest.statuses[view.view]}
            for view in manifest.recipe.views
        },
    }
