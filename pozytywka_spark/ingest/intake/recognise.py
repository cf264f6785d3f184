"""Recognise a raw file by its first bytes and rows: rows to be read, or something else for certain.

A pure function of the file's beginning, once unpacked. A file is refused here only for what it certainly
is; one of which merely most rows are unusable is told when its rows are judged (`ingest.accept_bad_share`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pozytywka_spark.ingest.intake import epochs
from pozytywka_spark.ingest.intake.arrays import BOM, ends_array
from pozytywka_spark.ingest.intake.unpack import PLAIN, codec_of
from pozytywka_spark.ingest.intake.wrong_json import json_of, wrong_array, wrong_objects
from pozytywka_spark.ingest.intake.wrong_kinds import Wrong, wrong_by_bytes
from pozytywka_spark.ingest.intake.wrong_text import wrong_text

HEAD_BYTES = 256 << 10
_NESTED = Wrong("compressed twice", "unpack it once, with gunzip, bunzip2 or zstd -d")
_ROWS_LOOKED_AT = 50


@dataclass(frozen=True)
class Kind:
    """What a file is. `wrong` set: no rows. `array`: a JSON array with one object a line.

    `time_unit`: the unit that the first timestamps seem to be in, to be verified over the whole file.
    """

    wrong: Wrong | None = None
    array: bool = False
    time_unit: str | None = None


def recognise(head: bytes, *, whole: bool, codec: str, fields: Sequence[str]) -> Kind:
    """The kind of a file that begins with `head`, unpacked from `codec`; `whole`: that is all of it.

    `fields` are the names that its entity's rows have.
    """
    if codec != PLAIN and codec_of(head) != PLAIN:
        return Kind(_NESTED)
    lines = _lines(head, whole)
    if not lines:
        return Kind(wrong_by_bytes(head))
    wrong = wrong_by_bytes(head) or wrong_text(lines, fields)
    if wrong is not None:
        return Kind(wrong)
    if not lines[0].startswith(b"["):
        wrong = wrong_objects(lines, head, fields)
        return Kind(wrong, time_unit=None if wrong else _unit(lines, fields))
    items = array_items(lines)
    if items is not None:
        return Kind(array=True, time_unit=_unit(items, fields))
    return Kind(wrong_array(lines))


def array_items(lines: Sequence[bytes]) -> list[bytes] | None:
    """Items of an array that stand on a line each, most of them at least; None if it isn't such an array."""
    if len(lines) > 1 and isinstance(json_of(lines[0]), list):
        return None
    inner = [lines[0][1:].strip(), *lines[1:]]
    ends = [number for number, line in enumerate(inner) if ends_array(line)]
    if ends and ends[0] < len(inner) - 1:
        return None  # it ends before the file does: lines in brackets, each by itself
    if ends:
        inner[-1] = inner[-1][:-1]
    items = [item for item in (line.strip(b", \t") for line in inner) if item]
    seen = items[:_ROWS_LOOKED_AT]
    objects = sum(isinstance(json_of(item), dict) for item in seen)
    return items if objects * 2 > len(seen) or not items else None


def _lines(head: bytes, whole: bool) -> list[bytes]:
    """Lines with something on them, stripped; of a part of the file without the last, which may be cut."""
    cut = head.removeprefix(BOM).splitlines()
    if not whole and len(cut) > 1:
        cut.pop()
    return [line for line in map(bytes.strip, cut) if line]


def _unit(lines: Sequence[bytes], fields: Sequence[str]) -> str | None:
    if epochs.FIELD not in fields:
        return None
    return epochs.unit_of_rows([json_of(line) for line in lines[:_ROWS_LOOKED_AT]])
