"""What a file of events notes of them: whatever their order and files, and read back without their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from random import Random

import polars as pl
import pytest

from pozytywka_spark.lake.event_days import count_days
from pozytywka_spark.lake.event_notes import NOTE, EventNote, as_note, note_of, together
from pozytywka_spark.lake.shards import DataFile, Shard
from tests.in_memory import MemoryTasks

START = datetime(2023, 1, 30, 23, 59, 59, 999_999, tzinfo=UTC)
IDS = [md5(str(n).encode()).digest() for n in range(500)]


def rows(places: list[int]) -> pl.DataFrame:
    times = [START + timedelta(minutes=7 * place) for place in places]
    return pl.DataFrame(
        {"event_id": [IDS[place] for place in places], "event_time": times},
        schema={"event_id": pl.Binary, "event_time": pl.Datetime("us", "UTC")},
    )


def test_a_note_tells_number_content_days_and_the_last_time() -> None:
    found = note_of(rows([0, 1, 2, 300]))
    expected = sum(int.from_bytes(IDS[place], "big") for place in (0, 1, 2, 300)) % 2**128
    last = datetime(2023, 2, 1, 10, 59, 59, 999_999, tzinfo=UTC)
    days = {date(2023, 1, 30): 1, date(2023, 1, 31): 2, date(2023, 2, 1): 1}
    micros = (last - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert found == EventNote(4, expected, micros, days)
    assert as_note(found.as_text()) == found


def test_a_note_depends_on_no_order_and_adds_up_over_files() -> None:
    places = list(range(500))
    whole = note_of(rows(places))
    Random(3).shuffle(places)
    assert note_of(rows(places)) == whole
    parts = [rows(places[start : start + 77]) for start in range(0, 500, 77)]
    assert together([*map(note_of, parts), note_of(rows([]))]) == whole
    assert note_of(rows(places)[100:150]) == note_of(rows(places[100:150])), "a part of a frame is a frame"
    assert note_of(rows(places[:-1])) != whole
    assert note_of(rows([0, 0])).content != note_of(rows([0])).content, "an event twice is another content"


def test_events_before_1970_and_no_events() -> None:
    early = rows([0]).with_columns(event_time=pl.lit(datetime(1969, 12, 31, 23, tzinfo=UTC)))
    assert note_of(early).days == {date(1969, 12, 31): 1}
    assert together([note_of(early)]).last == -3_600_000_000
    assert note_of(rows([])) == together([]) == EventNote()


def test_ids_of_another_length_count_too() -> None:
    odd = rows([0, 1]).with_columns(event_id=pl.Series([b"late", None], dtype=pl.Binary))
    assert note_of(odd).content not in (0, note_of(odd[:1]).content)
    assert note_of(odd[::-1]) == note_of(odd)


@dataclass
class Shelf:
    """A lake of events in files, each with or without its note."""

    tasks_: MemoryTasks
    files: list[tuple[DataFile, bool]]

    @contextmanager
    def tasks(self) -> Iterator[MemoryTasks]:
        yield self.tasks_

    def shards(self, table: str, tasks: MemoryTasks, columns: Sequence[str]) -> list[Shard]:
        return [Shard(table, {}, (file,)) for file, _ in self.files]

    def noted(self, files: Sequence[DataFile]) -> list[dict[str, str]]:
        assert files == [file for file, _ in self.files]
        return [
            {NOTE: note_of(self.tasks_.files.read([file])).as_text()} if noted else {}
            for file, noted in self.files
        ]


@pytest.mark.parametrize("noted", [(True, True), (True, False), (False, False)])
def test_days_are_counted_from_notes_and_from_the_rows_of_files_without(noted: tuple[bool, bool]) -> None:
    tasks = MemoryTasks()
    parts = [tasks.files.put_file(rows(places), {}) for places in ([0, 1, 2], [2, 300])]
    found = count_days(Shelf(tasks, list(zip(parts, noted, strict=True))))
    assert found == {date(2023, 1, 30): 1, date(2023, 1, 31): 3, date(2023, 2, 1): 1}
    assert sum(map(len, tasks.ran)) == noted.count(False), "no file with a note is read"
