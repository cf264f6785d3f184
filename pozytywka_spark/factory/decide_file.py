"""Decide a table's rows into a file: pieces by tasks, nothing but counts here, the lake as it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.factory.decide import DecideReport, counts_of, ruling_of, states_of
from pozytywka_spark.factory.decide_table_work import OUT, DecidePieces, WriteOut
from pozytywka_spark.factory.decide_work import Decider
from pozytywka_spark.factory.deciders import booster_files, builds_of, deciders_of, newest_of
from pozytywka_spark.factory.labelled import features_of
from pozytywka_spark.factory.states import TABLE
from pozytywka_spark.factory.table_inputs import buckets_of, read_pieces, refuse_cases_twice
from pozytywka_spark.factory.table_pieces import FORMATS
from pozytywka_spark.lake.api import Lake


def decide_file(
    settings: Settings,
    lake: Lake,
    path: str,
    out: str,
    *,
    score_column: str = "",
    until: datetime | None = None,
) -> DecideReport:
    """Decide the rows of a table by the newest builds of tables and write them to a file, in its order.

    By what held of each side at a row's `cut_off`, of what was recorded by `until`; a row of before its build
    by what held then. Raises `DataError`, `UsageError`.
    """
    if Path(out).suffix.lower() not in FORMATS:
        raise UsageError(f"--out {out}: expected a file that ends in {', '.join(FORMATS)}")
    states = states_of(lake, TABLE)
    deciders = newest_of(deciders_of(states, until))
    with lake.tasks() as tasks:
        table = read_pieces(tasks, path, score_column, needs_verdict=False)
        work = DecidePieces(
            path,
            table.kinds,
            score_column,
            ruling_of(settings, features_of(list(table.kinds), score_column)),
            frozenset(row["group"] for row in states.rows),
            _only(deciders),
            booster_files(lake, tasks, builds_of(deciders)),
            buckets_of(table),
        )
        done = tasks.run(table.parcels, work, weight=lambda parcel: parcel.size, named=lambda _: path)
        refuse_cases_twice(tasks, done, path)
        decided = tuple(sorted(done.of(OUT), key=lambda parcel: parcel.key))
        if not decided:
            raise DataError(
                f"--from {path}: no build of a table has kept a side of its groups: "
                "run factory build --from first"
            )
        size = sum(parcel.size for parcel in decided)
        tasks.run([(out, decided)], WriteOut(), weight=lambda _: size, named=lambda _: out)
    last = max(row["effective_at"] for row in states.rows)
    return DecideReport(until or last, counts_of(done.results), [], out)


def _only(deciders: Mapping[str, tuple[Decider, ...]]) -> dict[str, Decider]:
    return {group: one for group, (one,) in deciders.items()}
