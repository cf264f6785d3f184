"""Rows of a task as they gather: sound events as frames, all other lines judged one by one by the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from pozytywka_spark.ingest.intake.contracts import SESSIONS, Contract
from pozytywka_spark.ingest.intake.textlines import Lines
from pozytywka_spark.ingest.parcels import (
    COMPLETE,
    COMPLETE_ROWS,
    INCOMPLETE,
    INCOMPLETE_ROWS,
    LOST,
    LOST_ROWS,
    REJECTED,
    REJECTED_ROWS,
    ROWS,
    catalogue_rows,
)
from pozytywka_spark.ingest.validate.file_stats import FileStats, Remarks, month_of_event, stats_of
from pozytywka_spark.ingest.validate.joined_pieces import Origin
from pozytywka_spark.ingest.validate.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.validate.rules.verdict import Judging, Verdict

# What a rejected row's text and its file's path tell of where a row is missing: rows of `parcels.LOST_ROWS`
LossesOf = Callable[[str | None, str], list[tuple[int | None, int | None, str | None]]]
Frames = dict[str, pl.DataFrame]

# Rows kept as Python has them, at most about so many
_AS_TUPLES = 50_000
# A time or a day of a row is given as a number
_PHYSICAL = {pl.Datetime: pl.Int64, pl.Date: pl.Int32}


class Judged:
    """Judges lines of one entity and keeps what becomes of them, until `frames` gives it away.

    `losses_of` is asked about rejected events.
    """

    def __init__(
        self, contract: Contract, judging: Judging, losses_of: LossesOf, *, keep_text: bool = False
    ) -> None:
        self._rules, self._judging, self._keep_text = ENTITIES[contract.entity], judging, keep_text
        self._losses_of, self._events = losses_of, contract is SESSIONS
        self._schemas = {
            COMPLETE: COMPLETE_ROWS,
            INCOMPLETE: INCOMPLETE_ROWS,
            REJECTED: REJECTED_ROWS,
            LOST: LOST_ROWS,
        }
        if not self._events:
            self._schemas = {ROWS: catalogue_rows(contract.table), REJECTED: REJECTED_ROWS}
        self._clear()

    def _clear(self) -> None:
        self._rows: dict[str, list[tuple[Any, ...]]] = {kind: [] for kind in self._schemas}
        self._frames: dict[str, list[pl.DataFrame]] = {kind: [] for kind in self._schemas}
        self._sound: list[pl.DataFrame] = []
        self._remarks = Remarks()
        self.rows, self.text_bytes = 0, 0  # how much it holds, and the bytes of the lines that it judged

    def add_sound(self, rows: pl.DataFrame) -> None:
        """Sound rows, as `fast_path.Seen` has them, with their `source`."""
        self._sound.append(rows)
        self.rows += rows.height

    def judge(self, origin: Origin, lines: Lines, line_ids: Sequence[str] | None = None) -> None:
        """Lines of a file that aren't blank."""
        rules, judging, keep = self._rules, self._judging, self._keep_text
        for at, (line, order) in enumerate(zip(lines.texts, lines.offsets, strict=True)):
            named = None if line_ids is None else line_ids[at]
            said = judge_line(line, rules, judging, unit=origin.unit, keep_text=keep, line_id=named)
            self._keep(said, origin, order)
            if said.notes or said.absent:
                self._remarks.add(origin.source, said)
        self.rows += len(lines.texts)
        self.text_bytes += sum(map(len, lines.texts))
        if sum(map(len, self._rows.values())) >= _AS_TUPLES:
            self._settle()

    def _keep(self, said: Verdict, origin: Origin, order: int) -> None:
        place = (origin.source, order)
        # without a reason for those that pass
        fate = (said.line_id, said.reason, said.rule, said.raw, said.rescued, origin.unit)
        if said.reason is not None:
            self._rows[REJECTED].append((*fate, *place))
            if self._events:
                self._rows[LOST] += self._losses_of(said.raw, origin.path)
        elif not self._events:
            self._rows[ROWS].append((*said.columns, said.rescued, said.line_id, *place))
        elif said.incomplete:
            self._rows[INCOMPLETE].append((*said.columns, *fate, *place))
        else:
            self._rows[COMPLETE].append((*said.columns[:5], None, said.rescued, said.line_id, *place))

    def take(self) -> tuple[Frames, dict[int, FileStats]]:
        """All rows by kind, and what is to be told of each source; nothing is left here.

        Events that pass have their month beside the columns of `staged`, as `file_stats.MONTH`.
        """
        self._settle()
        if self._sound:
            sound = pl.concat(self._sound)
            if self._events:
                self._remarks.of_sound(sound)
            kind = COMPLETE if self._events else ROWS
            self._frames[kind].append(_conformed(sound, self._schemas[kind]))
        frames = {kind: pl.concat(parts) for kind, parts in self._frames.items()}
        for kind in {COMPLETE, INCOMPLETE} & frames.keys():
            frames[kind] = frames[kind].with_columns(month_of_event())
        stats = stats_of(frames, self._remarks)
        self._clear()
        return frames, stats

    def _settle(self) -> None:
        """Tuples become columns, which take a tenth of the room."""
        for kind, rows in self._rows.items():
            self._frames[kind].append(_frame(rows, self._schemas[kind]))
            self._rows[kind] = []


def _frame(rows: Sequence[tuple[Any, ...]], schema: pl.Schema) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema=schema)
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [_column(name, schema[name], values) for name, values in zip(schema, columns, strict=True)]
    )


def _column(name: str, dtype: pl.DataType, values: Sequence[Any]) -> pl.Series:
    physical = _PHYSICAL.get(dtype.base_type(), dtype)
    return pl.Series(name, values, physical, strict=True).cast(dtype)


def _conformed(rows: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Exactly the schema's columns by name; those that `rows` lack are null."""
    there = rows.columns
    return rows.select(
        (pl.col(name) if name in there else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )
