"""A digest of the rows of a table's files, so that the same work isn't done twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy.typing as npt
import polars as pl

from pozytywka_spark.hashing.digest import Digest, digest_of
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.names import USER_MONTH

KEYS = USER_MONTH


@dataclass(frozen=True)
class DigestRows:
    """Work on files: tells the fields of the `Digest` of their `columns`, KEYS and numbers."""

    columns: tuple[str, ...]

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line of all."""
        digest = Digest()
        for file in items:
            rows = files.read([file], self.columns)
            digest += digest_of(_numbers(rows.get_column(name)) for name in self.columns)
        yield asdict(digest)


def _numbers(values: pl.Series) -> npt.NDArray[Any]:
    """In types that don't depend on whether a file has nulls."""
    if values.name in KEYS:
        return values.to_physical().cast(pl.Int64).to_numpy()
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def digest_files(tasks: Tasks, files: Sequence[DataFile], columns: Sequence[str]) -> str:
    """A digest of those columns of the files' rows, whatever their order and files."""
    work = DigestRows(tuple(columns))
    done = tasks.run(files, work, weight=lambda file: file.size, named=lambda file: file.place)
    return sum((Digest(**result) for result in done.results), Digest()).named(columns)
