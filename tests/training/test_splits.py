"""The time split: which months each side gets, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.dataset.splits import MonthCount, diagram, plan_split, rolling_folds
from pozytywka_spark.errors import DataError
from pozytywka_spark.months import months_between, next_month, split_months, without_overlap


def months(first: str, last: str) -> tuple[date, ...]:
    return months_between(date.fromisoformat(f"{first}-01"), date.fromisoformat(f"{last}-01"))


def configured(tmp_path: Path, *overrides: str) -> Settings:
    return load_settings("local", [f"home={tmp_path}", *overrides])


@pytest.mark.parametrize(
    ("horizon", "later", "usable_until"),
    [
        (28, "2023-02", "2023-01"),  # ends exactly at the cut-off of 1 March: half-open, so allowed
        (29, "2023-02", "2022-12"),  # a day more and January must go
        (29, "2024-02", "2024-01"),  # a leap year has that day
        (30, "2023-02", "2022-12"),
        (30, "2023-05", "2023-04"),
        (31, "2023-05", "2023-04"),
        (32, "2023-05", "2023-03"),
        (90, "2023-05", "2023-02"),
    ],
)
def test_a_month_is_used_only_if_its_labels_are_known_in_time(
    horizon: int, later: str, usable_until: str
) -> None:
    kept = without_overlap(months("2022-01", "2024-12"), months(later, later)[0], horizon)
    assert kept[-1] == months(usable_until, usable_until)[0]


def test_split_counts_back_from_the_last_month() -> None:
    split = split_months(months("2022-01", "2022-12"), 2, 2, 30)
    assert split is not None
    assert split.sides == {
        "train": months("2022-01", "2022-08"),
        "validation": months("2022-09", "2022-10"),
        "test": months("2022-11", "2022-12"),
    }
    assert split.purged == ()


def test_purged_months_lie_between_the_sides() -> None:
    split = split_months(months("2022-01", "2022-12"), 2, 2, 60)
    assert split is not None
    assert split.purged == (*months("2022-07", "2022-07"), *months("2022-10", "2022-10"))
    assert diagram(split)[0] == "split   TTTTTT·VV·XX  2022-01 to 2022-12"


@given(
    count=st.integers(3, 40),
    start=st.dates(date(2000, 1, 1), date(2060, 1, 1)),
    validation=st.integers(1, 4),
    test=st.integers(1, 4),
    horizon=st.integers(1, 200),
)
def test_no_label_of_an_earlier_side_reaches_the_first_cut_off_of_a_later_one(
    count: int, start: date, validation: int, test: int, horizon: int
) -> None:
    span = [start.replace(day=1)]
    while len(span) < count:
        span.append(next_month(span[-1]))
    split = split_months(span, validation, test, horizon)
    if split is None:
        return
    sides = list(split.sides.values())
    for earlier, later in ((sides[0], sides[1]), (sides[1], sides[2]), (sides[0], sides[2])):
        assert next_month(earlier[-1]) + timedelta(days=horizon) <= next_month(later[0])
    assert len(sides[1]) == validation
    assert len(sides[2]) == test
    assert sides[2][-1] == span[-1]
    # purging takes no more than it must: the last month purged before a side would overlap with it
    for earlier, later in pairwise(sides):
        before = [month for month in split.purged if earlier[-1] < month < later[0]]
        if before:
            assert next_month(before[-1]) + timedelta(days=horizon) > next_month(later[0])


def test_folds_roll_back_and_never_touch_the_test_months(tmp_path: Path) -> None:
    counts = [MonthCount(month, 100, 10) for month in months("2022-01", "2022-12")]
    settings = configured(tmp_path, "split.folds=3")
    split = plan_split(counts, settings)
    folds = rolling_folds(counts, split, settings)
    assert [fold.validation for fold in folds] == [
        months("2022-09", "2022-10"),
        months("2022-07", "2022-08"),
        months("2022-05", "2022-06"),
    ]
    assert all(fold.test == () for fold in folds)
    assert diagram(split, folds)[1:4] == [
        "fold 1  TTTTTTTTVV  ",
        "fold 2  TTTTTTVV    ",
        "fold 3  TTTTVV      ",
    ]


def test_too_few_positives_are_refused_with_what_would_do(tmp_path: Path) -> None:
    positives = [3, 3, 3, 3, 3, 3, 1, 1]
    counts = [
        MonthCount(month, 50, count)
        for month, count in zip(months("2022-01", "2022-08"), positives, strict=True)
    ]
    settings = configured(tmp_path, "split.validation_months=1", "split.test_months=2")
    with pytest.raises(DataError) as refused:
        plan_split(counts, settings)
    assert str(refused.value) == (
        "too few to train on: validation 2022-06 has 3 positive of 50 rows, test 2022-07 to 2022-08 has 2 "
        "positive of 100 rows (at least 5 positives and a negative a side); positives by month: 2022-01 3, "
        "2022-02 3, 2022-03 3, 2022-04 3, 2022-05 3, 2022-06 3, 2022-07 1, 2022-08 1; "
        "split.validation_months=2 and split.test_months=3 would do"
    )
    advised = configured(tmp_path, "split.validation_months=2", "split.test_months=3")
    assert plan_split(counts, advised).test == months("2022-06", "2022-08")


def test_advice_lowers_the_least_number_of_positives_only_if_nothing_else_would_do(tmp_path: Path) -> None:
    counts = [MonthCount(month, 9, 1) for month in months("2022-01", "2022-04")]
    with pytest.raises(DataError, match=r"split\.test_months=1 and training\.min_positives=1 would do"):
        plan_split(counts, configured(tmp_path))


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([], "0 mature rows in 0 months"),
        ([("2022-01", 8, 0), ("2022-02", 8, 0)], "16 mature rows in 2 months, none of them positive"),
        ([("2022-01", 8, 2), ("2022-02", 8, 0)], "no split of these months has a positive on each side"),
    ],
)
def test_hopeless_data_is_refused_in_words(
    tmp_path: Path, counts: list[tuple[str, int, int]], told: str
) -> None:
    rows = [MonthCount(date.fromisoformat(f"{month}-01"), size, positive) for month, size, positive in counts]
    with pytest.raises(DataError, match=told):
        plan_split(rows, configured(tmp_path))
