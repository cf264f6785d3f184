"""Decide: all cases opened since a build, scored in one pass; audits first withdraw sides that fell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.factory.decide_work import OUT, DecideGroups, Decider, Side
from pozytywka_spark.factory.inputs import Gathered, Group, data_end, gather_file, gather_lake, micros
from pozytywka_spark.factory.labelled import FORMATS
from pozytywka_spark.factory.states import STOPPED, States, changed, read_states, write_states
from pozytywka_spark.factory.watch import withdrawals
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import DECISIONS, FACTORY_BOOSTERS


@dataclass(frozen=True)
class DecideReport:
    """`cases`: by mode and decision; `withdrawn`: sides that audits stopped."""

    until: datetime
    cases: Mapping[tuple[str, str], int]
    withdrawn: Sequence[Mapping[str, Any]]
    out: str = ""


def decide(settings: Settings, lake: Lake, until: datetime | None) -> DecideReport:
    """Append `decisions` of cases opened before `until`; done again it adds nothing.

    Raises `DataError` where the signals aren't those of a build, `UsageError` where there is none.
    """
    until = until or data_end(settings, lake)
    states = _states(lake)
    with lake.tasks() as tasks:
        withdrawn = [
            changed(row, STOPPED, reason, at)
            for row, reason, at in withdrawals(settings, lake, tasks, states, until)
        ]
        if withdrawn:
            write_states(lake, withdrawn)
            states = read_states(lake)
        deciders = _deciders(lake, states, until)
        if not deciders:
            return DecideReport(until, {}, withdrawn)
        since = min(
            states.built_at(each.build_id, group) for group, mine in deciders.items() for each in mine
        )
        gathered = gather_lake(lake, tasks, until, group=None, labelled=False, since=since)
        done = _run(settings, tasks, gathered, deciders, there=_there(lake, tasks))
        if done.written:
            lake.append(done.written, DECISIONS)
    return DecideReport(until, _counts(done.results), withdrawn)


def decide_file(
    settings: Settings,
    lake: Lake,
    path: str,
    out: str,
    *,
    score_column: str = "",
    until: datetime | None = None,
) -> DecideReport:
    """Decide the rows of a table as of now and write them to a file; the lake stays as it is."""
    if Path(out).suffix.lower() not in FORMATS:
        raise UsageError(f"--out {out}: expected a file that ends in {', '.join(FORMATS)}")
    states = _states(lake)
    with lake.tasks() as tasks:
        gathered = gather_file(tasks, path, group=None, score_column=score_column, needs_verdict=False)
        latest = max(row["effective_at"] for row in states.rows)
        until = until or max(gathered.latest or latest, latest)
        deciders = _deciders(lake, states, until, newest_only=True)
        unknown = [
            each.name for each in gathered.groups if each.name not in {r["group"] for r in states.rows}
        ]
        if unknown:
            raise DataError(
                f"--from {path}: group {unknown[0]} is in no build: run factory build --from first"
            )
        done = _run(settings, tasks, gathered, deciders, to_file=True)
        parcels = done.of(OUT)
        decided = tasks.fetch(parcels) if parcels else pl.DataFrame(schema=list(DECISIONS.columns))
    _write(decided.sort("case_id"), out)
    return DecideReport(until, _counts(done.results), [], out)


def _states(lake: Lake) -> States:
    states = read_states(lake)
    if not states.rows:
        raise UsageError(f"no model was ever built in {lake.root}: run factory build first")
    return states


def _run(
    settings: Settings,
    tasks: Tasks,
    gathered: Gathered,
    deciders: Mapping[str, tuple[Decider, ...]],
    *,
    there: tuple[DataFile, ...] = (),
    to_file: bool = False,
) -> Any:
    chosen = settings.factory
    work = DecideGroups(
        gathered.names, chosen.audit_share, chosen.audit_salt, gathered.past, there, to_file=to_file
    )
    pairs: list[tuple[Group, tuple[Decider, ...]]] = [
        (group, deciders[group.name]) for group in gathered.groups if group.name in deciders
    ]
    return tasks.run(
        pairs, work, weight=lambda pair: pair[0].size // 16 + 1, named=lambda pair: f"group {pair[0].name}"
    )


def _there(lake: Lake, tasks: Tasks) -> tuple[DataFile, ...]:
    if not lake.exists(DECISIONS.name):
        return ()
    return tuple(file for shard in lake.shards(DECISIONS.name, tasks) for file in shard.files)


def _deciders(
    lake: Lake, states: States, until: datetime, *, newest_only: bool = False
) -> dict[str, tuple[Decider, ...]]:
    """Of each group the builds that watch or decide at some time before `until`."""
    sides: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = {}
    for row in sorted(states.rows, key=lambda row: row["effective_at"]):
        if row["threshold"] is not None and row["effective_at"] <= until:
            sides.setdefault((row["group"], row["build_id"]), {}).setdefault(row["side"], []).append(row)
    if newest_only:
        begun = {key: states.built_at(key[1], key[0]) for key in sides}
        newest: dict[str, tuple[str, str]] = {}
        for key in sorted(sides, key=lambda key: (begun[key], key)):
            newest[key[0]] = key
        sides = {key: sides[key] for key in newest.values()}
    boosters = {
        (row["group"], build_id): row
        for build_id in sorted({build for _, build in sides})
        for row in lake.rows(FACTORY_BOOSTERS.name, partitions=[{"build_id": build_id}]).to_pylist()
    }
    found: dict[str, list[Decider]] = {}
    for (group, build_id), mine in sides.items():
        chosen = tuple(
            Side(side, float(rows[-1]["threshold"]), _history(rows)) for side, rows in sorted(mine.items())
        )
        since = micros(states.built_at(build_id, group))
        found.setdefault(group, []).append(
            Decider(build_id, boosters[group, build_id], chosen, since, _replaced(states, group, build_id))
        )
    return {group: tuple(each) for group, each in found.items()}


def _history(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[int, str], ...]:
    return tuple((micros(row["effective_at"]), str(row["state"])) for row in rows)


def _replaced(states: States, group: str, build_id: str) -> int:
    """When a build's part ends: once a newer one is there that it doesn't outlive by being live."""
    moments = sorted({row["effective_at"] for row in states.rows if row["group"] == group})
    for moment in moments:
        in_force = {row["build_id"] for row in states.at(moment) if row["group"] == group}
        if moment > states.built_at(build_id, group) and build_id not in in_force:
            return micros(moment)
    return 2**62


def _counts(results: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    counts: Counter[tuple[str, str]] = Counter()
    for line in results:
        counts[line["mode"], line["decision"]] += line["cases"]
    return dict(sorted(counts.items()))


def _write(decided: pl.DataFrame, out: str) -> None:
    """In one move, so that nobody reads half a file."""
    path = Path(out)
    unfinished = path.with_name(f"{path.name}.tmp")
    kind = path.suffix.lower()
    if kind == ".parquet":
        decided.write_parquet(unfinished)
    elif kind == ".csv":
        decided.with_columns(pl.col("reasons").list.join(" ")).write_csv(unfinished)
    else:
        decided.write_ndjson(unfinished)
    unfinished.replace(path)
