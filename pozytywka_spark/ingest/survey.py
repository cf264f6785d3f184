"""A look at raw files before anything is read of them: what each is, and in which unit its timestamps are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from pyspark.sql import SparkSession

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest import epochs
from pozytywka_spark.ingest.contracts import Contract
from pozytywka_spark.ingest.rawfile import RawFile
from pozytywka_spark.ingest.reach import Reach
from pozytywka_spark.ingest.reader import Part, Surveyed, lines_of, run_over, slots_of, tasks_of
from pozytywka_spark.ingest.recognise import HEAD_BYTES, Kind, recognise
from pozytywka_spark.ingest.unpack import MAGIC_BYTES, PLAIN, UNREADABLE, codec_of, in_words, unpacked
from pozytywka_spark.ingest.wrong_kinds import AGAIN, Wrong, first_of

# So few are looked at by the driver: a job takes longer
_FEW = 40
_LOOKED = "path string, codec string, array boolean, time_unit string, seems string, advice string"
_UNITS = "path string, time_unit string"


@dataclass(frozen=True)
class Surveyor:
    """Looks at the beginnings of files of one entity."""

    reach: Reach
    fields: tuple[str, ...]

    def look(self, path: str) -> tuple[str, Kind] | None:
        """Codec and kind of a file; None if it has gone."""
        store, name = self.reach.at(path)
        codec = PLAIN
        try:
            with store.open_input_file(name) as source:
                codec = codec_of(source.read(MAGIC_BYTES))
                source.seek(0)
                head = b""
                for chunk in unpacked(source, codec, HEAD_BYTES):
                    head += chunk
                    if len(head) > HEAD_BYTES:
                        break
        except FileNotFoundError:
            return None
        except UNREADABLE as error:
            return codec, Kind(Wrong("", f"{in_words(error, codec)}; {AGAIN}"))
        whole = len(head) <= HEAD_BYTES
        return codec, recognise(head[:HEAD_BYTES], whole=whole, codec=codec, fields=self.fields)

    def __call__(self, paths: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The same of some files, as rows."""
        rows = [(path, *found) for path in paths if (found := self.look(path)) is not None]
        columns = [
            (path, codec, kind.array, kind.time_unit, *_told(kind.wrong)) for path, codec, kind in rows
        ]
        types = (pa.string(), pa.string(), pa.bool_(), pa.string(), pa.string(), pa.string())
        names = ("path", "codec", "array", "time_unit", "seems", "advice")
        arrays = [pa.array([row[at] for row in columns], kind) for at, kind in enumerate(types)]
        yield pa.RecordBatch.from_arrays(arrays, names=names)


def survey(
    spark: SparkSession, files: Sequence[RawFile], reach: Reach, contract: Contract, *, refuse: bool
) -> list[Surveyed]:
    """Those files that are there, and how each is to be read.

    With `refuse`, raises `DataError` naming those that certainly hold no rows, what they seem to be and
    what to do; without it, their lines are taken as they are.
    """
    surveyor = Surveyor(reach, contract.required)
    by_path = {file.path: file for file in files}
    found, wrong = [], []
    for path, codec, array, unit, seems, advice in _looked(spark, surveyor, list(by_path)):
        if advice is not None:
            wrong.append(f"{path}: it seems to be {seems}; {advice}" if seems else f"{path}: {advice}")
        found.append(Surveyed(by_path[path], codec, array, unit))
    if wrong and refuse:
        raise DataError(f"{first_of(wrong, str)}; nothing of {contract.entity} was taken in")
    return _verified(spark, found, reach)


def _looked(
    spark: SparkSession, surveyor: Surveyor, paths: list[str]
) -> Iterator[tuple[str, str, bool, str | None, str | None, str | None]]:
    if len(paths) > _FEW:
        each = -(-len(paths) // min(len(paths), 4 * slots_of(spark)))
        tasks = [paths[at : at + each] for at in range(0, len(paths), each)]
        yield from map(tuple, run_over(spark, tasks, surveyor, _LOOKED).collect())
        return
    for batch in surveyor(paths):
        yield from (tuple(row.values()) for row in batch.to_pylist())


def _told(wrong: Wrong | None) -> tuple[str | None, str | None]:
    return (None, None) if wrong is None else (wrong.seems, wrong.advice)


@dataclass(frozen=True)
class UnitReader:
    """The unit of time that all timestamps of a part share."""

    reach: Reach

    def __call__(self, parts: Sequence[Part]) -> Iterator[pa.RecordBatch]:
        """A row for each part; `mixed` ends the look at it."""
        for part in parts:
            unit = None
            for lines in lines_of(self.reach, part):
                unit = epochs.together((unit, epochs.unit_of_lines(lines.texts)))
                if unit == epochs.MIXED:
                    break
            yield pa.RecordBatch.from_pydict(
                {"path": pa.array([part.path], pa.string()), "time_unit": pa.array([unit], pa.string())}
            )


def _verified(spark: SparkSession, found: Sequence[Surveyed], reach: Reach) -> list[Surveyed]:
    """The files, with a unit of time only where the whole file has it; only likely ones are read for it."""
    likely = [each for each in found if each.time_unit is not None]
    if not likely:
        return list(found)
    units = defaultdict(list)
    tasks = tasks_of(likely, slots_of(spark))
    for path, unit in run_over(spark, tasks, UnitReader(reach), _UNITS).collect():
        units[path].append(unit)
    certain = {path: epochs.together(told) for path, told in units.items()}
    told = [(each, certain.get(each.file.path)) for each in found]
    return [replace(each, time_unit=None if unit == epochs.MIXED else unit) for each, unit in told]
