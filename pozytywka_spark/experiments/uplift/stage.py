"""Treatment log, features and purchases -> who was persuaded, and whether targeting by it would pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.allocation import CONTROL
from pozytywka_spark.experiments.assignment.assign import assigned_files
from pozytywka_spark.experiments.assignment.cut_offs import next_cut_off
from pozytywka_spark.experiments.assignment.definition import Experiment
from pozytywka_spark.experiments.purchases import find_purchases
from pozytywka_spark.experiments.slices import files_of
from pozytywka_spark.experiments.uplift.fold_work import CountCells, EstimateFold, Fitting, Fold
from pozytywka_spark.experiments.uplift.qini import curve, replicates
from pozytywka_spark.experiments.uplift.report import UpliftReport, make_report
from pozytywka_spark.experiments.uplift.rows_work import FOLDS, ROWS, EntryMonth, JoinUsers, facts_told
from pozytywka_spark.features.lake_catalogue import built_catalogue
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import previous_month
from pozytywka_spark.schemas import PREDICTIONS, UPLIFT

CELL = ("uplift_bin", "score_bin", "treated", "revision", "bought")


def uplift(settings: Settings, lake: Lake, name: str, treatment: str | None = None) -> UpliftReport:
    """Estimate each user's uplift by models fitted on others: table `uplift`, Qini curves, page, MLflow run.

    A purchase counts within `experiments.uplift.horizon_days` of entry; users whose horizon isn't over
    take no part. The same inputs are not fitted twice. Raises `DataError` with the counts if they are too
    few, `UsageError` for an unknown experiment or treatment.
    """
    experiment = definitions.find(lake, name)
    group = _treatment(experiment, treatment)
    order, chosen = built_catalogue(settings, lake).order, settings.experiments.uplift
    shares = treated_shares(experiment, group)
    work_until = min(next_cut_off(lake, settings.data), experiment.ended or date.max)
    with lake.tasks() as tasks:
        months = _entry_months(lake, tasks, experiment, work_until, order)
        join = _join(settings, lake, tasks, experiment, group, work_until, order)
        done = tasks.run(
            months, join, weight=lambda item: item.size, named=lambda item: f"users after {item.month:%Y-%m}"
        )
        facts = facts_told(done.results, order)
        check_enough(facts.sizes, group, chosen.min_purchases)
        # what doesn't fit into a task's memory is estimated all the same, by models of a sample
        share = min(1.0, settings.training.rows_in_memory / facts.users)
        uplift_id = fingerprint_of([facts.content, list(order), group, share, deciding(settings, "uplift")])
        told = _counted(lake, tasks, name)
        unchanged = {one for line in told for one in line["ids"]} == {uplift_id}
        if not unchanged:
            fitting = Fitting(chosen.method, _parameters(settings), chosen.max_trees, shares, share)
            estimate = EstimateFold(name, group, uplift_id, fitting, facts.scored)
            written = tasks.run(
                _folds(done.of(ROWS)),
                estimate,
                weight=lambda fold: fold.size,
                named=lambda fold: f"half {fold.number + 1} of {name}",
            ).written
            lake.replace_partitions(written, UPLIFT, [{"experiment": name}])
            told = _counted(lake, tasks, name)
    cells = cells_told(told)
    counts = replicates(cells["users"].to_numpy(np.int64), chosen.bootstrap, chosen.seed)
    rankings = ("uplift", "score") if any(line["scored"] for line in told) else ("uplift",)
    curves = {by: curve(cells, f"{by}_bin", counts, shares) for by in rankings}
    return make_report(
        settings,
        name,
        group,
        int(cells["users"].sum()),
        curves,
        uplift_id,
        unchanged=unchanged,
        fitted_share=share,
    )


def check_enough(sizes: Mapping[tuple[int, int], tuple[int, int]], group: str, fewest: int) -> None:
    """Raise `DataError` unless each group has `fewest` purchases in each fold."""
    for fold in range(FOLDS):
        for treated, name in ((1, group), (0, CONTROL)):
            users, bought = sizes.get((fold, treated), (0, 0))
            if bought < fewest:
                raise DataError(
                    f"too little data for uplift: {name} has {bought} purchases among {users:,} users in "
                    f"half {fold + 1}, at least {fewest} are needed; wait for more months, assign more "
                    "users, or raise experiments.uplift.horizon_days"
                )


def treated_shares(experiment: Experiment, group: str) -> dict[int, float]:
    """By revision: the share of `group` among itself and control."""
    shares = {}
    for each in experiment.revisions:
        sizes = each.allocation.sizes
        shares[each.revision] = sizes[group] / (sizes[group] + sizes[CONTROL]) if sizes.get(group) else np.nan
    return shares


def cells_told(results: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Users by bins of both rankings, group, stratum and outcome: at most 1,600 rows a stratum."""
    frame = pd.DataFrame([cell for line in results for cell in line["cells"]], columns=[*CELL, "users"])
    # in order: the bootstrap draws in this one
    return frame.groupby(list(CELL), sort=True)["users"].sum().reset_index()


