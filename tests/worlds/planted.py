"""Texts of `deliveries.users` with personal data planted in them; and whether any file has it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pozytywka_spark.ingest.masking.word_forms import folded
from tests.worlds.deliveries import Row

_USERS = 7
# In small letters without diacritics, as they are looked for: of names the part that no ending changes
PLANTED = ("zdzislaw", "kowalsk", "ogrodow", "poczta", "krzaczek", "48600700", "41111111")


def texts(number: int = 40, *, first: int = 0, **changed: Any) -> list[Row]:
    """Texts of seven users, a day apart, each with all that must never be seen again."""
    return [_text(place) | changed for place in range(first, first + number)]


def _text(place: int) -> Row:
    who = place % _USERS
    return {
        "feedback_id": f"f{place}",
        "timestamp": f"2023-{1 + place // 28 % 12:02}-{1 + place % 28:02}T10:00:00",
        "user_id": 100 + who,
        "channel": ("nps", "support", "comment")[place % 3],
        "text": (
            f"Jestem Zdzisława Kowalska{who}, proszę o zwrot {place} zł dla ZDZISŁAWY <b>Kowal</b>skiej, "
            f"ul. Ogrodowa {who}/7 (mieszkam na Ogrodowej), z.k{place}@poczta.pl, tel. +48 600 700 "
            f"{place:03}, "
            f"karta 4111 1111 1111 1111, https://krzaczek.org/{place}"
        ),
        "score": place % 11 if place % 3 == 0 else None,
        "queue": "payment" if place % 4 == 0 else None,
        "spam": False if place % 4 == 0 else None,
    }


def planted_below(folder: Path, words: Iterable[str]) -> list[str]:
    """Files below a folder that have one of the words: in their bytes, or in a column of theirs."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            seen = folded(_content(path))
            found += [f"{path.relative_to(folder)}: {word}" for word in words if word in seen]
    return found


def _content(path: Path) -> str:
    data = path.read_bytes()
    text = data.decode("utf-8", "replace")
    # a killed process may leave no more than the beginning of a file
    if len(data) > 8 and data.startswith(b"PAR1") and data.endswith(b"PAR1"):
        rows = pq.read_table(path, partitioning=None).to_pylist()
        text += json.dumps(rows, ensure_ascii=False, default=str)
    # numbers are looked for without what stands between their digits
    return f"{text} {text.replace(' ', '')}"
