"""A look at raw files before anything is read of them: what each is, and in which unit its timestamps are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.intake import epochs
from pozytywka_spark.ingest.intake.contracts import Contract
from pozytywka_spark.ingest.intake.reader import Part, Surveyed, lines_of, parts_of
from pozytywka_spark.ingest.intake.recognise import HEAD_BYTES, Kind, recognise
from pozytywka_spark.ingest.intake.unpack import (
    MAGIC_BYTES,
    PLAIN,
    UNREADABLE,
    codec_of,
    unpack_error,
    unpacked,
)
from pozytywka_spark.ingest.intake.wrong_kinds import AGAIN, Wrong, first_of
from pozytywka_spark.ingest.validate.pass_one import named_part
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.storage.listed_file import ListedFile
from pozytywka_spark.lake.tasks import Result, TaskFiles, Tasks


@dataclass(frozen=True)
class Surveyor:
    """Looks at the beginnings of files of one entity."""

    storage: Storage
    fields: tuple[str, ...]

    def look(self, path: str) -> tuple[str, Kind] | None:
        """Codec and kind of a file; None if it has gone."""
        store, name = self.storage.at(path)
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
            return codec, Kind(Wrong("", f"{unpack_error(error, codec)}; {AGAIN}"))
        whole = len(head) <= HEAD_BYTES
        return codec, recognise(head[:HEAD_BYTES], whole=whole, codec=codec, fields=self.fields)

    def __call__(self, paths: Sequence[str], _: TaskFiles) -> Iterator[Result]:
        """The same of some files, as facts."""
        for path in paths:
            seen = self.look(path)
            if seen is not None:
                codec, kind = seen
                wrong = kind.wrong
                wrongness = {} if wrong is None else {"seems": wrong.seems, "advice": wrong.advice}
                yield {
                    "path": path,
                    "codec": codec,
                    "array": kind.array,
                    "time_unit": kind.time_unit,
                    **wrongness,
                }


def survey(
    tasks: Tasks, files: Sequence[ListedFile], storage: Storage, contract: Contract, *, refuse: bool
) -> list[Surveyed]:
    """Those files that are there, and how each is to be read.

    With `refuse`, raises `DataError` naming those that certainly hold no rows, what they seem to be and
    what to do; without it, their lines are taken as they are.
    """
    looked = tasks.run(
        [file.path for file in files],
        Surveyor(storage, contract.required),
        weight=lambda _: HEAD_BYTES,
        named=str,
    )
    by_path = {result["path"]: result for result in looked.results}
    surveyed, wrong = [], []
    for file in files:
        result = by_path.get(file.path)
        if result is None:
            continue
        if "advice" in result:
            seems, advice = result["seems"], result["advice"]
            wrong.append(
                f"{file.path}: it seems to be {seems}; {advice}" if seems else f"{file.path}: {advice}"
            )
        surveyed.append(Surveyed(file, result["codec"], result["array"], result["time_unit"]))
    if wrong and refuse:
        raise DataError(f"{first_of(wrong, str)}; nothing of {contract.entity} was taken in")
    return _verified(tasks, surveyed, storage)


@dataclass(frozen=True)
class UnitReader:
    """The unit of time that all timestamps of a part share."""

    storage: Storage

    def __call__(self, parts: Sequence[Part], _: TaskFiles) -> Iterator[Result]:
        """A fact for each part; `mixed` ends the look at it."""
        for part in parts:
            unit = None
            for lines in lines_of(self.storage, part):
                unit = epochs.together((unit, epochs.unit_of_lines(lines.texts)))
                if unit == epochs.MIXED:
                    break
            yield {"path": part.path, "time_unit": unit}


def _verified(tasks: Tasks, surveyed: Sequence[Surveyed], storage: Storage) -> list[Surveyed]:
    """The files, with a unit of time only where the whole file has it; only likely ones are read for it."""
    likely = [each for each in surveyed if each.time_unit is not None]
    parts = parts_of(likely, tasks.slots)
    units = defaultdict(list)
    read = tasks.run(parts, UnitReader(storage), weight=lambda part: part.cost, named=named_part)
    for result in read.results:
        units[result["path"]].append(result["time_unit"])
    certain = {path: epochs.together(each) for path, each in units.items()}
    told_units = [(each, certain.get(each.file.path)) for each in surveyed]
    return [replace(each, time_unit=None if unit == epochs.MIXED else unit) for each, unit in told_units]
