"""Identifiers: what stands for none, and what none may have in it.

-1, an empty text, blanks alone and the words that other programs write for a missing value mean that there
is no identifier. Blanks around one aren't part of it. All of it is noted.
"""

from __future__ import annotations

import re
from typing import Any

# However spelt: null (JSON, SQL), None (Python), nan (pandas)
_WORDS_FOR_NONE = frozenset({"null", "none", "nan"})
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def stands_for_none(value: str) -> bool:
    """Whether a text is blank, or a word for a missing value."""
    bare = value.strip()
    return not bare or bare.lower() in _WORDS_FOR_NONE


def text_id(value: str | None, name: str, notes: list[str]) -> str | None:
    """The identifier in a text, None where it is none; remarks go to `notes`."""
    if value is None or value == "":
        return None
    bare = value.strip()
    if bare == "-1":
        notes.append(f"-1 as {name}")
        return None
    if stands_for_none(bare):
        notes.append(_note(bare, name))
        return None
    if bare != value:
        notes.append(f"blanks around {name}")
    return bare


def number_id(value: Any, name: str, notes: list[str]) -> int | None:
    """The identifier in a whole number or in a text that stands for none (see `kinds.number_key`)."""
    if value is None:
        return None
    if isinstance(value, str):
        notes.append(_note(value.strip(), name))
        return None
    if value == -1:
        notes.append(f"-1 as {name}")
    return int(value) if value >= 0 else None


def flaw_of(value: Any) -> str | None:
    """What makes a text useless as an identifier, in words; None if nothing does."""
    if not isinstance(value, str):
        return None
    if "\0" in value:
        return "no NUL in an identifier"
    return "no half of a surrogate pair in an identifier" if _HALF_PAIR.search(value) else None


def without_halves(value: Any) -> Any:
    """Text, or texts, with a question mark for each half of a surrogate pair: no storage holds one."""
    if isinstance(value, str):
        return _HALF_PAIR.sub("?", value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(without_halves, value))
    return value


def _note(bare: str, name: str) -> str:
    return f"null as text in {name}" if bare else f"blank {name}"
