"""Names, streets and texts stop here: what may be stored of a row that isn't taken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from pozytywka_spark.ingest.masking.plain_text import plain_text
from pozytywka_spark.ingest.validate.rules.kinds import WRONG
from pozytywka_spark.ingest.validate.rules.reading import Pairs
from pozytywka_spark.ingest.validate.rules.verdict import Entity
from pozytywka_spark.ingest.validate.rules.writing import as_json
from pozytywka_spark.names import FEEDBACK_CHANNELS

MASK = "***"
_LONGEST = 1000
_FIELD = re.compile("[a-z]{1,24}(?:_[a-z]{1,24}){0,4}")
# A safe field as it may be stored: text with digits, or another type, could hold a name
_PLAIN = {
    "user_id": re.compile(r"-?[0-9][-+.0-9eE]*"),
    "city": re.compile(r'"[^"0-9]*"'),
    "favourite_genres": re.compile(r"\[[^\[{]*\]"),
    "premium_user": re.compile(r"true|false"),
    "feedback_id": re.compile(r'"[A-Za-z0-9_.:-]{1,128}"'),
    "timestamp": re.compile(r'"[0-9]{4}-[0-9]{1,2}[-0-9T:.Z+ ]{0,30}"|"?[0-9]{1,16}(?:\.[0-9]{1,9})?"?'),
    "channel": re.compile(rf'" *(?:{"|".join(FEEDBACK_CHANNELS)}) *"', re.IGNORECASE),
    "score": re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,3})?"),
    "queue": re.compile(r'"[a-z_/-]{1,64}"'),
    "spam": re.compile(r"true|false"),
}


def kept_text(line: bytes, row: Pairs | None, entity: Entity) -> str:
    """The text of a line as it may be stored; `row` is what it holds, None if that can't be told.

    Without personal fields in the contract: the text itself, invalid UTF-8 replaced. With them: a
    readable row keeps its safe fields as they were typed, the others masked; of an unreadable one,
    where no field can be told from another, only the shape stays.
    """
    if entity.safe is None:
        return line.decode("utf-8", "replace")
    return _shape(line) if row is None else _masked(row, entity, entity.safe)


def rescued(unknown: Mapping[str, str | None], entity: Entity) -> str:
    """Fields that the contract doesn't know, with their text, as JSON; masked where fields are personal."""
    return as_json(
        Pairs(
            (plain_key(name, entity), text if entity.safe is None else MASK) for name, text in unknown.items()
        )
    )


def plain_key(key: str, entity: Entity) -> str:
    """A key that the contract doesn't know, as it may be stored: beside texts only what looks like one."""
    return key if not entity.has_texts or _FIELD.fullmatch(key) else MASK


def key_in_words(key: str, entity: Entity) -> str:
    """A key's name, unless it may be somebody's."""
    return key if entity.safe is None or key in entity.allowed else "a key that the contract doesn't know"


def _masked(row: Pairs, entity: Entity, safe: tuple[str, ...]) -> str:
    """The contract's fields; one that isn't safe is masked, one that is too if its value can hold a name.

    What comes twice stays twice, and what is of the wrong type stays so, for the row may be judged again.
    """
    parts = []
    for name in entity.fields:
        for value in (value for key, value in row if key == name):
            written = as_json(value)
            if name not in safe and isinstance(value, str) and not plain_text(value):
                written, plain = '""', True  # nothing in it: a row is rejected for that, and stays so
            else:
                plain = value is None or (name in safe and bool(_PLAIN[name].fullmatch(written)))
            parts.append(f'"{name}":{written if plain else _mask(value, entity.fields[name])}')
    keys = [key for key, _ in row]
    for name in entity.ignored:
        parts += [f'"{name}":"{MASK}"'] * max(1, keys.count(name))
    strange = [key for key in keys if key not in entity.allowed]
    if len(strange) != len(set(strange)):
        parts += [f'"{MASK}":"{MASK}"'] * 2
    return "{" + ",".join(parts) + "}"


def _mask(value: Any, kind: Callable[[Any], Any]) -> str:
    mistaken = kind(value) is WRONG and kind(MASK) is not WRONG
    return f'["{MASK}"]' if mistaken else f'"{MASK}"'


def _shape(line: bytes) -> str:
    """Letters and digits starred, so that brackets, quotes and length show what broke."""
    text = line[: 4 * _LONGEST].decode("utf-8", "replace")[:_LONGEST]
    return "".join("*" if unicodedata.category(char)[0] in "LMN" else char for char in text)
