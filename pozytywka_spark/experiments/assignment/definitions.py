"""Definitions of experiments: revisions, append-only, the latest one holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import LakeError, UsageError
from pozytywka_spark.experiments.assignment.allocation import Allocation, Range, layer_slot
from pozytywka_spark.experiments.assignment.hashing import BUCKETS
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.schemas import EXPERIMENTS

RUNNING, ENDED = "running", "ended"
HASH, IMPORT = "hash", "import"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Definition:
    """A revision of an experiment: what holds from the cut-off `at` on."""

    name: str
    revision: int
    at: date
    status: str
    source: str
    salt: str
    layer: str
    layer_low: int
    layer_high: int
    allocation: Allocation
    moves: bool
    settings: Mapping[str, object]

    @property
    def settings_text(self) -> str:
        """The settings as they are kept with each assignment."""
        return json.dumps(self.settings, sort_keys=True)


@dataclass(frozen=True)
class Experiment:
    """All revisions of an experiment, in order."""

    revisions: tuple[Definition, ...]

    @property
    def latest(self) -> Definition:
        """What holds now."""
        return self.revisions[-1]

    @property
    def started(self) -> date:
        """The cut-off from which purchases count."""
        return self.revisions[0].at

    @property
    def ended(self) -> date | None:
        """The cut-off at which it ended, None while it runs."""
        return self.latest.at if self.latest.status == ENDED else None


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
    found: dict[str, list[Definition]] = {}
    for row in sorted(rows, key=lambda row: (row["experiment"], row["revision"])):
        found.setdefault(row["experiment"], []).append(_definition(row))
    return {name: Experiment(tuple(revisions)) for name, revisions in found.items()}


def find(lake: Lake, name: str) -> Experiment:
    """The experiment of that name. Raises `UsageError` naming those there are."""
    known = read_experiments(lake)
    if name not in known:
        names = ", ".join(sorted(known)) or "none yet"
        raise UsageError(
            f"no experiment {name} in {lake.root} (there are: {names}); "
            f"start it with: experiment assign --name {name} --share 20"
        )
    return known[name]


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
    known: Mapping[str, Experiment],
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
        latest = [each.latest for each in known.values() if not each.ended]
        taken = {each.name: (each.layer_low, each.layer_high) for each in latest if each.layer == layer}
        low, high = layer_slot(layer, taken, traffic)
    kept = {
        "population": settings.experiments.population,
        "alpha": settings.experiments.alpha,
        "expected_share": settings.experiments.expected_share,
        "shares": allocation.shares,
    }
    salt = settings.experiments.salt if source == HASH else ""
    return Definition(name, 1, at, RUNNING, source, salt, layer, low, high, allocation, False, kept)


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
    chosen = allocation or latest.allocation
    return replace(
        latest,
        revision=latest.revision + 1,
        at=at,
        status=ENDED if end else RUNNING,
        allocation=chosen,
        moves=moves,
        settings={**latest.settings, "shares": chosen.shares},
    )


def append(spark: SparkSession, lake: Lake, definition: Definition, known: Mapping[str, Experiment]) -> None:
    """Record a revision, unless another process has recorded one since `known` was read.

    Revisions are numbered over all experiments by the transaction, so that two that take the same
    slot of a layer at the same moment can't both be recorded. Raises `LakeError` for the later one.
    """
    number = 1 + sum(len(each.revisions) for each in known.values())
    row = (
        definition.name,
        definition.revision,
        midnight(definition.at),
        definition.status,
        definition.source,
        definition.salt,
        definition.layer,
        definition.layer_low,
        definition.layer_high,
        [(taken.group, taken.low, taken.high) for taken in definition.allocation.ranges],
        definition.moves,
        definition.settings_text,
    )
    frame = spark.createDataFrame([row], EXPERIMENTS.schema)
    if lake.append(frame, EXPERIMENTS, txn=Txn("experiments", number)) is None:
        raise LakeError(
            f"experiments in {lake.root} were changed by someone else at this moment: run the command again"
        )


def midnight(day: date) -> datetime:
    """The cut-off as a time in UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)


def as_rows(known: Mapping[str, Experiment], users: Mapping[str, int]) -> Sequence[dict[str, object]]:
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
        for name, each in sorted(known.items())
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
