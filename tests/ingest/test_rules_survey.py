"""What files are, told by a look at each and by work over the likely ones; no session."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.intake.contracts import SESSIONS
from pozytywka_spark.ingest.intake.survey import survey
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.storage.listed_file import ListedFile, naive_time
from tests.in_memory import MemoryTasks
from tests.ingest.odd_lines import PLAY

SECONDS = json.dumps(PLAY | {"timestamp": 1672722595}) + "\n"
ISO = json.dumps(PLAY) + "\n"


def listed(folder: Path, contents: dict[str, bytes]) -> list[ListedFile]:
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [ListedFile(str(folder / name), len(data), naive_time(0)) for name, data in contents.items()]


@pytest.mark.thorough
def test_each_file_is_read_as_what_it_is(tmp_path: Path) -> None:
    contents = {
        "a.jsonl": ISO.encode(),
        "b.jsonl": gzip.compress(ISO.encode()),
        "c.json": b"[\n" + ISO.encode() + b"]\n",
        "d.jsonl": SECONDS.encode() * 60_000,
        # what isn't seen at its beginning
        "e.jsonl": SECONDS.encode() * 60_000 + ISO.encode(),
    }
    files = listed(tmp_path, contents)
    tasks = MemoryTasks(3)
    gone = ListedFile(str(tmp_path / "gone"), 1, naive_time(0))
    found = survey(tasks, [*files, gone], Storage(), SESSIONS, refuse=True)
    assert [each.file for each in found] == files
    assert [(each.codec, each.array, each.time_unit) for each in found] == [
        ("plain", False, None),
        ("gzip", False, None),
        ("plain", True, None),
        ("plain", False, "s"),
        ("plain", False, None),
    ]
    # only files that may have a unit are read to their ends
    assert {name.partition(",")[0] for name in tasks.ran[-1]} == {
        str(tmp_path / name) for name in ("d.jsonl", "e.jsonl")
    }


def test_a_file_that_holds_no_rows_is_refused_or_taken_as_it_is(tmp_path: Path) -> None:
    files = listed(tmp_path, {"a.jsonl": b"PK\x03\x04" + bytes(60), "b.jsonl": ISO.encode()})
    with pytest.raises(DataError, match=r"a\.jsonl: it seems to be .*; nothing of sessions was taken in"):
        survey(MemoryTasks(3), files, Storage(), SESSIONS, refuse=True)
    assert [each.file for each in survey(MemoryTasks(3), files, Storage(), SESSIONS, refuse=False)] == files
