"""Chargebacks as answers to the cases of the purchase's day."""

from __future__ import annotations

from datetime import date

import polars as pl

from pozytywka_spark.moderation.chargebacks import answers_of, purchases
from pozytywka_spark.moderation.reading import micros_of


def test_chargebacks_are_answers_on_the_utc_day_of_the_purchase() -> None:
    chunk = pl.DataFrame(
        {
            "user_id": ["1", "2", "3", "somebody", "1"],
            "bought_at": [
                "2022-08-01T23:59:59",
                "2022-08-02T01:00:00+02:00",
                "2022-08-02T00:00:00",
                "2022-08-01T00:00:00",
                "2022-08-01T23:59:59",
            ],
            "charged_back_at": ["2022-09-01T10:00:00"] * 2
            + ["2022-09-02T10:00:00"] * 2
            + ["2022-09-01T10:00"],
        }
    )
    cases = pl.DataFrame(
        {
            "case_id": ["a", "b", "c", "d", "e"],
            "accounts": [[1], [1], [3], [1, 3], [2]],
            "day": [date(2022, 8, day) for day in (1, 2, 2, 1, 1)],
        }
    )
    first, second = micros_of("2022-09-01T10:00:00"), micros_of("2022-09-02T10:00:00")
    assert answers_of(purchases(chunk), cases).rows() == [
        ("a", "chargeback", "bad", first, None),
        ("c", "chargeback", "bad", second, None),
        ("e", "chargeback", "bad", first, None),
    ]
