"""Slices of a table's rows."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.dataset.subgroups import slices_of
from pozytywka_spark.dataset.table import TrainingTable


def table_of(order: tuple[str, ...], columns: list[list[float]], **more: object) -> TrainingTable:
    matrix = np.array(columns, np.float32).T
    months = np.array(["2023-01-01", "2023-02-01"] * len(matrix), "datetime64[D]")[: len(matrix)]
    plain = np.zeros(len(matrix))
    return TrainingTable(order, plain.astype(int), months, plain.astype(np.uint8), plain, matrix, **more)


def told(table: TrainingTable, name: str) -> list[str]:
    found = slices_of(table)[name]
    return [found.names[place] for place in found.code]


def test_ranges_are_half_open() -> None:
    days = [0, 29, 30, 89, 90, 364, 365, 4000, np.nan]
    plays = [0, 1, 9, 10, 49, 50, 199, 200, np.nan]
    table = table_of(("tenure_days", "number_of_tracks"), [days, plays])
    assert told(table, "tenure") == [
        "under 30 days", "under 30 days", "30 to 89 days", "30 to 89 days", "90 to 179 days",
        "180 to 364 days", "365 days or more", "365 days or more", "unknown",
    ]  # fmt: skip
    assert told(table, "activity") == [
        "no plays", "1 to 9 plays", "1 to 9 plays", "10 to 49 plays", "10 to 49 plays", "50 to 199 plays",
        "50 to 199 plays", "200 plays or more", "unknown",
    ]  # fmt: skip


def test_months_and_cities_are_named_and_only_what_is_there_is_a_slice() -> None:
    plain = table_of(("x",), [[1, 2, 3]])
    assert list(slices_of(plain)) == ["month"]
    assert told(plain, "month") == ["2023-01", "2023-02", "2023-01"]
    city = np.array([2, 0, 2], np.uint8)
    table = table_of(("x",), [[1, 2, 3]], city=city, cities=("Radom", "Gdynia", "unknown"))
    assert told(table, "city") == ["unknown", "Radom", "unknown"]
    assert {name: mask.tolist() for name, mask in slices_of(table)["city"].masks()} == {
        "Radom": [False, True, False],
        "unknown": [True, False, True],
    }
