"""A data set's four jobs, one after the other: see `dataset_work.py`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.featurestore import dataset_work as work
from pozytywka_spark.featurestore.asof import AS_OF, STATUSES
from pozytywka_spark.featurestore.dataset_files import (
    BYTES,
    FILE,
    ROWS,
    SHA256,
    DigestFiles,
    Piece,
    SpineKey,
    WritePiece,
    packed,
    prepared,
)
from pozytywka_spark.featurestore.dataset_folder import DatasetFolder
from pozytywka_spark.featurestore.dataset_sources import moments, table_rows
from pozytywka_spark.featurestore.dataset_work import Source, ViewPart
from pozytywka_spark.featurestore.manifest import FileMade
from pozytywka_spark.featurestore.moments import UnreadableError
from pozytywka_spark.featurestore.rows import KEY
from pozytywka_spark.featurestore.spine import CSV, Spine
from pozytywka_spark.featurestore.views import View
from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Done, Tasks

_SLICE_ROWS = 8_000_000  # of spine and view together, narrow: half a gigabyte
_SHARED_ROWS = 5_000_000  # of a spine whose keys each worker may hold

Statuses = dict[str, dict[str, int]]


@dataclass(frozen=True)
class _PutDown:
    """A spine that tasks can read: its pieces, what is asked by key's name and slice, keys by key's name.

    `latest`: the last moment asked for, None without rows.
    """

    pieces: tuple[Parcel, ...]
    asked: Mapping[tuple[str, int], Sequence[Parcel]]
    keys: Mapping[str, Sequence[Parcel]]
    rows: int
    latest: int | None


@dataclass(frozen=True)
class _Answers:
    """What a view answers, by piece, and how many rows of each status."""

    answered: Mapping[int, Sequence[Parcel]]
    gathered: Mapping[int, Sequence[Parcel]]
    statuses: dict[str, int]


def keys_of(views: Iterable[View]) -> tuple[SpineKey, ...]:
    """The columns of a spine that hold the views' keys."""
    return tuple(dict.fromkeys(SpineKey(view.key_name, view.entity == "user") for view in views))


def write_dataset(
    tasks: Tasks,
    sources: Sequence[Source],
    parts: Sequence[Sequence[ViewPart]],
    spine: Spine,
    folder: DatasetFolder,
) -> tuple[tuple[FileMade, ...], Statuses]:
    """Write the files from each source's parts, and tell of them in order; rows by view and status.

    Raises `DataError` for a row of the spine that can't be read.
    """
    slices = _slices(spine, sources, parts)
    down = _put_down(tasks, spine, keys_of(source.view for source in sources), slices)
    answers = [
        _answers(tasks, source, of_view, down, slices) for source, of_view in zip(sources, parts, strict=True)
    ]
    pieces = [
        Piece(
            number,
            parcel,
            tuple(tuple(each.answered.get(number, ())) for each in answers),
            tuple(tuple(each.gathered.get(number, ())) for each in answers),
        )
        for number, parcel in enumerate(down.pieces)
    ]
    write = WritePiece(folder.storage, folder.place, tuple(sources))
    done = tasks.run(pieces, write, weight=lambda piece: piece.size, named=lambda piece: piece.file)
    made = {line[FILE]: line for line in done.results}
    files = [
        FileMade(file, made[file][ROWS], made[file][BYTES], made[file][SHA256])
        for file in (piece.file for piece in pieces)
    ]
    statuses = {source.view.name: each.statuses for source, each in zip(sources, answers, strict=True)}
    return tuple(files), statuses


def are_whole(tasks: Tasks, folder: DatasetFolder, files: Sequence[FileMade]) -> bool:
    """Whether exactly these files lie in the folder, byte for byte."""
    if not folder.holds(files):
        return False
    digests = DigestFiles(folder.storage, folder.place)
    done = tasks.run(
        [(file.file, file.bytes) for file in files],
        digests,
        weight=lambda file: file[1],
        named=lambda file: file[0],
    )
    found = {line[FILE]: line[SHA256] for line in done.results}
    return found == {file.file: file.sha256 for file in files}


