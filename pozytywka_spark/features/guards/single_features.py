"""Guard 5, suspicion: a single feature that tells the label almost by itself is a leak until proven not."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.suspicion_sample import SingleFeatures
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Result, Tasks

ENOUGH_POSITIVES = 20  # below it a true AUC of 0.8 passes 0.95 by chance too often
FEWEST_POSITIVES = 8  # below it even perfect separation by one of a hundred features is chance


def check_single_features(
    tasks: Tasks,
    parcels: Sequence[Parcel],
    older: Sequence[Parcel],
    files: Sequence[DataFile],
    names: Sequence[str],
    *,
    rows: int,
    seed: int,
    limit: float,
) -> GuardResult:
    """Guard `suspicion`: none of the features `names` alone has a ROC AUC of `limit` or more.

    `parcels`, `older` and `files` as of `SingleFeatures`, whose job this runs over at most `rows` rows with a
    known label. With 8 to 19 positives only perfect separation counts, with fewer nothing does, and the
    result says so. Raises `GuardError` naming the feature.
    """
    start = time.monotonic()
    results: Sequence[Result] = ()
    if names and (parcels or older):
        # each group of features reads a part of each file: a group for each slot is least work
        groups = [tuple(names[place :: tasks.slots]) for place in range(min(tasks.slots, len(names)))]
        size = sum(one.size for one in parcels) + sum(one.size for one in files)
        work = SingleFeatures(tuple(parcels), tuple(older), tuple(files), rows, seed)
        results = tasks.run(groups, work, weight=lambda _: size // len(groups), named=", ".join).results
    return GuardResult("suspicion", judge_singles(results, names, limit), time.monotonic() - start)


def judge_singles(results: Sequence[Result], names: Sequence[str], limit: float) -> str:
    """What was found, in words; `results` by `SingleFeatures`. Raises `GuardError` naming the feature."""
    positives = results[0]["positives"] if results else 0
    rows = results[0]["rows"] if results else 0
    if positives < FEWEST_POSITIVES or positives == rows:
        return f"{positives} positives in {rows} mature rows are too few to judge"
    threshold = limit if positives >= ENOUGH_POSITIVES else 1.0
    singles = {one["feature"]: one for one in results}
    best = max((singles[name] for name in names), key=lambda one: one["auc"])
    name = best["feature"]
    if best["auc"] >= threshold:
        row = f"user {best['user_id']}, month {best['month'][:7]}: {name}={best['value']}"
        raise GuardError(
            f"guard suspicion: feature {name} alone has ROC AUC {best['auc']:.4f} on {positives} positives, "
            f"{threshold} or more ({row}): "
            "a leak unless proven not; fix it, or name it in features.drop"
        )
    return f"best single feature: {name}, AUC {best['auc']:.3f} on {positives} positives"
