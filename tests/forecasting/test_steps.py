"""Steps and times are each other's inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.forecasting.steps import steps_of, times_of


@pytest.mark.parametrize(
    ("freq", "first", "third"),
    [
        ("h", "2023-12-31T23:00", "2024-01-01T01:00"),
        ("D", "2024-02-28", "2024-03-01"),
        ("D", "2024-02-28T06:30", "2024-03-01T06:30"),
        ("W", "2024-02-28", "2024-03-13"),
        ("MS", "2023-12-01", "2024-02-01"),
    ],
)
def test_two_steps_on(freq: str, first: str, third: str) -> None:
    like = np.datetime64(first)
    step = steps_of(np.array([like]), freq)
    assert times_of(step + 2, freq, like).tolist() == [np.datetime64(third).tolist()]


@given(st.sampled_from(["h", "D", "W", "MS"]), st.integers(-500, 500), st.integers(0, 20_000))
def test_there_and_back(freq: str, step: int, day: int) -> None:
    like = np.datetime64("1970-01-01") + np.timedelta64(day, "D")
    like = (like.astype("datetime64[M]") if freq == "MS" else like).astype("datetime64[us]")
    steps = steps_of(np.array([like]), freq) + step
    assert steps_of(times_of(steps, freq, like), freq).tolist() == steps.tolist()
