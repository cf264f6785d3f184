"""Which days a policy is judged on where nobody says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from pozytywka_spark.bandits import value
from pozytywka_spark.bandits.policy import parse_policy

DAYS = [date(2024, 1, 1) + timedelta(days=number) for number in range(10)]


def policy(*learnt: str) -> Any:
    trained = {"trained_days": list(learnt)} if learnt else {}
    return parse_policy({"format": 1, "kind": "uniform", "slot": "prompt", **trained})


@pytest.mark.parametrize(
    ("learnt", "expected"),
    [
        (("2024-01-01", "2024-01-04"), (DAYS[4], DAYS[9])),
        (("2024-01-01", "2024-01-10"), None),
        ((), None),
    ],
)
def test_the_days_since_it_learnt(
    monkeypatch: pytest.MonkeyPatch, learnt: tuple[str, ...], expected: tuple[date, date] | None
) -> None:
    monkeypatch.setattr(value, "days_of", lambda *_: [(day, "") for day in DAYS])
    assert value._since(None, "prompt", policy(*learnt)) == expected
