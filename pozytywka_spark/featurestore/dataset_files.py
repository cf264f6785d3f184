"""The files of a data set: a piece of the spine with its values in each, the same bytes every time."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from pozytywka_spark.featurestore.asof import AS_OF, ROW
from pozytywka_spark.featurestore.dataset_work import ANSWERED_SCHEMA, ASKED_SCHEMA, Source, answered_columns
from pozytywka_spark.featurestore.moments import UnreadableError, as_keys, as_micros
from pozytywka_spark.featurestore.rows import KEY
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.tasks import Result, TaskFiles

FILE, ROWS, BYTES, SHA256 = "file", "rows", "bytes", "sha256"
_PACKED = "packed"
_AT_ONCE = 1 << 20  # bytes
_LEVEL = 1  # of zstd: higher ones take twice the time for a few per cent of doubles


@dataclass(frozen=True)
class SpineKey:
    """A column of the spine that holds keys; `numbers`: whole ones."""

    name: str
    numbers: bool


def prepared(
    piece: pa.Table, keys: Sequence[SpineKey], first_row: int, *, texts: bool
) -> tuple[pa.Table, dict[str, pl.DataFrame]]:
    """A piece as it stands in the data set, and what it asks by each key: ROW, KEY, AS_OF.

    `texts`: all is text, as in CSV; then whole-numbered keys and `as_of` become numbers and moments, and
    all else stays as it is. Raises `UnreadableError` with the row of the piece, its text naming the column.
    """
    with _named(AS_OF):
        as_of = as_micros(piece.column(AS_OF))
    rows = pl.Series(ROW, range(first_row, first_row + piece.num_rows), pl.Int64)
    asked = {}
    if texts:
        moments = as_of.cast(pl.Datetime("us", "UTC")).to_arrow()
        piece = _replaced(piece, AS_OF, moments)
    for each in keys:
        with _named(each.name):
            read = as_keys(piece.column(each.name), numbers=each.numbers)
        asked[each.name] = pl.DataFrame({ROW: rows, KEY: read, AS_OF: as_of}, schema=ASKED_SCHEMA)
        if texts and each.numbers:
            piece = _replaced(piece, each.name, read.cast(pl.Int64).to_arrow())
    return piece, asked


def packed(piece: pa.Table) -> pl.DataFrame:
    """A piece of whatever Arrow types as one value in one row, for a parcel: a row, one column of bytes."""
    target = pa.BufferOutputStream()
    piece = piece.unify_dictionaries().combine_chunks()
    with ipc.new_stream(target, piece.schema) as writer:
        writer.write_table(piece)
    return pl.DataFrame({_PACKED: [target.getvalue().to_pybytes()]}, schema={_PACKED: pl.Binary})


def unpacked(parcel: pl.DataFrame) -> pa.Table:
    """The piece of `packed`."""
    return ipc.open_stream(parcel[_PACKED][0]).read_all()


@dataclass(frozen=True)
class Piece:
    """A piece of the spine, and of each source what answers it and what was gathered for it."""

    number: int
    spine: Parcel
    answered: tuple[tuple[Parcel, ...], ...]
    gathered: tuple[tuple[Parcel, ...], ...]

    @property
    def size(self) -> int:
        """Bytes of its parcels."""
        parcels = [self.spine, *(one for some in (*self.answered, *self.gathered) for one in some)]
        return sum(parcel.size for parcel in parcels)

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"part-{self.number:05d}.parquet"


@dataclass(frozen=True)
class WritePiece:
    """Pieces as files of `folder`: the spine's columns, the sources' in their order, then what tells of them.

    Tells each file's name, rows, bytes and SHA-256.
    """

    storage: Storage
    folder: str
    sources: tuple[Source, ...]

    def __call__(self, pieces: Sequence[Piece], files: TaskFiles) -> Iterator[Result]:
        """See the class."""
        for piece in pieces:
            content = self._content(piece, files)
            write_whole(self.storage, f"{self.folder}/{piece.file}", content)
            digest = hashlib.sha256(content).hexdigest()
            yield {FILE: piece.file, ROWS: piece.spine.key[1], BYTES: len(content), SHA256: digest}

    def _content(self, piece: Piece, files: TaskFiles) -> pa.Buffer:
        spine = unpacked(files.read([piece.spine]))
        values, notes = [], []
        parcels = zip(self.sources, piece.answered, piece.gathered, strict=True)
        for source, answered, gathered in parcels:
            found = files.read(gathered) if gathered else None
            rows = files.read(answered) if answered else pl.DataFrame(schema=ANSWERED_SCHEMA)
            of_view, about = answered_columns(source, rows, found)
            values.append(of_view)
            notes.append(about)
        return content_of(spine, [*values, *notes])


@dataclass(frozen=True)
class DigestFiles:
    """Tells SHA-256 of files of `folder`: name and bytes each."""

    storage: Storage
    folder: str

    def __call__(self, named: Sequence[tuple[str, int]], files: TaskFiles) -> Iterator[Result]:
        """See the class."""
        for file, _ in named:
            store, name = self.storage.at(f"{self.folder}/{file}")
            digest = hashlib.sha256()
            with store.open_input_stream(name, compression=None) as source:
                while block := source.read(_AT_ONCE):
                    digest.update(block)
            yield {FILE: file, SHA256: digest.hexdigest()}


def content_of(spine: pa.Table, beside: Sequence[pl.DataFrame]) -> pa.Buffer:
    """A Parquet file of the spine's columns and those beside it, row for row."""
    columns = dict(zip(spine.column_names, spine.columns, strict=True))
    doubles = []
    for frame in beside:
        for series in frame.get_columns():
            columns[series.name] = _plain(series)
            if series.dtype.is_float():
                doubles.append(series.name)
    whole = pa.table(columns)
    target = pa.BufferOutputStream()
    pq.write_table(
        whole,
        target,
        row_group_size=max(1, whole.num_rows),
        compression="zstd",
        compression_level=_LEVEL,
        # values of features hardly ever repeat: a dictionary of them costs time and saves nothing
        use_dictionary=[name for name in whole.column_names if name not in doubles],
    )
    return target.getvalue()


def write_whole(storage: Storage, place: str, content: pa.Buffer | bytes) -> None:
    """A file that is there whole or not at all, though a task may run twice at once."""
    store, name = storage.at(place)
    if not storage.is_local(place):  # an object is put in one move
        with store.open_output_stream(name) as target:
            target.write(content)
        return
    folder, _, file = name.rpartition("/")
    attempt = f"{folder}/.{file}.{uuid.uuid4().hex}.tmp"
    with store.open_output_stream(attempt) as target:
        target.write(content)
    store.move(attempt, name)


def _plain(series: pl.Series) -> pa.Array:
    """In Arrow's plain types: Polars' own views of texts are not everybody's."""
    array = series.to_arrow()
    return array.cast(pa.string()) if series.dtype == pl.String else array


def _replaced(piece: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return piece.set_column(piece.schema.get_field_index(name), name, values)


@contextmanager
def _named(column: str) -> Iterator[None]:
    try:
        yield
    except UnreadableError as error:
        raise UnreadableError(f"{column} {error.what}", error.row) from None
