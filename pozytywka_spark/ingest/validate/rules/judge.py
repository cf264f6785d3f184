"""One line, from its bytes to what becomes of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from pozytywka_spark.ingest.validate.rules import artists, feedback, sessions, storage, tracks, users
from pozytywka_spark.ingest.validate.rules.identifiers import flaw_of, without_halves
from pozytywka_spark.ingest.validate.rules.kinds import WRONG
from pozytywka_spark.ingest.validate.rules.privacy import kept_text, key_in_words, plain_key, rescued
from pozytywka_spark.ingest.validate.rules.reading import Pairs, read_object
from pozytywka_spark.ingest.validate.rules.verdict import Broken, Entity, Judging, Meaning, Verdict
from pozytywka_spark.ingest.validate.rules.writing import as_text

# Keys that a rule's text names, of however many come twice
_NAMED = 5

ENTITIES = {
    rules.name: rules
    for rules in (
        users.RULES,
        artists.RULES,
        tracks.RULES,
        storage.RULES,
        sessions.RULES,
        feedback.RULES,
    )
}


def judge_line(
    line: bytes,
    entity: Entity,
    judging: Judging,
    *,
    unit: str | None = None,
    keep_text: bool = False,
    line_id: str | None = None,
) -> Verdict:
    """What becomes of a line. `unit` is that of numbers as timestamps, None where they are no times.

    `raw` and `line_id` (the one given, else a hash) are there only if the row may end in quarantine, unless
    `keep_text`.
    """
    read = read_object(line, judging.max_line_bytes)
    if isinstance(read, Broken):
        nothing, named = (None,) * len(entity.columns), line_id or line_hash(entity.name, line)
        return Verdict(nothing, read.reason, read.rule, raw=kept_text(line, None, entity), line_id=named)
    pairs, text = read
    row = dict(pairs)
    fault = _doubled(pairs, row, entity) if len(row) != len(pairs) else None
    flaw = None
    if "\\u" in text:  # only an escape puts what can't be stored into a text
        flaw = _flawed(row, entity)
        pairs = without_halves(pairs)
        row = dict(pairs)
    fields, mistyped = _typed(row, entity, unit)
    if fault is None and mistyped:
        fault = Broken("wrong_type", ", ".join(mistyped))
    meaning = entity.meaning(fields, judging, unit)
    broken = fault or flaw or meaning.broken
    unknown, absent = [], None
    if row.keys() != fields.keys():
        unknown = [name for name in row if name not in entity.allowed]
        absent = [name for name in fields if name not in row] or None
    notes, strange = None, {}
    if fault is None:
        strays = [plain_key(name, entity) for name in unknown]
        notes = _notes(fields, meaning, strays) or None
        strange = {name: as_text(row[name]) for name in unknown}
    doubtful = keep_text or broken is not None or meaning.incomplete
    return Verdict(
        meaning.columns,
        broken.reason if broken else None,
        broken.rule if broken else None,
        rescued(strange, entity) if strange else None,
        notes,
        absent,
        meaning.incomplete,
        kept_text(line, pairs, entity) if doubtful else None,
        (line_id or line_hash(entity.name, line)) if doubtful else None,
    )


def line_hash(name: str, line: bytes) -> str:
    """What names a line: a hash of entity and text."""
    return hashlib.md5(f"{name}|".encode() + line, usedforsecurity=False).hexdigest()


def _notes(fields: dict[str, Any], meaning: Meaning, unknown: list[str]) -> list[str]:
    missing = [f"null {name}" for name, value in fields.items() if value is None]
    return missing + meaning.notes + [f"stray {name}" for name in unknown]


def _doubled(pairs: Pairs, row: dict[str, Any], entity: Entity) -> Broken:
    times = Counter(key for key, _ in pairs)
    twice = [key_in_words(key, entity) for key in row if times[key] > 1]
    more = ", …" if len(twice) > _NAMED else ""
    return Broken("duplicate_key", f"each key once; twice: {', '.join(twice[:_NAMED])}{more}")


def _flawed(row: dict[str, Any], entity: Entity) -> Broken | None:
    for name in entity.identifiers:
        what = flaw_of(row.get(name))
        if what:
            return Broken("bad_identifier", f"{name}: {what}")
    return None


def _typed(row: dict[str, Any], entity: Entity, unit: str | None) -> tuple[dict[str, Any], list[str]]:
    """The contract's fields as its types, None where one is of another, and the names of these."""
    fields, mistyped = dict.fromkeys(entity.fields), []
    for name, kind in entity.fields.items():
        raw = row.get(name)
        if raw is None:
            continue
        value = kind(raw)
        if value is WRONG:
            if unit is not None and name == "timestamp" and type(raw) in (int, float):
                value = raw  # a time, told by the file's other rows
            else:
                mistyped.append(name)
                value = None
        fields[name] = value
    return fields, mistyped
