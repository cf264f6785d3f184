"""The training table of a process: loaded from its parcels once, and kept until another is asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.dataset.subgroups import OTHER, UNKNOWN
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.dataset.table_work import KEYS, MATRIX
from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.storage.local_files import file_lock

Read = Callable[[Sequence[Parcel], Sequence[str]], pl.DataFrame]
_MINUTES = 30  # that a process waits for another to lay out the file that both map
_loaded: dict[str, TrainingTable] = {}


@dataclass(frozen=True)
class StagedTable:
    """Where the training table was put down: `rows` of features in `order`, and, if there are users, their
    cities, of which `cities` are told by name.
    """

    order: tuple[str, ...]
    rows: tuple[Parcel, ...]
    users: tuple[Parcel, ...] | None
    cities: tuple[str, ...]

    @property
    def cells(self) -> int:
        """Values of the matrix."""
        return sum(parcel.rows for parcel in self.rows) * len(self.order)

    @property
    def name(self) -> str:
        """Another one for every table that was put down."""
        return hashlib.sha256("\n".join(parcel.place for parcel in self.rows).encode()).hexdigest()[:16]


def loaded(staged: StagedTable, read: Read) -> TrainingTable:
    """The table of this process, in the order of user_id and month.

    Where parcels lie in a folder, all processes map one file with the matrix: the first lays it out.
    """
    if staged.name not in _loaded:
        _loaded.clear()  # before the next one needs the memory
        _loaded[staged.name] = load(staged, read, folder=_folder(staged.rows))
    return _loaded[staged.name]


def load(staged: StagedTable, read: Read, folder: Path | None = None) -> TrainingTable:
    """Read it, the matrix into memory, or with `folder` into a file there that is mapped."""
    keys = read(staged.rows, KEYS)
    arrays = {name: keys.get_column(name).to_numpy() for name in KEYS}
    places = np.lexsort((arrays["month"], arrays["user_id"]))
    if folder is None:
        matrix = np.empty((len(places), len(staged.order)), np.float32)
        _lay_out(matrix, places, staged.rows, read)
    else:
        matrix = _mapped(folder / f"{staged.name}.npy", places, staged, read)
    user_id = np.ascontiguousarray(arrays["user_id"][places])
    city, cities = _cities(user_id, staged, read)
    return TrainingTable(
        order=staged.order,
        user_id=user_id,
        month=arrays["month"][places].astype("datetime64[D]"),
        side=arrays["side"][places],
        label=arrays["label"][places],
        matrix=matrix,
        city=city,
        cities=cities,
    )


def _lay_out(
    matrix: npt.NDArray[np.float32], places: npt.NDArray[Any], parcels: Sequence[Parcel], read: Read
) -> None:
    """Fill the matrix, a parcel at a time: its n-th row is that of the row at `places[n]` of all parcels."""
    target = np.empty_like(places)
    target[places] = np.arange(len(places))
    start = 0
    for parcel in parcels:
        block = read([parcel], [MATRIX]).get_column(MATRIX).to_numpy()
        matrix[target[start : start + len(block)]] = block
        start += len(block)


def _mapped(file: Path, places: npt.NDArray[Any], staged: StagedTable, read: Read) -> npt.NDArray[np.float32]:
    with file_lock(f"{file}.lock", wait_seconds=_MINUTES * 60) as free:
        if not free:
            raise LakeError(f"{file}: another process has been laying it out for {_MINUTES} minutes")
        if not file.exists():
            shape = (len(places), len(staged.order))
            unfinished = file.with_suffix(f".{os.getpid()}")
            matrix = np.lib.format.open_memmap(unfinished, "w+", np.float32, shape)
            _lay_out(matrix, places, staged.rows, read)
            matrix.flush()
            unfinished.replace(file)
    loaded: npt.NDArray[np.float32] = np.load(file, mmap_mode="r")
    return loaded


def _folder(parcels: Sequence[Parcel]) -> Path | None:
    """The folder in which they lie, if it is one of a file system."""
    folder = Path(parcels[0].place).parent if parcels else Path()
    return folder if folder.is_absolute() and folder.is_dir() else None


def _cities(
    user_id: npt.NDArray[np.int64], staged: StagedTable, read: Read
) -> tuple[npt.NDArray[np.uint8] | None, tuple[str, ...]]:
    """Each row's place among the cities' names, and these."""
    if staged.users is None:
        return None, ()
    cities = tuple(dict.fromkeys((*staged.cities, OTHER, UNKNOWN)))
    city = np.full(len(user_id), cities.index(UNKNOWN), np.uint8)
    number = pl.col("city").replace_strict(
        {name: cities.index(name) for name in staged.cities},
        default=cities.index(OTHER),
        return_dtype=pl.UInt8,
    )
    for parcel in staged.users:
        users = read([parcel], ["user_id", "city"]).sort("user_id")
        listed = users.get_column("user_id").to_numpy()
        place = np.minimum(np.searchsorted(listed, user_id), len(listed) - 1)
        theirs = listed[place] == user_id
        city[theirs] = users.select(number).to_series().to_numpy()[place][theirs]
    return city, cities
