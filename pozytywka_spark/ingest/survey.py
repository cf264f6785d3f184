"""A look at raw files before anything is read of them: what each is, and in which unit its timestamps are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from pyspark.sql import SparkSession

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest import epochs
from pozytywka_spark.ingest.contracts import Contract
from pozytywka_spark.ingest.rawfile import RawFile
from pozytywka_spark.ingest.reach import Reach
from pozytywka_spark.ingest.reader import Part, Surveyed, lines_of, parts_of, run_over, slots_of, tasks_of
from pozytywka_spark.ingest.recognise import HEAD_BYTES, Kind, recognise
from pozytywka_spark.ingest.unpack import MAGIC_BYTES, PLAIN, UNREADABLE, codec_of, in_words, unpacked
from pozytywka_spark.ingest.wrong_kinds import AGAIN, Wrong, first_of
from pozytywka_spark.lake.tasks import TaskFiles, Tasks, Told

# So few are looked at by the driver: a job takes longer
_FEW = 40
_LOOKED = "path string, codec string, array boolean, time_unit string, seems string, advice string"
_UNITS = "path string, time_unit string"
_LOOKED_ARROW = pa.schema(
    [
        ("path", pa.string()),
        ("codec", pa.string()),
        ("array", pa.bool_()),
        ("time_unit", pa.string()),
        ("seems", pa.string()),
        ("advice", pa.string()),
    ]
)
_UNITS_ARROW = pa.schema([("path", pa.string()), ("time_unit", pa.string())])


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

    def told(self, paths: Iterable[str]) -> Iterator[Told]:
        """The same of those files that are there: `path`, `codec`, `array`, `time_unit`, and of a file that
        certainly holds no rows `advice` and perhaps what it `seems` to be.
        """
        for path in paths:
            found = self.look(path)
            if found is None:
                continue
            codec, kind = found
            seems, advice = (None, None) if kind.wrong is None else (kind.wrong.seems, kind.wrong.advice)
            yield {"path": path, "codec": codec, "array": kind.array, "time_unit": kind.time_unit,
                   "seems": seems, "advice": advice}  # fmt: skip

    def __call__(self, paths: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The same as rows."""
        yield pa.RecordBatch.from_pylist(list(self.told(paths)), _LOOKED_ARROW)


@dataclass(frozen=True)
class LookWork:
    """Work on paths of files: tells as `Surveyor.told`."""

    surveyor: Surveyor

    def __call__(self, paths: Sequence[str], _: TaskFiles) -> Iterator[Told]:
        """Look at each file in turn."""
        return self.surveyor.told(paths)


@dataclass(frozen=True)
class UnitWork:
    """Work on parts of files: tells `path` and `time_unit`, the unit that all timestamps of a part share."""

    reach: Reach

    def __call__(self, parts: Sequence[Part], _: TaskFiles) -> Iterator[Told]:
        """Read each part in turn."""
        for part in parts:
            yield {"path": part.path, "time_unit": unit_of(self.reach, part)}


def survey_files(
    tasks: Tasks, files: Sequence[RawFile], reach: Reach, contract: Contract, *, refuse: bool
) -> list[Surveyed]:
    """Those files that are there, and how each is to be read.

    With `refuse`, raises `DataError` naming those that certainly hold no rows, what they seem to be and
    what to do; without it, their lines are taken as they are.
    """
    surveyor = Surveyor(reach, contract.required)
    paths = [file.path for file in files]
    if len(paths) > _FEW:
        told = tasks.run(paths, LookWork(surveyor), weight=lambda _: 1, named=str).told
    else:
        told = tuple(surveyor.told(paths))
    found = _sorted_out(told, files, contract, refuse=refuse)
    likely = parts_of([each for each in found if each.time_unit is not None], tasks.slots)
    units = tasks.run(likely, UnitWork(reach), weight=lambda part: part.size, named=lambda part: part.path)
    return _with_units(found, [(one["path"], one["time_unit"]) for one in units.told])


def _sorted_out(
    told: Iterable[Told], files: Sequence[RawFile], contract: Contract, *, refuse: bool
) -> list[Surveyed]:
    """The files in their order, as they were told."""
    by_path = {one["path"]: one for one in told}
    there = [(file, by_path[file.path]) for file in files if file.path in by_path]
    wrong = [_in_words(one) for _, one in there if one["advice"] is not None]
    if wrong and refuse:
        raise DataError(f"{first_of(wrong, str)}; nothing of {contract.entity} was taken in")
    return [Surveyed(file, one["codec"], one["array"], one["time_unit"]) for file, one in there]


def _in_words(told: Told) -> str:
    seems = f"it seems to be {told['seems']}; " if told["seems"] else ""
    return f"{told['path']}: {seems}{told['advice']}"


def unit_of(reach: Reach, part: Part) -> str | None:
    """The unit of time that all timestamps of a part share; `mixed` ends the look at it."""
    unit = None
    for lines in lines_of(reach, part):
        unit = epochs.together((unit, epochs.unit_of_lines(lines.texts)))
        if unit == epochs.MIXED:
            break
    return unit


def _with_units(found: Sequence[Surveyed], told: Iterable[tuple[str, str | None]]) -> list[Surveyed]:
    """The files, with a unit of time only where all parts of the file tell it."""
    units = defaultdict(list)
    for path, unit in told:
        units[path].append(unit)
    certain = {path: epochs.together(units[path]) for path in units}
    both = [(each, certain.get(each.file.path)) for each in found]
    return [replace(each, time_unit=None if unit == epochs.MIXED else unit) for each, unit in both]


def survey(
    spark: SparkSession, files: Sequence[RawFile], reach: Reach, contract: Contract, *, refuse: bool
) -> list[Surveyed]:
    """Those files that are there, and how each is to be read.

    With `refuse`, raises `DataError` naming those that certainly hold no rows, what they seem to be and
    what to do; without it, their lines are taken as they are.
    """
    looked = list(_looked(spark, Surveyor(reach, contract.required), [file.path for file in files]))
    return _verified(spark, _sorted_out(looked, files, contract, refuse=refuse), reach)


def _looked(spark: SparkSession, surveyor: Surveyor, paths: list[str]) -> Iterator[Told]:
    if len(paths) <= _FEW:
        return surveyor.told(paths)
    each = -(-len(paths) // min(len(paths), 4 * slots_of(spark)))
    tasks = [paths[at : at + each] for at in range(0, len(paths), each)]
    return (row.asDict() for row in run_over(spark, tasks, surveyor, _LOOKED).collect())


@dataclass(frozen=True)
class UnitReader:
    """The unit of time that all timestamps of a part share, a row for each part."""

    reach: Reach

    def __call__(self, parts: Sequence[Part]) -> Iterator[pa.RecordBatch]:
        """Read each part in turn."""
        for part in parts:
            told = {"path": part.path, "time_unit": unit_of(self.reach, part)}
            yield pa.RecordBatch.from_pylist([told], _UNITS_ARROW)


def _verified(spark: SparkSession, found: Sequence[Surveyed], reach: Reach) -> list[Surveyed]:
    """The files, their unit of time verified; only those that may have one are read for it."""
    likely = [each for each in found if each.time_unit is not None]
    if not likely:
        return list(found)
    tasks = tasks_of(likely, slots_of(spark))
    return _with_units(found, map(tuple, run_over(spark, tasks, UnitReader(reach), _UNITS).collect()))
