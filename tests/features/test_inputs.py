"""What makes a month stale: its events, those before it, the catalogue; never files, orders or buckets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import md5
from typing import Any

import polars as pl
import pytest

from pozytywka_spark.config import Data
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.features.build.event_months import (
    EventShards,
    MonthEvents,
    files_by_month,
    months_of,
    notes_of,
)
from pozytywka_spark.features.build.staleness import MonthInputs, choose_months, inputs_of, month_range
from pozytywka_spark.features.build.survey import PLACE, TOLD, survey
from pozytywka_spark.lake.event_notes import NOTE, as_note, note_of
from pozytywka_spark.lake.shards import DataFile, Shard
from tests.in_memory import MemoryTasks

MONTHS = [date(2023, month, 1) for month in (1, 2, 3)]
TABLES = {"users": "u", "tracks": "t"}
Places = Sequence[tuple[date, int, Sequence[int]]]  # month, bucket, numbers of events of each file


def rows_of(month: date, numbers: Sequence[int]) -> pl.DataFrame:
    """Events of a month: number 7 is of the eighth day."""
    return pl.DataFrame(
        {
            "event_id": [md5(f"{month} {n}".encode()).digest() for n in numbers],
            "event_time": [datetime(month.year, month.month, 1 + n, 12, tzinfo=UTC) for n in numbers],
        },
        schema={"event_id": pl.Binary, "event_time": pl.Datetime("us", "UTC")},
    )


class Files:
    """Implements what of a lake is asked here: files of events, every second one with a note."""

    def __init__(self, places: Places) -> None:
        self.tasks, self.asked = MemoryTasks(), []
        self.made: list[DataFile] = []
        for month, bucket, numbers in places:
            partition = {"event_month": month, "user_bucket": bucket}
            self.made.append(self.tasks.files.put_file(rows_of(month, numbers), partition))
        self.notes = {
            file.place: {NOTE: note_of(rows_of(month, numbers)).as_text()} if number % 2 else {"other": "x"}
            for number, (file, (month, _, numbers)) in enumerate(zip(self.made, places, strict=True))
        }

    def files(self) -> list[str]:
        return [
            "/".join([*(f"{name}={value}" for name, value in file.partition.items()), file.path])
            for file in self.made
        ]

    def shards(self, table: str, tasks: Any, partitions: Any, columns: Any) -> list[Shard]:
        months = [each["event_month"] for each in partitions]
        self.asked += months
        found: dict[tuple[Any, ...], list[DataFile]] = {}
        for file in self.made:
            if file.partition["event_month"] in months:
                found.setdefault(tuple(file.partition.items()), []).append(file)
        return [Shard(table, dict(key), tuple(files)) for key, files in sorted(found.items())]

    def noted(self, files: Sequence[DataFile]) -> list[dict[str, str]]:
        return [self.notes[file.place] for file in files]


def events_of(places: Places) -> list[MonthEvents]:
    """As the stage finds them: from notes, and by a survey of the files that have none."""
    lake = Files(places)
    paths = files_by_month(lake.files())
    shards = EventShards(lake, lake.tasks).of(list(paths))  # type: ignore[arg-type]  # a stand-in
    notes, unnoted = notes_of(lake, shards)  # type: ignore[arg-type]  # a stand-in
    told = lake.tasks.run(
        unnoted, survey, weight=lambda file: file.size, named=lambda file: file.place
    ).results
    notes |= {each[PLACE]: as_note(each[TOLD]) for each in told}
    return [month for _, month in sorted(months_of(shards, notes, paths).items())]


def fingerprints(places: Places, catalogue: str = "c", **tables: str) -> list[str]:
    found = inputs_of(events_of(places), catalogue, {**TABLES, **tables}, Data())
    return [each.inputs for each in found.months]


DAYS = list(range(28))
PLAIN = [(month, 0, DAYS) for month in MONTHS]


def test_a_months_events_are_told_by_notes_or_else_by_reading() -> None:
    found = events_of([(MONTHS[1], 0, [2, 0]), (MONTHS[1], 1, [2]), (MONTHS[0], 0, [30])])
    assert [(each.month, each.event_count) for each in found] == [(MONTHS[0], 1), (MONTHS[1], 3)]
    assert found[1].by_day == {date(2023, 2, 1): 1, date(2023, 2, 3): 2}
    assert found[1].last_event == 1_675_425_600_000_000
    summed = sum(int.from_bytes(md5(f"2023-02-01 {n}".encode()).digest(), "big") for n in (2, 0, 2))
    assert found[1].event_hash == f"{summed % 2**128:032x}"


@pytest.mark.parametrize(
    "places",
    [
        pytest.param([(m, 0, DAYS[::-1]) for m in MONTHS], id="another order"),
        pytest.param([(m, 0, part) for m in MONTHS for part in (DAYS[20:], DAYS[:20])], id="two deliveries"),
        pytest.param([(m, n % 3, DAYS[n::3]) for m in MONTHS[::-1] for n in range(3)], id="three buckets"),
    ],
)
def test_the_layout_of_files_makes_nothing_stale(places: Places) -> None:
    assert fingerprints(places) == fingerprints(PLAIN)


def test_a_late_event_makes_its_month_and_all_after_it_stale() -> None:
    late = [*PLAIN, (MONTHS[1], 0, [27])]
    stale = [new != old for new, old in zip(fingerprints(late), fingerprints(PLAIN), strict=True)]
    assert stale == [False, True, True]
    other = [(MONTHS[0], 0, DAYS), (MONTHS[1], 0, [*DAYS[:-1], 0]), (MONTHS[2], 0, DAYS)]
    assert fingerprints(other)[1] != fingerprints(PLAIN)[1], "as many events, but others"


def test_the_catalogue_and_its_tables_make_all_stale() -> None:
    plain = fingerprints(PLAIN)
    for changed in (fingerprints(PLAIN, "d"), fingerprints(PLAIN, users="v"), fingerprints(PLAIN, more="m")):
        assert all(new != old for new, old in zip(changed, plain, strict=True))


def test_months_are_looked_up_once() -> None:
    lake = Files(PLAIN)
    shards = EventShards(lake, lake.tasks)  # type: ignore[arg-type]  # a stand-in
    assert [shard.partition["event_month"] for shard in shards.of([MONTHS[2], MONTHS[0]])] == [
        MONTHS[0],
        MONTHS[2],
    ]
    assert len(shards.of(MONTHS)) == 3
    assert len(shards.of([date(2024, 1, 1)])) == 0
    assert sorted(lake.asked) == [*MONTHS, date(2024, 1, 1)]


def test_a_months_files_are_those_of_all_its_buckets() -> None:
    one = "event_month=2023-01-01/user_bucket=0/a.parquet"
    other = "event_month=2023-01-01/user_bucket=1/b.parquet"
    later = "file:/lake=1/events/event_month=2023-02-01/user_bucket=0/c.parquet"
    found = files_by_month([one, other, later])
    assert [month.isoformat() for month in found] == ["2023-01-01", "2023-02-01"]
    assert found == files_by_month([later, other, one])
    assert found != files_by_month([one, later])


def test_events_in_a_partition_that_is_not_theirs_are_refused() -> None:
    shard = Shard("events", {"event_month": MONTHS[1]}, (DataFile("p", 1, 1, {"event_month": MONTHS[1]}),))
    note = note_of(rows_of(MONTHS[0], [1]))
    with pytest.raises(DataError, match="the partition of 2023-02 has events of 2023-01-02"):
        months_of([shard], {"p": note}, {MONTHS[1]: "x"})


def test_no_events_are_no_data() -> None:
    with pytest.raises(DataError, match="the events table is empty"):
        inputs_of([], "c", TABLES, Data())
    chosen = Data(start=datetime(2024, 1, 1, tzinfo=UTC), end=datetime(2024, 2, 1, tzinfo=UTC))
    with pytest.raises(DataError, match="no events lie in the data from 2024"):
        inputs_of(events_of(PLAIN), "c", TABLES, chosen)


def inputs(*texts: str) -> list[MonthInputs]:
    return [
        MonthInputs(MonthEvents(month, 1, "", 0, "", (1,)), text)
        for month, text in zip(MONTHS, texts, strict=False)
    ]


def test_only_stale_months_are_chosen() -> None:
    current = inputs("a", "b2", "c2")
    built = dict(zip(MONTHS, ("a", "b", "c"), strict=True))
    assert choose_months(current, built, None, full=False) == MONTHS[1:]
    assert choose_months(current, dict(zip(MONTHS, ("a", "b2", "c2"), strict=True)), None, full=False) == []
    outdated_ends = {MONTHS[0]: "older", MONTHS[1]: "b2", MONTHS[2]: "older"}
    assert choose_months(current, outdated_ends, None, full=False) == MONTHS  # and what lies between
    assert choose_months(current, outdated_ends | {MONTHS[2]: "c2"}, None, full=False) == MONTHS[:1]
    assert choose_months(current, built, None, full=True) == MONTHS
    assert choose_months(current, built, (MONTHS[1], MONTHS[1]), full=False) == [MONTHS[1]]
    assert choose_months(current[:2], built, None, full=False) == MONTHS[:2]  # March is gone: all anew


def test_months_that_rest_on_stale_ones_are_refused() -> None:
    with pytest.raises(DataError, match="rests on 2023-02"):
        choose_months(inputs("a", "b2", "c2"), {MONTHS[0]: "a"}, (MONTHS[2], MONTHS[2]), full=False)
    with pytest.raises(DataError, match="no events there"):
        choose_months(inputs("a"), {}, (date(2024, 1, 1), date(2024, 2, 1)), full=False)


@pytest.mark.parametrize("text", ["2023", "2023-13", "2023-02..2023-01", "x..y", "", "2023-02..", ".."])
def test_month_ranges_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--months"):
        month_range(text)
