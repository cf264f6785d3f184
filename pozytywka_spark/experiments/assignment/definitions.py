"""Definitions of experiments in the lake: revisions, append-only, the latest one holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time
from typing import Any

import pyarrow as pa

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import LakeError, UsageError
from pozytywka_spark.experiments.assignment.allocation import Allocation, Range, layer_slot
from pozytywka_spark.experiments.assignment.definition import (
    ENDED,
    HASH,
    RUNNING,
    Definition,
    Experiment,
)
from pozytywka_spark.experiments.assignment.hashing import BUCKETS
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.schemas import EXPERIMENTS

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def check_name(name: str, flag: str = "--name") -> str:
    """`name` if it can name an experiment, group or layer. Raises `UsageError`."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{flag} {name!r}: expected lower-case letters, digits, '-', '_' or '.'")
    return name


def read_experiments(lake: Lake) -> dict[str, Experiment]:
    """All experiments by name; the table has a row a revision."""
    if not lake.exists(EXPERIMENTS.name):
        return {}
    rows = lake.rows(EXPERIMENTS.name).to_pylist()
    definitions: dict[str, list[Definition]] = {}
    for row in sorted(rows, key=lambda row: (row["experiment"], row["revision"])):
        definitions.setdefault(row["experiment"], []).append(_definition(row))
    return {name: Experiment(tuple(revisions)) for name, revisions in definitions.items()}


def find(lake: Lake, name: str) -> Experiment:
    """The experiment of that name. Raises `UsageError` naming those there are."""
    experiments = read_experiments(lake)
    if name not in experiments:
        names = ", ".join(sorted(experiments)) or "none yet"
        raise UsageError(
            f"no experiment {name} in {lake.root} (there are: {names}); "
            f"start it with: experiment assign --name {name} --share 20"
        )
    return experiments[name]


def running(lake: Lake, name: str) -> Experiment:
    """As `find`; raises `UsageError` if it has ended."""
    experiment = find(lake, name)
    if experiment.ended:
        raise UsageError(
            f"experiment {name} ended at {experiment.ended}: its groups are settled; start another"
        )
    return experiment


def define(
    settings: Settings,
    experiments: Mapping[str, Experiment],
    name: str,
    allocation: Allocation,
    at: date,
    *,
    source: str = HASH,
    layer: str = "",
    traffic: float = 100,
) -> Definition:
    """The first revision of an experiment, with a slot of its own if it shares a layer with others.

    Raises `UsageError` for a bad name or a full layer. An experiment that ended holds no slot.
    """
    check_name(name)
    low, high = 0, BUCKETS
    if layer:
        check_name(layer, "--layer")
        latest = [each.latest for each in experiments.values() if not each.ended]
        taken = {each.name: (each.layer_low, each.layer_high) for each in latest if each.layer == layer}
        low, high = layer_slot(layer, taken, traffic)
    stored = {
        "population": settings.experiments.population,
        "alpha": settings.experiments.alpha,
        "expected_share": settings.experiments.expected_share,
        "shares": allocation.shares,
    }
    salt = settings.experiments.salt if source == HASH else ""
    return Definition(name, 1, at, RUNNING, source, salt, layer, low, high, allocation, False, stored)


def revise(
    latest: Definition,
    at: date,
    *,
    allocation: Allocation | None = None,
    moves: bool = False,
    end: bool = False,
) -> Definition:
    """The next revision. Raises `UsageError` if it would lie before the latest one."""
    if at < latest.at:
        raise UsageError(
            f"--at {at}: experiment {latest.name} was last changed at {latest.at}; time can't run backwards"
        )
    new_allocation = allocation or latest.allocation
    return replace(
        latest,
        revision=latest.revision + 1,
        at=at,
        status=ENDED if end else RUNNING,
        allocation=new_allocation,
        moves=moves,
        settings={**latest.settings, "shares": new_allocation.shares},
    )


def append(lake: Lake, definition: Definition, experiments: Mapping[str, Experiment]) -> None:
    """Record a revision, unless another process has recorded one since `experiments` was read.

    Revisions are numbered over all experiments by the transaction, so that two that take the same
    slot of a layer at the same moment can't both be recorded. Raises `LakeError` for the later one.
    """
    number = 1 + sum(len(each.revisions) for each in experiments.values())
    row = {
        "experiment": definition.name,
        "revision": definition.revision,
        "effective_at": midnight(definition.at),
        "status": definition.status,
        "source": definition.source,
        "salt": definition.salt,
        "layer": definition.layer,
        "layer_low": definition.layer_low,
        "layer_high": definition.layer_high,
        "allocation": [asdict(taken) for taken in definition.allocation.ranges],
        "moves": definition.moves,
        "settings": definition.settings_text,
    }
    rows = pa.Table.from_pylist([row], schema=arrow_schema(EXPERIMENTS.schema))
    if lake.append(rows, EXPERIMENTS, txn=Txn("experiments", number)) is None:
        raise LakeError(
            f"experiments in {lake.root} were changed by someone else at this moment: run the command again"
        )


def midnight(day: date) -> datetime:
    """The cut-off as a time in UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)


def as_rows(experiments: Mapping[str, Experiment], users: Mapping[str, int]) -> Sequence[dict[str, object]]:
    """A line an experiment for people."""
    return [
        {
            "experiment": name,
            "since": each.started.isoformat(),
            "until": each.ended.isoformat() if each.ended else None,
            "shares %": ", ".join(f"{g} {s * 100:g}" for g, s in each.latest.allocation.shares.items()),
            "layer": f"{each.latest.layer} {each.latest.layer_low}–{each.latest.layer_high}"
            if each.latest.layer
            else None,
            "users": users.get(name, 0),
        }
        for name, each in sorted(experiments.items())
    ]


def _definition(row: Mapping[str, Any]) -> Definition:
    ranges = tuple(Range(part["group"], part["low"], part["high"]) for part in row["allocation"])
    return Definition(
        name=row["experiment"],
        revision=row["revision"],
        at=row["effective_at"].date(),
        status=row["status"],
        source=row["source"],
        salt=row["salt"],
        layer=row["layer"],
        layer_low=row["layer_low"],
        layer_high=row["layer_high"],
        allocation=Allocation(ranges),
        moves=row["moves"],
        settings=json.loads(row["settings"]),
    )
