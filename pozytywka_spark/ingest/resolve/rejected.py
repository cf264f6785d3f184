"""Rejected rows: which of them quarantine doesn't hold yet, and what is left of it after a replay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.ingest.outcomes import COUNTS, DUPLICATE, QUARANTINED, QUARANTINED_BEFORE, count
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import QUARANTINE

HEX = "0123456789abcdef"
_WRITTEN = [name for name in QUARANTINE.columns if name not in QUARANTINE.partition_by]


@dataclass(frozen=True)
class BatchStamp:
    """What the rows of a batch bear: the stream and number that name it in transactions, and its ingest."""

    entity: str
    stream: str
    batch: int
    ingest_id: int


@dataclass(frozen=True)
class RejectedSlice:
    """REJECTED parcels and the entity's files of quarantine, of line ids that begin with `prefix`."""

    parcels: tuple[Parcel, ...]
    existing: tuple[DataFile, ...]
    prefix: str = ""

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(one.size for one in self.parcels) + sum(one.size for one in self.existing)


@dataclass(frozen=True)
class NewRejected:
    """Work on `RejectedSlice`s: writes lines that quarantine doesn't hold yet, tells `COUNTS`.

    Of equal lines the first counts. What the same batch has put into quarantine doesn't count as there
    before: an attempt that was cut short is repeated with the same outcome. `paths`: the plain paths of the
    batch's files, in the order of `source`.
    """

    stamp: BatchStamp
    paths: tuple[str, ...]

    def __call__(self, items: Sequence[RejectedSlice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each slice."""
        for part in items:
            rows = pl.concat(
                [files.read([one]).filter(_begins("line_id", part.prefix)) for one in part.parcels]
            )
            first = rows.sort("line_id", "source", "source_order", "time_unit").unique(
                "line_id", keep="first", maintain_order=True
            )
            new = first.filter(~pl.col("line_id").is_in(self._before(part, files).implode()))
            files.write(QUARANTINE, self._stamped(new), {"entity": self.stamp.entity})
            counts = count(DUPLICATE, QUARANTINED_BEFORE, rows.height - new.height)
            for reason, many in new.group_by("reason").len().sort("reason").iter_rows():
                counts += count(QUARANTINED, reason, many)
            yield {COUNTS: counts}

    def _before(self, part: RejectedSlice, files: TaskFiles) -> pl.Series:
        """The ids of lines that earlier batches put into quarantine."""
        stamp, ids = self.stamp, [pl.Series("quarantine_id", [], pl.String)]
        mine = (pl.col("stream") == stamp.stream) & (pl.col("batch") == stamp.batch)
        for file in part.existing:
            rows = files.read([file], ["quarantine_id", "stream", "batch"])
            others = rows.filter(_begins("quarantine_id", part.prefix) & ~mine.fill_null(False))
            ids.append(others.get_column("quarantine_id"))
        return pl.concat(ids)

    def _stamped(self, rows: pl.DataFrame) -> pl.DataFrame:
        stamp = self.stamp
        paths = pl.Series("source_file", self.paths, pl.String)
        stamped = rows.with_columns(
            paths.gather(rows.get_column("source")),
            quarantine_id=pl.col("line_id"),
            stream=pl.lit(stamp.stream),
            batch=pl.lit(stamp.batch, pl.Int64),
            ingest_id=pl.lit(stamp.ingest_id, pl.Int64),
        )
        return stamped.select(_WRITTEN)


def _begins(name: str, prefix: str) -> pl.Expr:
    return pl.col(name).str.starts_with(prefix) if prefix else pl.lit(True)


@dataclass(frozen=True)
class StillQuarantined:
    """Work on files of quarantine after a replay: writes each file's rows without those that left.

    `left`: the LEFT parcels. Tells of each file its `path` and whether it `changed`; one that didn't is
    written only if `whole`, for a partition that is replaced as a whole.
    """

    entity: str
    left: tuple[Parcel, ...]
    whole: bool = False

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each file."""
        left = files.shared(self.left).get_column("line_id")
        for file in items:
            rows = files.read([file])
            staying = rows.filter(~pl.col("quarantine_id").is_in(left.implode()))
            changed = staying.height < rows.height
            if changed or self.whole:
                files.write(QUARANTINE, staying.select(_WRITTEN), {"entity": self.entity})
            yield {"path": file.path, "changed": changed, "rows": staying.height}
