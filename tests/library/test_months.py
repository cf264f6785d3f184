"""Months as a notebook names them."""

from datetime import date, datetime

import pytest

from pozytywka_spark.errors import UsageError
from pozytywka_spark.library.months import Months, month_of, months_of

NOVEMBER, DECEMBER, JANUARY = date(2022, 11, 1), date(2022, 12, 1), date(2023, 1, 1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2022-12", [DECEMBER]),
        ("2022-12-31", [DECEMBER]),
        (date(2022, 12, 31), [DECEMBER]),
        (datetime(2022, 12, 31, 23, 59), [DECEMBER]),
        ("2022-11..2023-01", [NOVEMBER, DECEMBER, JANUARY]),
        (["2023-01", "2022-11", date(2023, 1, 5)], [NOVEMBER, JANUARY]),
        ([], []),
    ],
)
def test_months_in_order(given: Months, expected: list[date]) -> None:
    assert months_of(given) == expected


@pytest.mark.parametrize("given", ["2022", "2022-13", "December", "2023-01..2022-12", "2022-01.."])
def test_anything_else_is_named(given: str) -> None:
    with pytest.raises(UsageError, match=r"expected such as 2023-05|the first is after the last"):
        months_of(given)


def test_one_month() -> None:
    assert month_of("2023-01") == JANUARY
