"""Files of a batch that an older version began: Spark's file source kept the book then.

A lake may have been left in the middle of such a batch, and only the same files can bring it to its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pozytywka_spark.lake.storage.addresses import decoded_path
from pozytywka_spark.lake.storage.texts import Texts


def files_of_batch(texts: Texts, number: int) -> frozenset[str] | None:
    """Paths that batch `number` of Spark's checkpoint reads; None if it knows of no such batch.

    Each batch goes up to an entry of the source's own log, from behind that of the batch before.
    """
    ends = {int(name): _end(text) for name, text in texts.read("offsets").items() if name.isdigit()}
    if number not in ends:
        return None
    begin = ends.get(number - 1, -1)
    entries = _entries(texts.read("sources/0"))
    return frozenset(
        decoded_path(entry["path"]) for entry in entries if begin < entry["batchId"] <= ends[number]
    )


def _end(text: str) -> int:
    """The last line of an offset is the source's; the first two are a version and the batch's own."""
    return int(json.loads(text.splitlines()[-1])["logOffset"])


def _entries(logs: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """All files that the source's log holds: an entry of it, or many gathered in one, a line each."""
    for name, text in logs.items():
        if name.removesuffix(".compact").isdigit():
            yield from map(json.loads, filter(None, text.splitlines()[1:]))
