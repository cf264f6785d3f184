"""Sessions in need, repaired; and what sampled sessions show of their grammar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.ingest.outcomes import COUNTS, DUPLICATE, INCOMPLETE_COPY, UNRESOLVED, count
from pozytywka_spark.ingest.parcels import (
    LEFT,
    LEFT_ROWS,
    LOST_ROWS,
    NEEDY_ROWS,
    REJECTED,
    REJECTED_ROWS,
    SESSION_ROWS,
)
from pozytywka_spark.ingest.resolve.evidence import tally
from pozytywka_spark.ingest.resolve.grammar import Grammar, Key
from pozytywka_spark.ingest.resolve.missing_rows import torn_sessions
from pozytywka_spark.ingest.resolve.regroup import (
    FILLED_TRACK,
    FILLED_TYPE,
    SessionSlice,
    as_they_came,
    sampled,
)
from pozytywka_spark.ingest.resolve.relevant_rows import have_a_say, is_whole
from pozytywka_spark.ingest.resolve.repair import Outcome, repair
from pozytywka_spark.ingest.resolve.session_rows import Row
from pozytywka_spark.ingest.validate.event_shards import stage_complete
from pozytywka_spark.ingest.validate.file_stats import month_of_event
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

# What the kernels see of a row, in the order of `Row`
_SEEN = ("event_time", "event_type", "track_id", "user_id", "no_track", "told")
SHOWN = "shown"


@dataclass(frozen=True)
class Tally:
    """Work on `SessionSlice`s: tells `SHOWN`, the counts of `grammar` in sampled sessions that lack no row.

    A key's parts are joined by blanks. `lost`: LOST parcels; `paths`: the plain paths of the batch's files.
    """

    shares: int
    lost: tuple[Parcel, ...]
    paths: tuple[str, ...]

    def __call__(self, items: Sequence[SessionSlice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Counts of each slice."""
        lost = _shared(self.lost, LOST_ROWS, files)
        columns = ["session_id", *_SEEN[:-1], "source"]
        for item in items:
            around = as_they_came(_read(item.around, SESSION_ROWS, files).filter(sampled(self.shares)))
            needy = _read(item.needy, NEEDY_ROWS, files, columns).filter(sampled(self.shares))
            rows = pl.concat([around.select(columns), needy.select(columns)])
            torn = torn_sessions(rows, lost, self.paths)
            rows = rows.filter(~pl.col("session_id").is_in(torn.implode())).sort("session_id")
            counts: Counter[Key] = Counter()
            for session in _sessions(rows.with_columns(told=pl.lit(False))):
                counts.update(tally(session))
            yield {SHOWN: {" ".join(key): many for key, many in counts.items()}}


def grammar_of(results: Sequence[Any]) -> Grammar:
    """The grammar that `Tally` told of, all slices together."""
    totals: Counter[Key] = Counter()
    for facts in results:
        totals.update({tuple(key.split()): many for key, many in facts.get(SHOWN, {}).items()})
    return Grammar(dict(totals))