def _entry_months(
    lake: Lake, tasks: Tasks, experiment: Experiment, until: date, order: Sequence[str]
) -> list[EntryMonth]:
    """The months before those in which users may have entered, each with its files.

    Raises `DataError` if the tables aren't there.
    """
    missing = [table for table in ("features", "assignments") if not lake.exists(table)]
    if missing:
        raise DataError(
            f"uplift needs {', '.join(missing)}: run the features job and experiment assign first"
        )
    features = files_of(lake, tasks, "features", ["user_id", "month", *order])
    predictions: tuple[DataFile, ...] = ()
    if lake.exists(PREDICTIONS.name):
        columns = ["user_id", "month", "model_version", "margin", *(["label"] if _labelled(lake) else [])]
        predictions = files_of(lake, tasks, PREDICTIONS.name, columns)
    months = sorted({file.partition["month"] for file in features})
    return [
        EntryMonth(
            month,
            tuple(file for file in features if file.partition["month"] == month),
            tuple(file for file in predictions if file.partition["month"] == month),
        )
        for month in months
        if previous_month(experiment.started) <= month < until
    ]


def _join(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    experiment: Experiment,
    group: str,
    until: date,
    order: tuple[str, ...],
) -> JoinUsers:
    return JoinUsers(
        group=group,
        order=order,
        salt=settings.experiments.salt,
        horizon_days=settings.experiments.uplift.horizon_days,
        until=until,
        assigned=assigned_files(lake, tasks, experiment.latest.name),
        bought=find_purchases(lake, tasks),
        labelled=_labelled(lake),
    )


def _labelled(lake: Lake) -> bool:
    schema = lake.schema(PREDICTIONS.name)
    return schema is not None and "label" in schema.names


def _folds(rows: Sequence[Parcel]) -> list[Fold]:
    parcels = {
        fold: tuple(sorted((each for each in rows if each.key == (fold,)), key=lambda each: each.place))
        for fold in range(FOLDS)
    }
    return [
        Fold(
            fold,
            parcels[fold],
            tuple(each for other in range(FOLDS) if other != fold for each in parcels[other]),
        )
        for fold in range(FOLDS)
    ]


def _parameters(settings: Settings) -> dict[str, Any]:
    chosen = settings.experiments.uplift
    return {
        "max_depth": chosen.max_depth,
        "learning_rate": chosen.learning_rate,
        "min_child_weight": chosen.min_child_weight,
        "tree_method": "hist",
        "seed": chosen.seed,
    }


def _counted(lake: Lake, tasks: Tasks, name: str) -> Sequence[Mapping[str, Any]]:
    """What `CountCells` tells of the estimates that are there."""
    if not lake.exists(UPLIFT.name):
        return ()
    columns = ["uplift_bin", "score_bin", "group", "revision", "bought", "score", "uplift_id"]
    files = files_of(lake, tasks, UPLIFT.name, columns, [{"experiment": name}])
    return tasks.run(
        files, CountCells(), weight=lambda file: file.size, named=lambda file: file.place
    ).results


def _treatment(experiment: Experiment, asked: str | None) -> str:
    treatments = experiment.latest.allocation.treatments
    if asked and asked not in treatments:
        raise UsageError(
            f"--treatment {asked}: experiment {experiment.latest.name} has {', '.join(treatments)}"
        )
    return asked or treatments[0]
