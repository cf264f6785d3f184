"""Fingerprints: short names of whatever decides a piece of work, so that the same work isn't done twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

SHORT, MEDIUM, LONG = 16, 32, 64  # hexadecimal digits


def fingerprint_of(
    content: object,
    digits: int = MEDIUM,
    *,
    sort_keys: bool = False,
    default: Callable[[object], str] | None = None,
) -> str:
    """SHA-256 of the content as JSON, cut to so many hexadecimal digits.

    `sort_keys`: mappings count whatever their order. `default` spells what JSON has no word for.
    Fingerprints lie in tables and in MLflow: another spelling would have all that work done anew.
    """
    text = json.dumps(content, sort_keys=sort_keys, default=default)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
