"""Training rows where any task can read all of them: Parquet beside the lake's tables, sorted on arrival.

Many small fits on the same rows (trials, folds) are one task each. The rows never pass the driver: Spark
writes them once, each task reads what its fold needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.training.rows import LABEL, SIDE
from pozytywka_spark.training.splits import TEST

_FOLDER = "_shipped"  # readers of the lake pass over names with an underscore
_KEYS = ("user_id", "month")


@dataclass(frozen=True)
class Sides:
    """Arrays of a fold: features and labels to fit on, and to stop and judge on."""

    train: npt.NDArray[np.float64]
    train_label: npt.NDArray[np.float64]
    validation: npt.NDArray[np.float64]
    validation_label: npt.NDArray[np.float64]


def readable_by_tasks(root: str) -> bool:
    """Whether `root` is a folder, of this machine or mounted on all: Spark writes there, tasks read."""
    return "://" not in root


@contextmanager
def shipped(rows: DataFrame, order: Sequence[str], root: str, name: str) -> Iterator[str]:
    """The address of the rows before the test months, as Parquet under `root`; gone after the block.

    A block that was killed leaves its folder; the next one of the same `name` writes over it.
    """
    address = f"{root.rstrip('/')}/{_FOLDER}/{name}"
    known = rows.filter(F.col(SIDE) != TEST).select(*_KEYS, LABEL, *order)
    known.write.mode("overwrite").parquet(address)
    try:
        yield address
    finally:
        _remove(address)


def read_sides(
    address: str, order: tuple[str, ...], train: tuple[date, ...], validation: tuple[date, ...]
) -> Sides:
    """Both sides of a fold, rows by user and month however many files hold them. For tasks."""
    sides = [_arrays(address, order, months) for months in (train, validation)]
    return Sides(*sides[0], *sides[1])


def _arrays(
    address: str, order: tuple[str, ...], months: tuple[date, ...]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    files, path = _file_system(address)
    read = ds.dataset(path, format="parquet", filesystem=files)
    rows = read.to_table(columns=[*_KEYS, LABEL, *order], filter=pc.field("month").isin(list(months)))
    rows = rows.sort_by([(name, "ascending") for name in _KEYS])
    columns = [rows.column(name).to_numpy().astype(np.float64, copy=False) for name in order]
    label = rows.column(LABEL).to_numpy().astype(np.float64, copy=False)
    return np.column_stack(columns), label


def _file_system(address: str) -> tuple[Any, str]:
    from pyarrow import fs

    files, path = fs.FileSystem.from_uri(address)
    return files, str(path)


def sweep(root: str, hours: float) -> None:
    """Remove rows that killed trainings left under `root` and nobody has touched for so long."""
    from pyarrow import fs

    files, path = _file_system(f"{root.rstrip('/')}/{_FOLDER}")
    known = files.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    until = datetime.now(UTC) - timedelta(hours=hours)
    young = {_top(entry.path, path) for entry in known if entry.mtime and entry.mtime > until}
    for name in {_top(entry.path, path) for entry in known} - young:
        files.delete_dir(f"{path}/{name}")


def _top(path: str, folder: str) -> str:
    return path.removeprefix(folder).strip("/").partition("/")[0]


def _remove(address: str) -> None:
    files, path = _file_system(address)
    try:
        files.delete_dir(path)
    except FileNotFoundError:
        return
