"""Values as people read them: the same on the terminal and on pages but for the digits of floats."""

from datetime import date, datetime

import pytest

from pozytywka_spark.reports.formatting import fixed_4, format_value, significant_4


@pytest.mark.parametrize(
    ("value", "in_columns", "in_prose"),
    [
        (None, "–", "–"),
        (True, "yes", "yes"),
        (12345, "12,345", "12,345"),
        (0.5, "0.5000", "0.5"),
        (12345.678, "12345.6780", "12,345.7"),
        (0.000012345, "0.0000", "1.234e-05"),
        (date(2023, 5, 1), "2023-05-01", "2023-05-01"),
        (datetime(2023, 5, 1, 12, 30), "2023-05-01 12:30:00", "2023-05-01 12:30:00"),
        ([1, None, 0.25], "1, –, 0.2500", "1, –, 0.25"),
        ("<b>", "<b>", "<b>"),
    ],
)
def test_plain(value: object, in_columns: str, in_prose: str) -> None:
    assert format_value(value, fixed_4) == in_columns
    assert format_value(value, significant_4) == in_prose
