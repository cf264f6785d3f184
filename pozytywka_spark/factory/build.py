"""Build: a model a group, each side kept only as proven; tables, second looks and MLflow runs of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError
from pozytywka_spark.factory.again import ask_again
from pozytywka_spark.factory.build_work import BuildGroups, Kept
from pozytywka_spark.factory.group import How
from pozytywka_spark.factory.inputs import (
    Gathered,
    Group,
    data_end,
    digest_of_file,
    gather_lake,
    is_too_big,
    signal_names,
    versions,
)
from pozytywka_spark.factory.mlflow_log import log_build
from pozytywka_spark.factory.people import noise_of_people
from pozytywka_spark.factory.proof.noise import NOBODY_ERRS, Noise
from pozytywka_spark.factory.proof.sequence import Demands
from pozytywka_spark.factory.report import curves_named, save_curves
from pozytywka_spark.factory.states import (
    DISCARDED,
    LAKE,
    LIVE,
    SHADOW,
    STOPPED,
    TABLE,
    States,
    read_states,
    write_states,
)
from pozytywka_spark.factory.table_inputs import gather_file
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import FACTORY_BOOSTERS

FORMAT = 2
BUILD = "build"  # what second looks are asked for


@dataclass(frozen=True)
class Asked:
    """What to build: of the lake's cases, or of a table (`file`), of which a `score_column` may be given."""

    group: str | None = None
    at: datetime | None = None
    trials: int = 0
    file: str | None = None
    score_column: str = ""

    @property
    def source(self) -> str:
        """Whose cases they are."""
        return TABLE if self.file else LAKE


@dataclass(frozen=True)
class BuildReport:
    """`sides`: rows of `factory_models`; `curves` by group and side; `unchanged`: it was there before."""

    build_id: str
    at: datetime
    sides: Sequence[Mapping[str, Any]]
    curves: Mapping[str, Mapping[str, Sequence[Sequence[float]]]]
    looks: int
    unchanged: bool
    run_id: str = ""


def demands_of(settings: Settings) -> Demands:
    """What settings ask of a side."""
    chosen = settings.factory
    return Demands(chosen.precision, chosen.confidence, chosen.most_missed)


def build(settings: Settings, lake: Lake, asked: Asked) -> BuildReport:
    """See the module. The same inputs build nothing anew. Raises `DataError`, `UsageError`."""
    with lake.tasks() as tasks:
        states = read_states(lake).of(asked.source)
        gathered = _of_file(tasks, asked) if asked.file else None
        at = _as_of(settings, lake, asked, gathered)
        pinned = _pinned(settings, lake, asked, states, at)
        build_id = fingerprint_of(pinned)
        there = [row for row in states.rows if row["build_id"] == build_id]
        if there:
            return BuildReport(build_id, at, there, {}, 0, unchanged=True)
        if gathered is None:
            gathered = gather_lake(
                lake,
                tasks,
                at,
                group=asked.group,
                labelled=True,
                live=[span for span in states.live_spans() if span[1] <= at],
                build_id=build_id,
            )
        if not gathered.groups:
            raise DataError("no case has a verdict by then: nothing to build from")
        how = _how(settings, asked, noise_of_people(lake, tasks, at, build_id))
        kept = Kept(build_id, how, gathered.names, json.dumps(pinned, sort_keys=True))
        results, written = _built(settings, tasks, gathered.groups, kept)
        if written:
            lake.replace_partitions(written, FACTORY_BOOSTERS, [{"build_id": build_id}])
    told = sorted(results, key=lambda line: str(line["group"]))
    looks = [] if asked.file else [case for line in told for case in line["looks"]]
    ask_again(lake, looks, at, build_id, asked_for=BUILD)
    sides = [
        _row(build_id, asked.source, line["group"], proof, at) for line in told for proof in line["proofs"]
    ]
    curves = {line["group"]: line["curves"] for line in told}
    run_id = log_build(settings, lake, build_id, pinned, told)
    save_curves(settings, curves_named(curves, asked.source))
    write_states(lake, sides)
    return BuildReport(build_id, at, sides, curves, len(looks), unchanged=False, run_id=run_id)


def _built(
    settings: Settings, tasks: Tasks, groups: Sequence[Group], kept: Kept
) -> tuple[list[Mapping[str, Any]], list[Written]]:
    """One group a task; those too big for one across executors, one after another."""
    most, trained = settings.factory.max_cells, not kept.how.score_column
    big = [group for group in groups if trained and is_too_big(group, kept.names, most)]
    apart = {group.name for group in big}
    done = tasks.run(
        [group for group in groups if group.name not in apart],
        BuildGroups(kept),
        weight=lambda group: group.size,
        named=lambda group: f"group {group.name}, {group.cases:,} cases",
    )
    results, written = list(done.results), list(done.written)
    for group in big:
        from pozytywka_spark.factory.across.stage import build_across  # xgboost.spark takes its time to load

        told, files = build_across(settings, tasks, group, kept)
        results.append(told)
        written += files
    return results, written


def _of_file(tasks: Tasks, asked: Asked) -> Gathered:
    return gather_file(tasks, str(asked.file), group=asked.group, score_column=asked.score_column)


def _as_of(settings: Settings, lake: Lake, asked: Asked, gathered: Gathered | None) -> datetime:
    """From when on cases are fresh: of a table not before its last one, which the build has seen."""
    if gathered is None:
        return asked.at or data_end(settings, lake)
    if gathered.latest is None:
        raise DataError(f"--from {asked.file}: no row has a verdict: nothing to build from")
    return max(asked.at or gathered.latest, gathered.latest)


def _pinned(settings: Settings, lake: Lake, asked: Asked, states: States, at: datetime) -> dict[str, Any]:
    """All that decides a build. The factory's own tables aren't part of it, but for who was live by then:
    meanwhile only audits test.
    """
    live = sorted(
        f"{row['group']} {row['side']} {row['state']} {row['effective_at']}"
        for row in states.rows
        if row["state"] in (LIVE, STOPPED) and row["effective_at"] <= at
    )
    return {
        "format": FORMAT,
        "at": at.isoformat(),
        "group": asked.group,
        "trials": asked.trials,
        "score": asked.score_column,
        "inputs": digest_of_file(asked.file) if asked.file else versions(lake),
        "signals": [] if asked.file else signal_names(lake),
        "live": [] if asked.file else live,
        "settings": deciding(settings, "factory"),
    }


def _how(settings: Settings, asked: Asked, noise: Noise) -> How:
    chosen = settings.factory
    return How(
        demands_of(settings),
        chosen.training_share,
        chosen.order_share,
        chosen.purge_days,
        chosen.second_looks,
        chosen.max_rounds,
        settings.training.seed,
        asked.trials,
        NOBODY_ERRS if asked.file else noise,
        asked.score_column,
    )


def _row(build_id: str, source: str, group: str, proof: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    state = SHADOW if proof["threshold"] is not None else DISCARDED
    return {
        **proof,
        "build_id": build_id,
        "source": source,
        "group": group,
        "state": state,
        "effective_at": at,
    }
