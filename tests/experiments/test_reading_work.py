"""Users who take part, without Spark: who counts and since when, whatever files and slices they lie in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.experiments.analysis.participants import Past
from pozytywka_spark.experiments.analysis.reading_work import ReadUsers
from pozytywka_spark.experiments.analysis.segments import contamination, segment_counts
from pozytywka_spark.experiments.analysis.sufficient_statistics import cells_told
from pozytywka_spark.experiments.purchases import BOUGHT, FindPurchases
from pozytywka_spark.experiments.slices import Slice
from pozytywka_spark.lake.count_days import CountDays, days_told
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.months import number_of
from tests.in_memory import MemoryTasks

MAY, JUNE, JULY, UNTIL = (date(2022, month, 1) for month in (5, 6, 7, 8))
_US = pl.Datetime("us", "UTC")


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2022, month, day, hour, tzinfo=UTC)


def put(tasks: MemoryTasks, rows: list[tuple[object, ...]], schema: dict[str, object]) -> DataFile:
    return tasks.files.put_file(pl.DataFrame(rows, schema=schema, orient="row"), {})


def read(tasks: MemoryTasks, slices: int) -> list[dict[str, list[dict[str, object]]]]:
    """Users 1 to 5 enter in June but 4, who does in July; 3 is moved into treatment, 5 had bought before."""
    named = {
        "experiment": pl.String,
        "user_id": pl.Int64,
        "group": pl.String,
        "bucket": pl.Int32,
        "revision": pl.Int32,
        "assigned_at": _US,
    }
    groups = [(1, "a"), (2, "control"), (3, "control"), (4, "a"), (5, "a")]
    entered = [("x", user, group, 5, 1, at(7 if user == 4 else 6, 1)) for user, group in groups]
    assigned = put(tasks, [*entered, ("x", 3, "a", 5, 2, at(7, 1)), ("x", 6, "a", 5, 1, at(8, 1))], named)
    other = put(
        tasks,
        [("y", 2, "b", 5, 1, at(6, 1)), ("y", 1, "control", 5, 1, at(6, 1)), ("y", 3, "b", 5, 1, at(8, 1))],
        named,
    )
    event = {"user_id": pl.Int64, "event_time": _US, "event_type": pl.String}
    events = [
        (1, at(6, 1), "BUY_PREMIUM"),  # at the very cut-off of entry: counts
        (1, at(7, 9), "BUY_PREMIUM"),
        (2, at(8, 1), "BUY_PREMIUM"),  # at the very end: doesn't
        (4, at(7, 31, 23), "BUY_PREMIUM"),
        (5, at(5, 31, 23), "BUY_PREMIUM"),
        (5, at(6, 3), "PLAY"),
    ]
    files = [put(tasks, events[:3], event), put(tasks, events[3:], event)]
    run = {"weight": lambda _: 1, "named": str}
    days = days_told(tasks.run(files, CountDays(), **run).results)
    assert list(days.values()) == [1] * 6
    assert min(days) == date(2022, 5, 31)
    seen = tasks.run(files, FindPurchases(), **run)

    month = {"user_id": pl.Int64, "month": pl.Date, "plays": pl.Int64, "likes": pl.Int64}
    past = Past(
        (
            put(
                tasks,
                [(1, "Gdynia"), (2, "Gdynia"), (3, "Radom"), (4, None)],
                {"user_id": pl.Int64, "city": pl.String},
            ),
        ),
        (
            put(
                tasks,
                [(1, datetime(2021, 1, 3, tzinfo=UTC)), (3, at(5, 2)), (4, at(6, 1))],
                {"user_id": pl.Int64, "first_event_at": _US},
            ),
        ),
        (
            put(tasks, [(1, MAY, 60, 3), (3, date(2022, 4, 1), 20, 1), (3, date(2022, 3, 1), 500, 9)], month),
            put(tasks, [(3, MAY, 20, 1), (1, JUNE, 900, 9), (4, JUNE, 0, 7)], month),
        ),
        ("likes",),
        months=2,
    )
    exposures = put(
        tasks, [(2, at(6, 5)), (1, at(8, 1)), (4, at(7, 5))], {"user_id": pl.Int64, "exposed_at": _US}
    )
    work = ReadUsers((assigned,), tuple(seen.of(BOUGHT)), past, (other,), (exposures,), UNTIL)
    items = [Slice(number, slices) for number in range(slices)]
    return list(tasks.run(items, work, **run).results)


@pytest.mark.parametrize("slices", [1, 3])
def test_users_are_summed_alike_in_any_number_of_slices(slices: int) -> None:
    told = read(MemoryTasks(), slices)
    whole = {name: [row for line in told for row in line[name]] for name in told[0]}
    cells = cells_told(whole["cells"], 2).frame
    june, july = number_of(JUNE), number_of(JULY)
    ln = {n: round(float(np.log1p(n)) * 10_000) for n in (0, 1, 2, 3, 7, 17)}
    assert cells[
        ["group", "revision", "entered", "bought", "users", "moved", "x0", "x1"]
    ].values.tolist() == [
        ["a", 1, june, june, 1, 0, ln[3], ln[17]],
        ["a", 1, july, july, 1, 0, ln[7], ln[1]],
        ["control", 1, june, -1, 2, 1, ln[2], ln[1]],
    ]
    assert cells["x0_1"].tolist() == [ln[3] * ln[17], ln[7] * ln[1], ln[2] * ln[1]]
    counts = {
        (row["segment"], row["value"], row["group"]): (row["users"], row["buyers"])
        for row in segment_counts(whole["counts"], 1)
    }
    assert counts == {
        ("city", "Gdynia", "a"): (1, 1),
        ("city", "Gdynia", "control"): (1, 0),
        ("city", "other", "control"): (1, 0),
        ("city", "unknown", "a"): (1, 1),
        ("tenure", "365 days or more", "a"): (1, 1),
        ("tenure", "30 to 89 days", "a"): (1, 1),
        ("tenure", "30 to 89 days", "control"): (1, 0),
        ("tenure", "under 30 days", "control"): (1, 0),
        ("activity", "50 to 199 plays", "a"): (1, 1),
        ("activity", "no plays", "a"): (1, 1),
        ("activity", "no plays", "control"): (1, 0),
        ("activity", "10 to 49 plays", "control"): (1, 0),
    }
    assert contamination(whole["muddied"], whole["elsewhere"]) == [
        {"group": "a", "what": "bought before entry, left out", "users": 1},
        {"group": "a", "what": "never exposed although treated", "users": 2},
        {"group": "control", "what": "moved into treatment later", "users": 1},
        {"group": "control", "what": "exposed although control", "users": 1},
        {"group": "control", "what": "also treated by y", "users": 1},
    ]