@dataclass(frozen=True)
class Repair:
    """Work on `SessionSlice`s: fills in what is certain, tells `COUNTS` of copies.

    Stages COMPLETE rows by month and bucket of user, rows that stay incomplete as REJECTED, and in a `replay`
    copies as LEFT. `lost`: LOST parcels; `paths`: the plain paths of the batch's files.
    """

    grammar: Grammar
    lost: tuple[Parcel, ...]
    paths: tuple[str, ...]
    buckets: int
    replay: bool = False

    def __call__(self, items: Sequence[SessionSlice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Counts of each slice."""
        lost = _shared(self.lost, LOST_ROWS, files)
        for item in items:
            if not item.needy:
                continue
            needy = _read(item.needy, NEEDY_ROWS, files)
            in_need = needy.get_column("session_id").unique().implode()
            around = _read(item.around, SESSION_ROWS, files).filter(pl.col("session_id").is_in(in_need))
            tried = tried_sessions(needy, around, lost, self.paths, self.grammar)
            yield {COUNTS: self._put_down(tried, files)}

    def _put_down(self, tried: pl.DataFrame, files: TaskFiles) -> list[list[Any]]:
        copies, rest = tried.filter("again"), tried.filter(~pl.col("again"))
        if self.replay:
            files.stage(LEFT, copies.select(*LEFT_ROWS))
        lacks = (
            pl.when(pl.col("user_id").is_null()).then(0)
            .when(pl.col("event_type").is_null()).then(1)
            .when(~is_whole()).then(2)
        )  # fmt: skip
        rest = rest.with_columns(_lacks=lacks)
        filled = rest.filter(pl.col("_lacks").is_null())
        self._stage_complete(filled, files)
        open_rows = rest.filter(pl.col("_lacks").is_not_null())
        reasons = pl.col("_lacks").replace_strict(dict(enumerate(UNRESOLVED)), return_dtype=pl.String)
        unresolved = open_rows.with_columns(reason=reasons, rule=pl.col("why"))
        files.stage(REJECTED, unresolved.select(*REJECTED_ROWS))
        return count(DUPLICATE, INCOMPLETE_COPY, copies.height)

    def _stage_complete(self, filled: pl.DataFrame, files: TaskFiles) -> None:
        rows = filled if self.replay else filled.with_columns(line_id=pl.lit(None, pl.String))
        stage_complete(rows.with_columns(month_of_event()), self.buckets, files)


def tried_sessions(
    needy: pl.DataFrame, around: pl.DataFrame, lost: pl.DataFrame, paths: Sequence[str], grammar: Grammar
) -> pl.DataFrame:
    """The `needy` rows (`NEEDY_ROWS`), filled where their session and the grammar leave no doubt.

    `around`: all complete rows of their sessions (`SESSION_ROWS`), each as often as it comes. Adds `again`
    (a second copy of a line, or a poorer copy of a complete event of its instant), `repair_reason` (null:
    nothing was filled in) and `why` (null: it is complete).
    """
    ranked = needy.sort("line_id", "source", "source_order")
    first = ranked.select(pl.col("line_id").is_first_distinct()).to_series()
    tried, repeated = ranked.filter(first), ranked.filter(~first)
    place = ["session_id", "event_time", "source"]
    torn = torn_sessions(pl.concat([around.select(place), tried.select(place)]), lost, paths)
    outcomes = _outcomes(tried, around, torn, grammar)
    filled_in = {
        "event_type": pl.Series([one.kind for one in outcomes], dtype=pl.String),
        "track_id": pl.Series([one.track for one in outcomes], dtype=pl.String),
        "user_id": pl.Series([one.user for one in outcomes], dtype=pl.Int64),
        "again": pl.Series([one.copy for one in outcomes], dtype=pl.Boolean),
        "repair_reason": pl.Series([one.reason for one in outcomes], dtype=pl.String),
        "why": pl.Series([one.why for one in outcomes], dtype=pl.String),
    }
    copies = repeated.with_columns(
        again=pl.lit(True), repair_reason=pl.lit(None, pl.String), why=pl.lit(None, pl.String)
    )
    return pl.concat([tried.with_columns(**filled_in), copies])


def _outcomes(tried: pl.DataFrame, around: pl.DataFrame, torn: pl.Series, grammar: Grammar) -> list[Outcome]:
    """What became of each of the `tried` rows, in their order."""
    complete = _once(around).with_columns(no_track=pl.lit(False), _at=pl.lit(None, pl.Int64))
    incomplete = tried.with_columns(told=pl.lit(False), _at=pl.int_range(pl.len()))
    columns = ["session_id", *_SEEN, "_at"]
    rows = pl.concat([complete.select(columns), incomplete.select(columns)]).sort("session_id", "event_time")
    rows = rows.with_columns(
        needy=pl.col("_at").is_not_null(), torn=pl.col("session_id").is_in(torn.implode())
    )
    rows = rows.filter(have_a_say(rows))
    outcomes: dict[int, Outcome] = {}
    at, gaps = rows.get_column("_at").to_list(), rows.get_column("torn").to_list()
    for session, start in zip(_sessions(rows), _starts(rows), strict=True):
        repaired = repair(session, grammar, gaps=gaps[start])
        outcomes |= {at[start + n]: outcome for n, outcome in enumerate(repaired) if outcome is not None}
    return [outcomes[i] for i in range(tried.height)]


def _once(around: pl.DataFrame) -> pl.DataFrame:
    """Complete rows once an event; the one that was told first."""
    marked = around.with_columns(told=pl.col("filled") & (FILLED_TYPE | FILLED_TRACK) != 0)
    says = ["session_id", "event_time", "event_type", "track_id", "user_id"]
    return marked.sort("told", descending=True).unique(says, keep="first")


def _sessions(rows: pl.DataFrame) -> Iterator[list[Row]]:
    """The rows of each session, which lie together."""
    times = rows.get_column("event_time").dt.epoch("us").to_list()
    columns = (rows.get_column(name).to_list() for name in _SEEN[1:])
    made = list(map(Row._make, zip(times, *columns, strict=True)))
    for start, end in pairwise([*_starts(rows), rows.height]):
        yield made[start:end]


def _starts(rows: pl.DataFrame) -> list[int]:
    """Where each session begins."""
    ids = rows.get_column("session_id").to_numpy()
    return np.flatnonzero(np.diff(ids, prepend=-1)).tolist()


def _read(
    parcels: Sequence[Parcel], schema: pl.Schema, files: TaskFiles, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    names = list(schema) if columns is None else list(columns)
    return files.read(parcels, names) if parcels else pl.DataFrame(schema=schema).select(names)


def _shared(parcels: Sequence[Parcel], schema: pl.Schema, files: TaskFiles) -> pl.DataFrame:
    return files.shared(parcels) if parcels else pl.DataFrame(schema=schema)