def _slices(spine: Spine, sources: Sequence[Source], parts: Sequence[Sequence[ViewPart]]) -> int:
    """In how many slices keys go, so that one fits into a task with all that its view knows of them."""
    asked, most = spine.rows_at_most(), 0
    for source, of_view in zip(sources, parts, strict=True):
        known = min(table_rows(source, of_view), asked * moments(source, of_view))
        most = max(most, asked + known)
    return slices_for(most, _SLICE_ROWS)


def _put_down(tasks: Tasks, spine: Spine, keys: Sequence[SpineKey], slices: int) -> _PutDown:
    """Read the spine once, a piece at a time, here where its file is."""
    pieces: list[Parcel] = []
    asked: dict[tuple[str, int], list[Parcel]] = defaultdict(list)
    distinct: dict[str, list[Parcel]] = defaultdict(list)
    numbers = {key.name: key.numbers for key in keys}
    rows, latest = 0, None
    for number, piece in enumerate(spine.pieces(work.PIECE_ROWS)):
        try:
            shown, asks = prepared(piece, keys, rows, texts=spine.format == CSV)
        except UnreadableError as error:
            place = "" if error.row is None else f" in row {rows + error.row + 1}"
            raise DataError(f"--spine {spine.path}: {error.what}{place}: {_EXPECTED}") from error
        pieces.append(tasks.put(work.SPINE, packed(shown), (number, piece.num_rows)))
        for name, asking in asks.items():
            for part, some in work.by_slice(asking, slices, numeric=numbers[name]):
                asked[name, part].append(tasks.put(work.ASKED, some, (name, part)))
            unique = asking.select(pl.col(KEY).drop_nulls().unique())
            distinct[name].append(tasks.put(work.ASKED_KEYS, unique, (name,)))
            last = asking[AS_OF].max()
            if isinstance(last, int):
                latest = last if latest is None else max(latest, last)
        rows += piece.num_rows
    keys_known = distinct if rows <= _SHARED_ROWS else {}
    return _PutDown(tuple(pieces), asked, keys_known, rows, latest)


def _answers(
    tasks: Tasks, source: Source, parts: Sequence[ViewPart], down: _PutDown, slices: int
) -> _Answers:
    """The rows that answer, and their values."""
    name = source.view.key_name
    indexed = Done((), (), ())
    if down.latest is not None:
        index = work.IndexPart(source, down.latest, slices, tuple(down.keys.get(name, ())))
        indexed = tasks.run(parts, index, weight=lambda part: part.size, named=_named_part(source))
    known = _by_number(indexed, work.INDEX)
    asking = [
        work.Slice(part, tuple(parcels), tuple(known.get(part, ())))
        for (of, part), parcels in sorted(down.asked.items())
        if of == name
    ]
    find = work.FindNewest(source.view.name, source.ttl)
    found = tasks.run(
        asking, find, weight=lambda one: one.size, named=lambda one: f"slice {one.number} of the keys"
    )
    wanted = _by_number(found, work.WANTED)
    reading = [work.WantedPart(part, tuple(wanted[part.number])) for part in parts if part.number in wanted]
    of_part = _named_part(source)
    gathered = tasks.run(
        reading,
        work.GatherValues(source),
        weight=lambda item: item.size,
        named=lambda item: of_part(item.part),
    )
    counts = Counter[str]()
    for line in found.results:
        counts.update(line)
    return _Answers(
        _by_number(found, work.ANSWERED),
        _by_number(gathered, work.GATHERED),
        {status: counts[status] for status in STATUSES},
    )


def _named_part(source: Source) -> Callable[[ViewPart], str]:
    return lambda part: f"{source.view.table} in {part.files[0].place}"


def _by_number(done: Done, kind: str) -> dict[int, list[Parcel]]:
    """Parcels of a kind by the number that is their key."""
    found: dict[int, list[Parcel]] = defaultdict(list)
    for parcel in done.of(kind):
        found[int(parcel.key[0])].append(parcel)
    return found


_EXPECTED = (
    "expected times such as 2023-05-01 or 2023-05-01T12:00:00Z, and keys of one kind, whole numbers for users"
)
