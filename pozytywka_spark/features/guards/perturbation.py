"""Guard 1, perturbation: features are made again without the future, then with an invented one, and must not
change by a bit."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.guards.build_under_guard import GuardedBuild
from pozytywka_spark.features.guards.compare_slices import DIFFERENT, USERS, WORLD, Maker
from pozytywka_spark.features.guards.rebuild import Measure, Rebuild, measure_months
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.features.guards.sample import Sample, SliceName, choose_sample
from pozytywka_spark.features.guards.worlds import World, worlds_of
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Result

if TYPE_CHECKING:
    from pozytywka_spark.config.features import Guards


def check_perturbation(
    build: GuardedBuild,
    settings: Guards,
    slices_of: Mapping[str, Sequence[SliceName]],
    *,
    measure: Measure = measure_months,
    maker: type[Maker] = Maker,
) -> GuardResult:
    """Guard `perturbation`: the features written equal those of every world, bit for bit up to its cut-off.

    All users' up to `perturbation_events`, else those of a sample. `slices_of`: of which slices each file of
    features has rows, by its place. `measure` and `maker` are the build's passes, or leaky ones of a test.
    Raises `GuardError` naming the features that change and a row.
    """
    start = time.monotonic()
    worlds = worlds_of(build.months, build.latest, settings.seed)
    written = _by_slice(build, slices_of)
    sample, of_all = Sample(build.buckets), 0
    if build.rows > settings.perturbation_events:
        users = settings.perturbation_users
        sample, of_all = choose_sample(build.tasks, written, build.buckets, build.slices, users)
    run = Rebuild(build, worlds, sample, settings.seed, written)
    invented = run.invent()
    compared = run.compare(run.measure(invented, measure), maker)
    _judge(compared.results, worlds, build.order)
    last = [result[USERS] for result in compared.results if result[WORLD] == worlds[-1].name]
    some = f"all {sum(last):,}" if sample.whole else f"{sum(last):,} of {of_all:,}"
    return GuardResult("perturbation", f"{some} users, {_in_words(worlds)}", time.monotonic() - start)


def _by_slice(
    build: GuardedBuild, slices_of: Mapping[str, Sequence[SliceName]]
) -> dict[SliceName, tuple[DataFile, ...]]:
    by_slice: dict[SliceName, list[DataFile]] = defaultdict(list)
    for file in build.features:
        for name in slices_of[file.place]:
            by_slice[name].append(file)
    return {name: tuple(files) for name, files in by_slice.items()}


def _judge(results: Sequence[Result], worlds: Sequence[World], order: Sequence[str]) -> None:
    """Raise, if any feature differs in any world, naming the first one with the first row where it does."""
    by_name = {world.name: world for world in worlds}
    firsts: dict[str, tuple[date, str, str, int]] = {}
    for facts in results:
        world = by_name[facts[WORLD]]
        for feature, month, user in facts[DIFFERENT]:
            place = (world.cut_off, world.how, month, user)
            firsts[feature] = min(place, firsts.get(feature, place))
    changed = [name for name in order if name in firsts]
    if changed:
        cut_off, how, month, user = firsts[changed[0]]
        others = f"; so do {', '.join(sorted(changed[1:]))}" if len(changed) > 1 else ""
        raise GuardError(
            f"guard perturbation: feature {changed[0]} of user {user}, month {month[:7]} changes when "
            f"the events from {cut_off:%Y-%m-%d} on are {how}{others}: it looks into the future; mend its "
            "expression"
        )


def _in_words(worlds: Sequence[World]) -> str:
    by_month: dict[date, list[str]] = defaultdict(list)
    for world in worlds:
        by_month[world.month].append(world.how)
    parts = [f"after {month:%Y-%m} {' and '.join(hows)}" for month, hows in by_month.items()]
    return f"future {', '.join(parts)}"
