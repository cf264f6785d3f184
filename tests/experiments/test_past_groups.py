"""The group of genres that users played most before they entered."""

from __future__ import annotations

from datetime import date

import polars as pl

from pozytywka_spark.experiments.analysis.past_groups import Groups, with_top_group
from pozytywka_spark.months import number_of
from tests.in_memory import MemoryTasks

APRIL, MAY, JUNE = date(2022, 4, 1), date(2022, 5, 1), date(2022, 6, 1)
ROCK, JAZZ, GONE = 11, 12, 13
SCHEMA = {"user_id": pl.Int64, "month": pl.Date, "top_group": pl.Int64}


def test_it_is_that_of_the_last_month_before_entry_with_one() -> None:
    files = MemoryTasks().files
    rows = [
        [(1, MAY, ROCK), (1, JUNE, JAZZ), (2, MAY, 0), (3, MAY, GONE), (9, MAY, ROCK)],
        [(1, APRIL, JAZZ), (2, APRIL, JAZZ), (4, JUNE, ROCK), (5, JUNE, ROCK)],
    ]
    made = tuple(files.put_file(pl.DataFrame(part, SCHEMA, orient="row"), {}) for part in rows)
    entered = [number_of(JUNE)] * 4 + [number_of(JUNE) + 1]
    users = pl.DataFrame({"user_id": [1, 2, 3, 4, 5], "entered": entered})
    found = with_top_group(users, Groups(made, {ROCK: "rock, metal", JAZZ: "jazz"}), files)
    assert dict(found.select("user_id", "top_group").iter_rows()) == {
        1: "rock, metal",
        2: "jazz",
        3: None,
        4: None,
        5: "rock, metal",
    }
    assert with_top_group(users, Groups((), {}), files)["top_group"].null_count() == 5
