"""Decide: all cases opened since a build, scored in one pass; sides that audits refute are withdrawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.factory.decide_work import OUT, DecideGroups, Decider, Side
from pozytywka_spark.factory.inputs import NEVER, Gathered, Group, data_end, gather_file, gather_lake
from pozytywka_spark.factory.labelled import FORMATS
from pozytywka_spark.factory.states import STOPPED, States, changed, is_of_table, read_states, write_states
from pozytywka_spark.factory.watch import withdrawals
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import as_micros
from pozytywka_spark.reports.files import unfinished
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
    states = _states(lake)
    until = until or data_end(settings, lake)
    with lake.tasks() as tasks:
        withdrawn = _withdraw(settings, lake, tasks, states, until)
        if withdrawn:
            states = read_states(lake)
        deciders = _deciders(lake, states, until)
        if not deciders:
            return DecideReport(until, {}, withdrawn)
        since = min(
            states.built_at(each.build_id, group) for group, mine in deciders.items() for each in mine
        )
        gathered = gather_lake(lake, tasks, until, group=None, labelled=False, since=since)
        done = _run(settings, tasks, gathered, deciders, there=data_files(lake, tasks, DECISIONS.name))
        if done.written:
            lake.append(done.written, DECISIONS)
        # also by the audits just drawn: the same command again would find them and withdraw
        withdrawn += _withdraw(settings, lake, tasks, states, until)
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
        deciders = _deciders(lake, states, until, of_tables=True)
        _refuse_unknown(path, gathered, deciders, states)
        done = _run(settings, tasks, gathered, deciders, to_file=True)
        _write(_by_group(tasks, done.of(OUT)), out)
    return DecideReport(until, _counts(done.results), [], out)


def _withdraw(
    settings: Settings, lake: Lake, tasks: Tasks, states: States, until: datetime
) -> list[dict[str, Any]]:
    """Stop the live sides that audits refute; their new rows."""
    withdrawn = [
        changed(row, STOPPED, reason, at)
        for row, reason, at in withdrawals(settings, lake, tasks, states, until)
    ]
    if withdrawn:
        write_states(lake, withdrawn)
    return withdrawn


def _refuse_unknown(
    path: str, gathered: Gathered, deciders: Mapping[str, tuple[Decider, ...]], states: States
) -> None:
    """A group of which nothing was proven isn't decided; one that no table had is a mistake."""
    built = {row["group"] for row in states.rows}
    unknown = [each.name for each in gathered.groups if each.name not in built]
    if unknown:
        raise DataError(f"--from {path}: group {unknown[0]} is in no build: run factory build --from first")
    if not any(each.name in deciders for each in gathered.groups):
        raise DataError(
            f"--from {path}: no build of a table has kept a side of its groups: "
            "run factory build --from first"
        )


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


def _deciders(
    lake: Lake, states: States, until: datetime, *, of_tables: bool = False
) -> dict[str, tuple[Decider, ...]]:
    """Of each group the builds that watch or decide at some time before `until`.

    `of_tables`: of the builds of labelled tables the newest, which decide tables; else those of the lake.
    """
    sides: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = {}
    for row in sorted(states.rows, key=lambda row: row["effective_at"]):
        if row["threshold"] is not None and row["effective_at"] <= until:
            sides.setdefault((row["group"], row["build_id"]), {}).setdefault(row["side"], []).append(row)
    boosters = {
        (row["group"], build_id): row
        for build_id in sorted({build for _, build in sides})
        for row in lake.rows(FACTORY_BOOSTERS.name, partitions=[{"build_id": build_id}]).to_pylist()
    }
    by_group = states.of_groups()
    found: dict[str, list[Decider]] = {}
    for (group, build_id), mine in sorted(sides.items()):
        booster, own = boosters[group, build_id], by_group[group]
        if is_of_table(booster) == of_tables:
            chosen = tuple(
                Side(side, float(rows[-1]["threshold"]), _in_micros(own.history(build_id, side)))
                for side, rows in sorted(mine.items())
            )
            since = as_micros(own.built_at(build_id, group))
            found.setdefault(group, []).append(Decider(build_id, booster, chosen, since, _ends(chosen)))
    if of_tables:
        return {group: (max(each, key=lambda one: one.since),) for group, each in found.items()}
    return {group: tuple(each) for group, each in found.items()}


def _in_micros(history: Sequence[tuple[datetime, str]]) -> tuple[tuple[int, str], ...]:
    return tuple((as_micros(moment), state) for moment, state in history)


def _ends(sides: Sequence[Side]) -> int:
    """When a build's part ends: once no side of it is in force any more; a side never comes back."""
    return max(side.states[-1][0] if side.states[-1][1] == "" else NEVER for side in sides)


def _counts(results: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    counts: Counter[tuple[str, str]] = Counter()
    for line in results:
        counts[line["mode"], line["decision"]] += line["cases"]
    return dict(sorted(counts.items()))


def _by_group(tasks: Tasks, parcels: Sequence[Parcel]) -> Iterator[pl.DataFrame]:
    """Decisions of one group after another, by case: no more than a group's are here at once."""
    if not parcels:
        yield pl.DataFrame(schema=list(DECISIONS.columns))
    for key in sorted({parcel.key for parcel in parcels}):
        yield tasks.fetch([parcel for parcel in parcels if parcel.key == key]).sort("case_id")


def _write(decided: Iterator[pl.DataFrame], out: str) -> None:
    """In one move, so that nobody reads half a file."""
    path = Path(out)
    kind = path.suffix.lower()
    with unfinished(path) as place:
        if kind == ".parquet":
            _write_parquet(decided, place)
            return
        with place.open("wb") as file:
            for number, rows in enumerate(decided):
                if kind == ".csv":
                    joined = rows.with_columns(pl.col("reasons").list.join(" ")) if rows.height else rows
                    joined.write_csv(file, include_header=number == 0)
                else:
                    rows.write_ndjson(file)


def _write_parquet(decided: Iterator[pl.DataFrame], place: Path) -> None:
    first = next(decided)
    with pq.ParquetWriter(place, first.to_arrow().schema) as writer:
        for rows in chain([first], decided):
            writer.write_table(rows.to_arrow())
