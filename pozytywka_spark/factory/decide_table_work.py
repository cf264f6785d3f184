"""A table's pieces decided, and the decisions written to one file in the table's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import polars as pl
import pyarrow.parquet as pq

from pozytywka_spark.errors import DataError
from pozytywka_spark.factory.boosters import boosters_of
from pozytywka_spark.factory.decide_work import Decider, Ruling, counted, decided_by
from pozytywka_spark.factory.labelled import as_rows, stage_ids
from pozytywka_spark.factory.table_pieces import typed
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

OUT = "decided"  # kind of parcels, keyed by their place in the table: decisions in its rows' order
_PLACE = "place in the table"


@dataclass(frozen=True)
class DecidePieces:
    """Work on a table's pieces: stages OUT by place (and `labelled.IDS` of `buckets`), tells how many.

    `built`: groups that some build had; `deciders`: of those that kept a side. Rows of other groups aren't
    decided. A piece's boosters are read with it, so that a task holds a piece and its groups' models.
    """

    path: str
    kinds: Mapping[str, str]
    score_column: str
    ruling: Ruling
    built: frozenset[str]
    deciders: Mapping[str, Decider]
    boosters: tuple[DataFile, ...]
    buckets: int

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line for each piece, mode and decision. Raises `DataError` for a group that no build has had."""
        for parcel in items:
            table = typed(files.read([parcel]), self.kinds)
            rows, features = as_rows(table, self.path, self.score_column, needs_verdict=False)
            stage_ids(rows, self.buckets, files)
            decided = self._decided(rows.with_row_index(_PLACE), features, files)
            if decided is not None:
                files.stage(OUT, decided.sort(_PLACE).drop(_PLACE), parcel.key)
                yield from counted(decided)

    def _decided(self, rows: pl.DataFrame, features: Sequence[str], files: TaskFiles) -> pl.DataFrame | None:
        groups = {str(name): mine for (name,), mine in rows.partition_by("group", as_dict=True).items()}
        unknown = sorted(groups.keys() - self.built)
        if unknown:
            raise DataError(
                f"--from {self.path}: group {unknown[0]} is in no build of a table: "
                "run factory build --from first"
            )
        mine = {name: self.deciders[name] for name in groups if name in self.deciders}
        wanted = {(decider.build_id, name) for name, decider in mine.items()}
        boosters = boosters_of(wanted, self.boosters, files)
        decided = [
            decided_by(
                decider, boosters[decider.build_id, name], name, groups[name], features, self.ruling
            ).with_columns(groups[name].get_column(_PLACE))
            for name, decider in mine.items()
        ]
        return pl.concat(decided) if decided else None


@dataclass(frozen=True)
class WriteOut:
    """Work on (path, parcels OUT in order): the file in one move, so that nobody reads half of one.

    It is written where the task runs, one parcel after another.
    """

    def __call__(
        self, items: Sequence[tuple[str, tuple[Parcel, ...]]], files: TaskFiles
    ) -> Iterator[dict[str, Any]]:
        """Tells nothing. Raises `DataError` where the file can't be written."""
        for out, parcels in items:
            path = Path(out)
            place = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(place, path.suffix.lower(), (files.read([parcel]) for parcel in parcels))
                place.replace(path)
            except OSError as error:
                raise DataError(f"--out {out}: can't be written: {error.strerror}") from error
            finally:
                place.unlink(missing_ok=True)
        yield from ()


def _write(place: Path, kind: str, decided: Iterator[pl.DataFrame]) -> None:
    if kind == ".parquet":
        first = next(decided).to_arrow()
        with pq.ParquetWriter(place, first.schema) as writer:
            writer.write_table(first)
            for rows in decided:
                writer.write_table(rows.to_arrow())
        return
    with place.open("wb") as file:
        for number, rows in enumerate(decided):
            _write_texts(file, rows, kind, is_first=number == 0)


def _write_texts(file: BinaryIO, rows: pl.DataFrame, kind: str, *, is_first: bool) -> None:
    if kind == ".csv":
        joined = rows.with_columns(pl.col("reasons").list.join(" "))
        joined.write_csv(file, include_header=is_first)
    else:
        rows.write_ndjson(file)
