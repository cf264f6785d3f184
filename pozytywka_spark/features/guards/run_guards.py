"""The guards that run at this stage, in order of cost, before anything is committed."""

from __future__ import annotations

from pozytywka_spark import schemas
from pozytywka_spark.features.build.build_months import Build, Made
from pozytywka_spark.features.build.suspicion_sample import CANDIDATES, OLDER
from pozytywka_spark.features.declared.catalogue import feature_order
from pozytywka_spark.features.guards.build_under_guard import GuardedBuild
from pozytywka_spark.features.guards.feature_names import check_names
from pozytywka_spark.features.guards.perturbation import check_perturbation
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.features.guards.rows import CheckRows, check_rows
from pozytywka_spark.features.guards.single_features import check_single_features
from pozytywka_spark.lake.table_files import readable


def run_guards(build: Build, made: Made) -> list[GuardResult]:
    """Guards `names`, `rows`, `suspicion` and `perturbation`.

    Suspicion spares what `features.drop` names. The others look at it too: it is written all the same, and a
    run that no longer drops it finds its months built.

    What earlier builds have written passed its own guards, under the same catalogue: another one makes every
    month stale. Raises `GuardError`.
    """
    order = feature_order(build.settings, build.features)
    results = [check_names([feature.name for feature in build.features])]
    guarded = _guarded(build, made)
    bought = tuple(one for month in sorted(build.bought) for one in build.bought[month])
    rows, slices_of = check_rows(
        build.tasks, guarded.features, CheckRows(bought, guarded.buckets, guarded.slices)
    )
    results += [rows, _check_suspicion(build, made, order)]
    if build.settings.guards.perturbation:
        results.append(check_perturbation(guarded, build.settings.guards, slices_of))
    return results


def _guarded(build: Build, made: Made) -> GuardedBuild:
    table = schemas.features_table([feature.name for feature in build.features])
    return GuardedBuild(
        build.tasks,
        build.plan,
        build.months,
        build.events,
        build.bought,
        build.prepared.first.tracks,
        build.prepared.first.users,
        build.prepared.buckets,
        build.slices,
        made.played,
        tuple(readable(file, table) for file in made.of(table.name)),
        build.earlier.held,
        build.earlier.plays,
        build.prepared.first.favourite_groups,
        build.prepared.first.texts,
        made.measured,
    )


def _check_suspicion(build: Build, made: Made, order: tuple[str, ...]) -> GuardResult:
    """Over the features made now and those of earlier months, whose labels are the ones known by now."""
    guards, older = build.settings.guards, made.done.of(OLDER)
    files = []
    if older:
        months = [{"month": month} for month in build.prepared.look.known.built if month < build.months[0]]
        shards = build.lake.shards("features", build.tasks, months) if months else []
        files = [file for shard in shards for file in shard.files]
    return check_single_features(
        build.tasks,
        made.done.of(CANDIDATES),
        older,
        files,
        order,
        rows=guards.suspicion_rows,
        seed=guards.seed,
        limit=guards.max_single_auc,
    )
