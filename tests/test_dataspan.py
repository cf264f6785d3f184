"""Where the data begin and end: tables of days, and that no outlier moves either."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.config import Data, load_settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.data_span import DataSpan, span_of
from pozytywka_spark.lake.whole_month import ChosenMonth, choose_month

FIRST = date(2023, 1, 1)
USUAL = {FIRST + timedelta(days=n): 100 + 7 * (n % 5) for n in range(90)}  # 1 January to 31 March


def days(first: date, *counts: int) -> dict[date, int]:
    return {first + timedelta(days=n): count for n, count in enumerate(counts)}


def bounds(span: DataSpan) -> tuple[str, str]:
    return span.start.strftime("%Y-%m-%d %H:%M"), span.end.strftime("%Y-%m-%d %H:%M")


QUARTER = ("2023-01-01 00:00", "2023-04-01 00:00")
DRIFTERS = {date(2026, 1, 3) + timedelta(days=45 * n): 3 + n % 4 for n in range(40)}
SESSION = {date(2031, 5, 5): 60}  # a whole session of one device, in a service of a hundred events a day


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param(USUAL, QUARTER, id="clean"),
        pytest.param(USUAL | {date(2031, 5, 5): 1}, QUARTER, id="one event of 2031"),
        pytest.param(USUAL | SESSION, QUARTER, id="a session of 2031"),
        pytest.param(USUAL | DRIFTERS, QUARTER, id="40 stray days over 5 years"),
        pytest.param(USUAL | {date(2001, 2, 3): 1}, QUARTER, id="one event of 2001"),
        pytest.param(USUAL | {date(1970, 1, 1): 900}, QUARTER, id="a tenth without a time, so of 1970"),
        pytest.param(USUAL | {date(1970, 1, 1): 900} | SESSION | DRIFTERS, QUARTER, id="all at once"),
        pytest.param(USUAL | {date(2023, 4, 1): 2, date(2023, 4, 2): 1}, QUARTER, id="strays right after"),
        pytest.param(USUAL | {date(2022, 12, 31): 4}, QUARTER, id="strays right before"),
        pytest.param(
            {day: 3 + day.day % 3 for day in USUAL} | {date(2031, 5, 5): 1, date(2002, 1, 1): 1},
            QUARTER, id="a small service, where one event is no thin day",
        ),
        pytest.param(
            {day: 3 + day.day % 3 for day in USUAL} | {date(2031, 5, 5): 14, date(2002, 1, 1): 9},
            QUARTER, id="a small service and whole sessions",
        ),
        pytest.param(
            days(date(2022, 1, 1), *(round(5 * 100 ** (n / 364)) for n in range(365))),
            ("2022-01-01 00:00", "2023-01-01 00:00"), id="from 5 to 500 a day",
        ),
        pytest.param(
            days(date(2022, 1, 1), *(round(500 / 100 ** (n / 364)) for n in range(365))),
            ("2022-01-01 00:00", "2023-01-01 00:00"), id="from 500 to 5 a day",
        ),
        pytest.param(
            {day: 20 if day.weekday() > 4 else 100 for day in USUAL}, QUARTER, id="weekends of a fifth"
        ),
        pytest.param(
            {d: n for d, n in USUAL.items() if not date(2023, 2, 1) <= d < date(2023, 3, 13)},
            QUARTER, id="an outage of 40 days",
        ),
        pytest.param(
            USUAL | {date(2023, 4, 1): 110, date(2023, 4, 2): 52},
            ("2023-01-01 00:00", "2023-04-03 00:00"), id="ends on the 2nd at noon",
        ),
        pytest.param(USUAL | {date(2023, 4, 1): 3}, QUARTER, id="ends on the 1st at a quarter past midnight"),
        pytest.param({FIRST: 1}, ("2023-01-01 00:00", "2023-01-02 00:00"), id="one event"),
        pytest.param(
            {FIRST: 50, date(2024, 2, 29): 0}, ("2023-01-01 00:00", "2023-01-02 00:00"), id="one day"
        ),
        pytest.param(
            days(date(2023, 3, 29), 90, 110, 100) | {date(2031, 1, 1): 5},
            ("2023-03-29 00:00", "2023-04-01 00:00"), id="three days",
        ),
        pytest.param(
            USUAL | {date(2023, 2, 14): 9000}, QUARTER, id="one day of most events"
        ),
    ],
)  # fmt: skip
def test_the_span_of_days(counts: dict[date, int], expected: tuple[str, str]) -> None:
    assert bounds(span_of(counts, Data())) == expected


def test_what_lies_outside_is_counted_and_told() -> None:
    span = span_of(USUAL | DRIFTERS | {date(2001, 2, 3): 2}, Data())
    assert (span.first_event, span.last_event) == (date(2001, 2, 3), max(DRIFTERS))
    assert (span.events_before, span.days_before) == (2, 1)
    assert (span.events_after, span.days_after) == (sum(DRIFTERS.values()), 40)
    assert span.described() == (
        f"data from 2023-01-01 to 2023-03-31 (2 events on 1 day before, {sum(DRIFTERS.values())} events on "
        "40 days after are outside)"
    )
    assert not span.overridden


def test_settings_override_either_end(tmp_path: object) -> None:
    def of(*overrides: str) -> Data:
        return load_settings("local", [f"home={tmp_path}", *overrides]).data

    span = span_of(USUAL, of("data.end=2023-02-14"))
    assert bounds(span) == ("2023-01-01 00:00", "2023-02-14 00:00")
    assert (span.overridden, span.days_after, span.described()) == (
        True, 46,
        "data from 2023-01-01 to 2023-02-13 (5,258 events on 46 days after are outside), as the settings say",
    )  # fmt: skip
    span = span_of(USUAL, of("data.start=2023-01-10T06:30:00", "data.end=2023-05-01T00:00:00+02:00"))
    assert bounds(span) == ("2023-01-10 06:30", "2023-04-30 22:00")
    with pytest.raises(DataError, match=r"mend data\.start or data\.end"):
        span_of(USUAL, Data(start=datetime(2024, 1, 1, tzinfo=UTC)))
    with pytest.raises(DataError, match="the events table is empty"):
        span_of({}, Data())


REGULAR = st.lists(st.integers(50, 150), min_size=40, max_size=200)
# days from the data's edge, nearer than four weeks a full day may be the data's own; and its events
STRAYS = st.lists(st.tuples(st.integers(28, 20_000), st.booleans(), st.integers(1, 400)), max_size=3)


@pytest.mark.thorough
@given(REGULAR, STRAYS)
def test_outliers_anywhere_outside_move_neither_end(
    counts: list[int], strays: list[tuple[int, bool, int]]
) -> None:
    """Up to three days of any number of events, each of as many as eight of ours, however close together."""
    counted = days(FIRST, *counts)
    last = max(counted)
    clean = span_of(counted, Data())
    assert (clean.start.date(), clean.end.date()) == (FIRST, last + timedelta(days=1))
    for far, after, events in strays:
        day = last + timedelta(days=far) if after else FIRST - timedelta(days=far)
        counted[day] = counted.get(day, 0) + events
    span = span_of(counted, Data())
    assert (span.start, span.end) == (clean.start, clean.end)
    assert span.events_before + span.events_after == sum(events for *_, events in strays)


@pytest.mark.thorough
@given(REGULAR, st.lists(st.integers(1, 400), max_size=30))
def test_thin_days_right_beside_the_data_move_neither(counts: list[int], strays: list[int]) -> None:
    counted = days(FIRST, *counts)
    clean, last = span_of(counted, Data()), max(counted)
    for near in strays:  # one event a day is less than a tenth of 50
        counted[last + timedelta(days=near)] = 1
        counted[FIRST - timedelta(days=near)] = 1
    span = span_of(counted, Data())
    assert (span.start, span.end) == (clean.start, clean.end)


MONTHS = [date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1), date(2023, 4, 1)]


def span(start: str, end: str) -> DataSpan:
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)]
    return DataSpan(*moments, moments[0].date(), moments[1].date())


@pytest.mark.parametrize(
    ("start", "end", "complete"),
    [
        ("2023-01-01", "2023-04-01", [True, True, True, False]),
        ("2023-01-04", "2023-04-03", [True, True, True, False]),
        ("2023-01-05", "2023-05-01", [False, True, True, True]),
        ("2023-02-10", "2023-03-31T23:59:59.999999", [False, False, False, False]),
    ],
)
def test_complete_months(start: str, end: str, complete: list[bool]) -> None:
    known = span(start, end)
    assert [known.is_complete(month) for month in MONTHS] == complete
    assert [known.holds(month) for month in MONTHS] == [
        known.first <= month <= known.last for month in MONTHS
    ]


def test_the_last_complete_month_is_chosen_and_a_later_one_is_told() -> None:
    april = span("2023-01-01", "2023-04-03")
    assert choose_month(MONTHS, april, None, "scored") == ChosenMonth(
        MONTHS[2], True,
        "2023-04 has begun: its data end on 2023-04-02; scored 2023-03; "
        "--month 2023-04 takes it all the same",
    )  # fmt: skip
    assert choose_month(MONTHS, april, MONTHS[3], "scored") == ChosenMonth(
        MONTHS[3], False, "2023-04 is not complete: its data end on 2023-04-02; marked so"
    )
    assert choose_month(MONTHS[:3], span("2023-01-01", "2023-04-01"), None, "scored") == ChosenMonth(
        MONTHS[2], complete=True
    )
    assert choose_month(MONTHS, april, MONTHS[1], "scored") == ChosenMonth(MONTHS[1], complete=True)
    # a month of stray events only has not begun
    assert choose_month([*MONTHS[:3], date(2031, 5, 1)], span("2023-01-01", "2023-04-01"), None, "") == (
        ChosenMonth(MONTHS[2], complete=True)
    )


def test_without_a_complete_month_it_is_said_what_to_do() -> None:
    with pytest.raises(DataError, match=r"of 2023-03 its data end on 2023-03-20; .* --month 2023-03$"):
        choose_month([MONTHS[2]], span("2023-03-02", "2023-03-21"), None, "scored")
    with pytest.raises(DataError, match=r"of 2023-03 its data begin on 2023-03-12; .* --month 2023-03$"):
        choose_month([MONTHS[2]], span("2023-03-12", "2023-04-01"), None, "scored")
