"""Decide: all cases opened since a build, scored in one pass; sides that audits refute are withdrawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.factory.across.spread import in_parts
from pozytywka_spark.factory.again import ask_again
from pozytywka_spark.factory.decide_work import DecideGroups, Decider, Ruling
from pozytywka_spark.factory.deciders import Deciders, booster_files, builds_of, deciders_of
from pozytywka_spark.factory.inputs import Gathered, Group, data_end, gather_lake
from pozytywka_spark.factory.labels import WATCH
from pozytywka_spark.factory.states import LAKE, STOPPED, Row, States, changed, read_states, write_states
from pozytywka_spark.factory.tally import Tally
from pozytywka_spark.factory.watch import audited, withdrawals
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.schemas import DECISIONS


@dataclass(frozen=True)
class DecideReport:
    """`cases`: by mode and decision; `withdrawn`: sides that audits stopped; `waiting`: audited cases that
    people are asked about again.
    """

    until: datetime
    cases: Mapping[tuple[str, str], int]
    withdrawn: Sequence[Mapping[str, Any]]
    out: str = ""
    waiting: int = 0


def decide(settings: Settings, lake: Lake, until: datetime | None) -> DecideReport:
    """Append `decisions` of cases opened before `until`; done again it adds nothing.

    Raises `DataError` where the signals aren't those of a build, `UsageError` where there is none.
    """
    states = states_of(lake, LAKE)
    until = until or data_end(settings, lake)
    with lake.tasks() as tasks:
        withdrawn = _withdraw(lake, audited(settings, lake, tasks, states, until))
        if withdrawn:
            states = read_states(lake).of(LAKE)
        deciders = deciders_of(states, until)
        if not deciders:
            return DecideReport(until, {}, withdrawn)
        since = min(
            states.built_at(each.build_id, group) for group, mine in deciders.items() for each in mine
        )
        gathered = gather_lake(lake, tasks, until, group=None, labelled=False, since=since)
        done = _run(settings, lake, tasks, gathered, deciders)
        if done.written:
            lake.append(done.written, DECISIONS)
        # also by the audits just drawn: the same command again would find them and withdraw
        sides = audited(settings, lake, tasks, states, until)
        withdrawn += _withdraw(lake, sides)
        stay = [(row, side) for row, side in sides if side.withdrawn is None]
        for row, side in stay:
            ask_again(lake, side.ask, until, row["build_id"], asked_for=WATCH)
    waiting = sum(side.waiting for _, side in stay)
    return DecideReport(until, counts_of(done.results), withdrawn, waiting=waiting)


def _withdraw(lake: Lake, sides: Sequence[tuple[Row, Tally]]) -> list[dict[str, Any]]:
    """Stop the live sides that audits refute; their new rows."""
    withdrawn = [changed(row, STOPPED, reason, at) for row, reason, at in withdrawals(sides)]
    if withdrawn:
        write_states(lake, withdrawn)
    return withdrawn


def states_of(lake: Lake, source: str) -> States:
    """Raises `UsageError` where nothing was ever built of such cases."""
    states = read_states(lake).of(source)
    if not states.rows:
        how, of = ("build", "the lake's cases") if source == LAKE else ("build --from FILE", "a table")
        raise UsageError(f"no model was ever built of {of} in {lake.root}: run factory {how} first")
    return states


def ruling_of(settings: Settings, names: Sequence[str]) -> Ruling:
    """What settings say of decisions."""
    return Ruling(tuple(names), settings.factory.audit_share, settings.factory.audit_salt)


def _run(settings: Settings, lake: Lake, tasks: Tasks, gathered: Gathered, deciders: Deciders) -> Done:
    work = DecideGroups(
        ruling_of(settings, gathered.names),
        gathered.past,
        booster_files(lake, tasks, builds_of(deciders)),
        there=data_files(lake, tasks, DECISIONS.name),
    )
    pairs: list[tuple[Group, tuple[Decider, ...]]] = [
        (part, deciders[group.name])
        for group in gathered.groups
        if group.name in deciders
        for part in in_parts(tasks, group, gathered.names, settings.factory.max_cells)
    ]
    return tasks.run(
        pairs, work, weight=lambda pair: pair[0].size // 16 + 1, named=lambda pair: f"group {pair[0].name}"
    )


def counts_of(results: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    """Cases by mode and decision."""
    counts: Counter[tuple[str, str]] = Counter()
    for line in results:
        counts[line["mode"], line["decision"]] += line["cases"]
    return dict(sorted(counts.items()))
