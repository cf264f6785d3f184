"""What a request's body asks for, or why it is none: checked by hand, so that each mistake has its line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pozytywka_spark.featurestore.client import micros
from pozytywka_spark.featurestore.stores.api import LONGEST_KEY

WRONG, UNKNOWN, TOO_LARGE, NOT_NOW = 400, 404, 413, 503
SERVICE, KEYS, AS_OF = "service", "keys", "as_of"
USER = "user"
_LONGS = range(-(2**63), 2**63)


class RefusedError(Exception):
    """A request isn't answered: the status of HTTP, and one line that says why."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


@dataclass(frozen=True)
class Asked:
    """Keys as the caller wrote them; `service` is empty where none is asked for, `as_of` in microseconds."""

    keys: Sequence[int | str]
    service: str = ""
    as_of: int | None = None


def features_asked(body: bytes, max_keys: int) -> Asked:
    """Of `{"service", "keys", "as_of"}`, the last of which may be left out. Raises `RefusedError`."""
    given = _fields(body, (SERVICE, KEYS, AS_OF))
    service = given.get(SERVICE)
    if not isinstance(service, str) or not service:
        raise RefusedError(WRONG, f"{SERVICE}: expected the name of a service, such as premium")
    return Asked(_keys(given, max_keys), service, _moment(given.get(AS_OF)))


def scores_asked(body: bytes, max_keys: int) -> Asked:
    """Of `{"keys", "as_of"}`, the last of which may be left out. Raises `RefusedError`."""
    given = _fields(body, (KEYS, AS_OF))
    return Asked(_keys(given, max_keys), as_of=_moment(given.get(AS_OF)))


def stored_keys(keys: Sequence[int | str], entity: str) -> list[str]:
    """The keys as they are stored. Raises `RefusedError` for one that can't be one of the entity."""
    if entity == USER:
        return [_user(key) for key in keys]
    return [_text(key, entity) for key in keys]


def _text(key: int | str, entity: str) -> str:
    try:
        if isinstance(key, str) and 0 < len(key.encode()) <= LONGEST_KEY:
            return key
    except UnicodeEncodeError:  # half of a sign
        pass
    raise RefusedError(
        WRONG, f"key {_shown(key)}: the id of {_a(entity)} is text of 1 to {LONGEST_KEY} bytes"
    )


def _user(key: int | str) -> str:
    text = str(key)
    is_number = text.removeprefix("-").isascii() and text.removeprefix("-").isdecimal()
    # as it is stored: no zeros before it, no plus
    if not is_number or len(text) > 20 or int(text) not in _LONGS or str(int(text)) != text:
        raise RefusedError(WRONG, f"key {_shown(key)}: a user_id is a whole number")
    return text


def _fields(body: bytes, allowed: Sequence[str]) -> dict[str, Any]:
    if not body:
        raise RefusedError(WRONG, f"the body is empty: expected a JSON object with {', '.join(allowed)}")
    try:
        given = json.loads(body, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise RefusedError(WRONG, "the body is nested too deeply") from None
    except UnicodeDecodeError:
        raise RefusedError(WRONG, "the body isn't UTF-8") from None
    except ValueError as error:
        raise RefusedError(WRONG, f"the body isn't JSON: {str(error).splitlines()[0]}") from None
    if not isinstance(given, dict):
        raise RefusedError(WRONG, f"the body is no JSON object: expected {', '.join(allowed)}")
    for name in given:
        if name not in allowed:
            raise RefusedError(WRONG, f"unknown field {_shown(name)}: expected {', '.join(allowed)}")
    return given


def _keys(given: dict[str, Any], max_keys: int) -> Sequence[int | str]:
    keys = given.get(KEYS)
    if not isinstance(keys, list) or not keys:
        raise RefusedError(WRONG, f"{KEYS}: expected a list of one or more")
    if len(keys) > max_keys:
        raise RefusedError(TOO_LARGE, f"{len(keys):,} keys: expected at most {max_keys:,} a request")
    for key in keys:
        if isinstance(key, bool) or not isinstance(key, int | str):
            raise RefusedError(WRONG, f"key {_shown(key)}: expected whole numbers or texts")
    return keys


def _moment(value: object) -> int | None:
    """Microseconds since 1970: as they are, or of a text of ISO 8601 (without a zone: UTC)."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value in _LONGS:
        return value
    if isinstance(value, str):
        try:
            return micros(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            pass
    raise RefusedError(
        WRONG,
        f"{AS_OF}: {_shown(value)} is no time: expected ISO 8601, such as 2023-05-01T00:00:00Z, or "
        "microseconds since 1970",
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given = dict(pairs)
    if len(given) < len(pairs):
        raise ValueError("a field stands twice")
    return given


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _a(entity: str) -> str:
    return f"an {entity}" if entity[:1] in "aeiou" else f"a {entity}"


def _shown(value: object) -> str:
    """A value as a message may show it: short, on one line."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
