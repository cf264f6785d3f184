"""A data set's work in tasks: which row of a view answers each row of a spine, its values, files of both.

1. `IndexPart`: of each part of a view's table the keys and moments, by slice of keys.
2. `FindNewest`: a slice of keys: the row that answers each row of the spine, and in which part it lies.
3. `GatherValues`: a part, read once more with all columns asked for: values for each piece of the spine.
4. `WritePiece` (`dataset_files.py`): a piece of the spine with all its values, as one Parquet file.

Only what is narrow (keys, moments, places) goes between keys and parts; values travel once, to their piece.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.featurestore.asof import (
    AS_OF,
    ROW,
    STATUS,
    STATUSES,
    newest_by,
    twice_known,
)
from pozytywka_spark.featurestore.record import MISSING, PRESENT
from pozytywka_spark.featurestore.rows import KEY, KNOWN_AT, VERSION, Reading, frame_of, known_micros, needed
from pozytywka_spark.featurestore.slices import cut_stored
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Result, TaskFiles
from pozytywka_spark.months import DAY_MICROS, as_moment

PIECE_ROWS = 65_536  # of a spine, and of a file of the data set: 60 MB at 115 columns
# Kinds of parcels and their keys. Of the spine: SPINE (piece), ASKED (key's name, slice), ASKED_KEYS (key's
# name). Of one view: INDEX (slice), WANTED (part), ANSWERED (piece), GATHERED (piece)
SPINE, ASKED, ASKED_KEYS = "spine", "asked", "asked_keys"
INDEX, WANTED, ANSWERED, GATHERED = "index", "wanted", "answered", "gathered"
PART, PIECE, _PLACE, _CUT = "part", "piece", "_place", "_cut"


@dataclass(frozen=True)
class ViewPart:
    """Files from which some of a view's rows are made, all of those of `month` if one is given."""

    number: int
    files: tuple[DataFile, ...]
    month: date | None = None

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Source:
    """A view as it is read: `columns` of it, from a version of its table."""

    view: View
    columns: tuple[str, ...]
    version: int
    reading: Reading

    @property
    def ttl(self) -> int | None:
        """Time to live in microseconds."""
        return None if self.view.ttl_days is None else self.view.ttl_days * DAY_MICROS

    @property
    def numeric(self) -> bool:
        """Whether its keys are whole numbers."""
        return self.view.entity == "user"

    def rows(self, part: ViewPart, files: TaskFiles) -> pl.DataFrame:
        """KEY, KNOWN_AT, VERSION and the columns asked for, of a part."""
        chosen = tuple(each for each in self.view.columns if each.name in self.columns)
        return self._made(replace(self.view, columns=chosen), part, files)

    def keys(self, part: ViewPart, files: TaskFiles) -> pl.DataFrame:
        """KEY and KNOWN_AT of the same rows."""
        if self.view.made == "artist":  # has a row for each key of the table, whatever its columns
            keys = replace(self.view, columns=(), made="row")
            return self._made(keys, part, files).select(KEY, KNOWN_AT).unique()
        return self._made(replace(self.view, columns=()), part, files).select(KEY, KNOWN_AT)

    def _made(self, view: View, part: ViewPart, files: TaskFiles) -> pl.DataFrame:
        rows = files.read(part.files, needed(view))
        if part.month is None:
            return frame_of(view, rows, self.version, self.reading)
        made = frame_of(view, rows, self.version, replace(self.reading, last_month=part.month))
        return made.filter(pl.col(KNOWN_AT) == known_micros(view, part.month, self.reading.delay_hours))


@dataclass(frozen=True)
class IndexPart:
    """Of parts: KEY, KNOWN_AT and PART, of what was known by `latest`, in `slices` by key.

    `asked_keys`: the only keys that matter; none: all may.
    """

    source: Source
    latest: int
    slices: int
    asked_keys: tuple[Parcel, ...]

    def __call__(self, parts: Sequence[ViewPart], files: TaskFiles) -> Iterator[Result]:
        """See the class."""
        for part in parts:
            known = self.source.keys(part, files).filter(pl.col(KNOWN_AT) <= self.latest)
            if self.asked_keys:
                known = known.join(files.shared(self.asked_keys, [KEY]), on=KEY, how="semi")
            known = known.with_columns(pl.lit(part.number, pl.Int32).alias(PART))
            for number, rows in by_slice(known, self.slices, numeric=self.source.numeric):
                files.stage(INDEX, rows, (number,))
        yield {}


