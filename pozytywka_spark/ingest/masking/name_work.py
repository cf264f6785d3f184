"""Users' files read for the words of their names and streets: hashed at once, never written as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.ingest.intake.reader import Part, lines_of
from pozytywka_spark.ingest.intake.textlines import Lines
from pozytywka_spark.ingest.masking.name_words import words_of
from pozytywka_spark.ingest.parcels import NAMES, NAMES_ROWS, NEW_NAMES
from pozytywka_spark.ingest.resolve.new_rows import RowSlice
from pozytywka_spark.ingest.validate.rules.identifiers import number_id, without_halves
from pozytywka_spark.ingest.validate.rules.kinds import WRONG, number_key
from pozytywka_spark.ingest.validate.rules.reading import read_object
from pozytywka_spark.ingest.validate.rules.verdict import Broken
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.tasks import Result, TaskFiles
from pozytywka_spark.schemas import NAME_WORDS

_ROWS = 1_000_000


@dataclass(frozen=True)
class ReadNames:
    """Work on parts of users' files: stages NAMES, tells nothing. Lines that can't be read tell no name."""

    storage: Storage
    salt: bytes
    max_line_bytes: int

    def __call__(self, parts: Sequence[Part], files: TaskFiles) -> Iterator[Result]:
        """Read each part in turn."""
        self._stage((lines for part in parts for lines in lines_of(self.storage, part)), files)
        yield from ()

    def judge_lines(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[Result]:
        """The same work on lines that Spark put down (`spark_files.LINES`)."""
        texts = (files.read([item], ["value"]).get_column("value").to_list() for item in items)
        self._stage((Lines(some, [0] * len(some)) for some in texts), files)
        yield from ()

    def _stage(self, pieces: Iterable[Lines], files: TaskFiles) -> None:
        rows: set[tuple[int, bytes]] = set()
        for lines in pieces:
            for line in lines.texts:
                rows.update(self._words_in(line))
            if len(rows) >= _ROWS:
                files.stage(NAMES, _frame(rows))
                rows = set()
        files.stage(NAMES, _frame(rows))

    def _words_in(self, line: bytes) -> Iterator[tuple[int, bytes]]:
        """A user and each of their words; of a key that comes twice, of both values."""
        read = read_object(line, self.max_line_bytes)
        if isinstance(read, Broken):
            return
        pairs = without_halves(read[0])
        users = {value for key, value in pairs if key == "user_id" and number_key(value) is not WRONG}
        for user in (number_id(value, "user_id", []) for value in users):
            if user is None:
                continue
            names, streets = (
                " ".join(value for key, value in pairs if key == field and isinstance(value, str))
                for field in ("name", "street")
            )
            for word in words_of(names, streets, self.salt):
                yield user, word


def new_names(items: Sequence[RowSlice], files: TaskFiles) -> Iterator[Result]:
    """Work on slices of NAMES: writes words that the table doesn't hold yet, and stages them as NEW_NAMES."""
    for one in items:
        mine = slice_of("user_id", one.parts) == one.part
        rows = pl.concat([files.read([parcel]).filter(mine) for parcel in one.parcels]).unique()
        for file in one.existing:
            rows = rows.join(files.read([file], NAME_WORDS.columns), on=NAME_WORDS.keys, how="anti")
        rows = rows.sort(*NAME_WORDS.keys)
        files.stage(NEW_NAMES, rows)
        files.write(NAME_WORDS, rows)
    yield from ()


def _frame(rows: set[tuple[int, bytes]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), NAMES_ROWS, orient="row")
