"""Labels on literal rows: maturity, the horizon's two ends, the data's end, and counts that add up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.config import Label
from pozytywka_spark.features.build.label_rows import LabelCount, LabelPlan, added, count_labels, label_rows
from pozytywka_spark.lake.data_span import DataSpan

JANUARY, FEBRUARY, MARCH = (date(2023, month, 1) for month in (1, 2, 3))
HORIZON = timedelta(days=30)
CUT_OFF = datetime(2023, 2, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)


def plan(end: datetime, start: datetime = datetime(2023, 1, 1, tzinfo=UTC)) -> LabelPlan:
    span = DataSpan(start, end, start.date(), end.date())
    return LabelPlan.of(span, Label())


def of_one(
    bought: datetime | None, end: datetime, month: date = JANUARY
) -> tuple[bool, int | None, int, bool]:
    rows = pl.DataFrame({"user_id": [1], "month": [month]})
    labels = label_rows(rows, _purchases({} if bought is None else {1: bought}), plan(end))
    mature, within, ever, complete = labels.row(0)[4:]
    return mature, within, ever, complete


@pytest.mark.parametrize(
    ("bought", "end", "expected"),
    [
        (None, CUT_OFF + HORIZON, (True, 0, 0, True)),
        (CUT_OFF, CUT_OFF + HORIZON, (True, 1, 1, True)),  # at the cut-off is after it
        (CUT_OFF + HORIZON - MICRO, CUT_OFF + HORIZON, (True, 1, 1, True)),
        (CUT_OFF + HORIZON, CUT_OFF + 2 * HORIZON, (True, 0, 1, True)),  # the horizon's end is outside
        (CUT_OFF + HORIZON, CUT_OFF + HORIZON, (True, 0, 0, True)),  # and so is the data's
        (CUT_OFF + MICRO, CUT_OFF + HORIZON - MICRO, (False, None, 1, True)),
        (None, CUT_OFF + HORIZON - MICRO, (False, None, 0, True)),
        (None, CUT_OFF, (False, None, 0, True)),
        (None, CUT_OFF - MICRO, (False, None, 0, False)),
        (CUT_OFF + MICRO, CUT_OFF - MICRO, (False, None, 0, False)),
    ],
)
def test_each_side_of_each_end(
    bought: datetime | None, end: datetime, expected: tuple[bool, int | None, int, bool]
) -> None:
    assert of_one(bought, end) == expected


def test_the_whole_table() -> None:
    rows = pl.DataFrame([(2, FEBRUARY), (1, JANUARY), (3, FEBRUARY)], ["user_id", "month"], orient="row")
    bought = {1: CUT_OFF + MICRO, 3: datetime(2023, 3, 2, tzinfo=UTC), 9: CUT_OFF}
    labels = label_rows(rows, _purchases(bought), plan(datetime(2023, 3, 31, tzinfo=UTC)))
    march = datetime(2023, 3, 1, tzinfo=UTC)
    assert_frame_equal(
        labels,
        pl.DataFrame(
            [
                (2, FEBRUARY, march, march + HORIZON, True, 0, 0, True),
                (1, JANUARY, CUT_OFF, CUT_OFF + HORIZON, True, 1, 1, True),
                (3, FEBRUARY, march, march + HORIZON, True, 1, 1, True),
            ],
            {
                "user_id": pl.Int64,
                "month": pl.Date,
                "cut_off": pl.Datetime("us", "UTC"),
                "horizon_end": pl.Datetime("us", "UTC"),
                "mature": pl.Boolean,
                "buys_within_30_days": pl.Int32,
                "buys_ever": pl.Int32,
                "complete": pl.Boolean,
            },
            orient="row",
        ),
    )


def test_a_month_that_the_data_begin_too_late_for_is_not_complete() -> None:
    late, end = datetime(2023, 1, 5, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC)
    assert plan(end, late).first_whole == FEBRUARY
    assert plan(end, late - timedelta(days=1)).first_whole == JANUARY
    rows = pl.DataFrame({"user_id": [1, 1], "month": [JANUARY, FEBRUARY]})
    assert label_rows(rows, _purchases({}), plan(end, late)).get_column("complete").to_list() == [False, True]


def test_counts_of_slices_add_up_to_those_of_all() -> None:
    rows = pl.DataFrame(
        [(user, month) for user in range(6) for month in (JANUARY, FEBRUARY, MARCH)],
        ["user_id", "month"],
        orient="row",
    )
    bought = {user: CUT_OFF + timedelta(days=13 * user) for user in range(5)}
    labels = label_rows(rows, _purchases(bought), plan(datetime(2023, 4, 2, tzinfo=UTC)))
    whole = count_labels(labels, "buys_within_30_days")
    assert whole == [
        LabelCount(JANUARY, 6, 6, 3, 5, True),
        LabelCount(FEBRUARY, 6, 6, 5, 5, True),
        LabelCount(MARCH, 6, 0, 0, 5, True),
    ]
    parts = [labels.filter(pl.col("user_id") % 2 == part) for part in (0, 1)]
    told = [one.told() for part in parts for one in count_labels(part, "buys_within_30_days")]
    assert added(told) == whole


def test_a_month_is_complete_only_if_all_its_rows_are() -> None:
    parts = [LabelCount(JANUARY, 1, 0, 0, 0, complete).told() for complete in (True, False, True)]
    assert added(parts) == [LabelCount(JANUARY, 3, 0, 0, 0, complete=False)]


def _purchases(bought: dict[int, datetime]) -> pl.DataFrame:
    micros = [(at - datetime(1970, 1, 1, tzinfo=UTC)) // MICRO for at in bought.values()]
    return pl.DataFrame(
        {"user_id": list(bought), "purchased_at": micros}, {"user_id": pl.Int64, "purchased_at": pl.Int64}
    )