@dataclass(frozen=True)
class Slice:
    """A slice of keys: what is asked of them, and what a view knows."""

    number: int
    asked: tuple[Parcel, ...]
    known: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes of its parcels."""
        return sum(parcel.size for parcel in (*self.asked, *self.known))


@dataclass(frozen=True)
class FindNewest:
    """The row that answers each row of the spine; tells how many of each status.

    Raises `DataError` if a key has two rows of one moment, so that none of them is the newest.
    """

    view: str
    ttl: int | None

    def __call__(self, slices: Sequence[Slice], files: TaskFiles) -> Iterator[Result]:
        """See the class."""
        for one in slices:
            asked = files.read(one.asked)
            known = files.read(one.known) if one.known else _EMPTY
            self._check(known)
            found = newest_by(asked, known, self.ttl)
            wanted = found.filter(pl.col(STATUS) == PRESENT).select(ROW, KEY, KNOWN_AT, PART)
            for (part,), rows in wanted.partition_by(PART, as_dict=True, include_key=False).items():
                files.stage(WANTED, rows, (int(part),))
            for piece, rows in by_piece(found.select(ROW, KNOWN_AT, STATUS)):
                files.stage(ANSWERED, rows, (piece,))
            counts = dict(found.group_by(STATUS).len().rows())
            yield {status: counts.get(status, 0) for status in STATUSES}

    def _check(self, known: pl.DataFrame) -> None:
        doubled = twice_known(known)
        if doubled.height:
            key, moment = doubled.row(0)
            raise DataError(
                f"view {self.view}: key {key} has two rows known at {as_moment(moment):%Y-%m-%d %H:%M}, "
                f"so that neither is the newest ({doubled.height} such): make the table anew"
            )


@dataclass(frozen=True)
class WantedPart:
    """A part of a view and the rows that are wanted of it."""

    part: ViewPart
    wanted: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return self.part.size + sum(parcel.size for parcel in self.wanted)


@dataclass(frozen=True)
class GatherValues:
    """Of parts: ROW and the columns asked for, for each piece of the spine that wants some."""

    source: Source

    def __call__(self, items: Sequence[WantedPart], files: TaskFiles) -> Iterator[Result]:
        """See the class."""
        waiting: dict[int, list[pl.DataFrame]] = defaultdict(list)
        rows = 0
        for item in items:
            for piece, gathered in self._of_part(item, files):
                waiting[piece].append(gathered)
                rows += gathered.height
                if rows >= PIECE_ROWS:
                    _stage_gathered(waiting, files)
                    rows = 0
        _stage_gathered(waiting, files)
        yield {}

    def _of_part(self, item: WantedPart, files: TaskFiles) -> Iterator[tuple[int, pl.DataFrame]]:
        values = self.source.rows(item.part, files)
        places = values.select(KEY, KNOWN_AT, pl.int_range(pl.len()).alias(_PLACE))
        wanted = files.read(item.wanted).join(places, on=[KEY, KNOWN_AT], how="inner")
        values = values.select(self.source.columns)
        for piece, rows in by_piece(wanted.select(ROW, _PLACE)):
            yield piece, values[rows[_PLACE]].insert_column(0, rows[ROW])


def _stage_gathered(waiting: dict[int, list[pl.DataFrame]], files: TaskFiles) -> None:
    """Put down what waits, a parcel a piece: hundreds of them of a few rows cost more than the rows do."""
    for piece, frames in waiting.items():
        files.stage(GATHERED, pl.concat(frames), (piece,))
    waiting.clear()


def by_slice(rows: pl.DataFrame, slices: int, *, numeric: bool) -> Iterator[tuple[int, pl.DataFrame]]:
    """Rows of each slice of KEY, which may be null; `numeric`: keys are whole numbers."""
    if slices == 1:
        yield 0, rows
        return
    for number, some in cut_stored(
        rows.with_columns(pl.col(KEY).fill_null("").alias(_CUT)), _CUT, slices, numeric=numeric
    ):
        yield number, some.drop(_CUT)


def by_piece(rows: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Rows of each piece of the spine, by ROW."""
    cut = rows.with_columns((pl.col(ROW) // PIECE_ROWS).alias(PIECE)).partition_by(
        PIECE, as_dict=True, include_key=False
    )
    for (piece,), some in sorted(cut.items()):
        yield int(piece), some


def answered_columns(
    source: Source, answered: pl.DataFrame, gathered: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of a piece, by ROW: the view's columns, and its KNOWN_AT (a moment), STATUS and VERSION.

    What is missing has no version; what has expired has its moment, and no values.
    """
    answered = answered.sort(ROW)
    kind = pl.Float32 if source.view.dtype == "float32" else pl.Float64
    if gathered is None:
        nothing = pl.repeat(None, answered.height, dtype=kind, eager=True)
        values = pl.DataFrame([nothing.alias(name) for name in source.columns])
    else:
        joined = answered.select(ROW).join(gathered, on=ROW, how="left", maintain_order="left")
        values = joined.select(pl.col(name).cast(kind) for name in source.columns)
    name = source.view.name
    return values, answered.select(
        pl.col(KNOWN_AT).cast(pl.Datetime("us", "UTC")).alias(f"{name}__{KNOWN_AT}"),
        pl.col(STATUS).alias(f"{name}__{STATUS}"),
        pl.when(pl.col(STATUS) != MISSING).then(pl.lit(source.version, pl.Int64)).alias(f"{name}__{VERSION}"),
    )


_EMPTY = pl.DataFrame(schema={KEY: pl.String, KNOWN_AT: pl.Int64, PART: pl.Int32})
ASKED_SCHEMA: dict[str, Any] = {ROW: pl.Int64, KEY: pl.String, AS_OF: pl.Int64}
ANSWERED_SCHEMA: dict[str, Any] = {ROW: pl.Int64, KNOWN_AT: pl.Int64, STATUS: pl.String}
