"""Moments and keys as other people's files spell them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from pozytywka_spark.featurestore.moments import UnreadableError, as_keys, as_micros
from pozytywka_spark.months import as_micros as micros_of
from pozytywka_spark.months import as_moment


def column(values: Sequence[Any], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-01", "2023-05-01T00:00:00"),
        (" 2024-02-29 ", "2024-02-29T00:00:00"),
        ("2023-05-01T12:30", "2023-05-01T12:30:00"),
        ("2023-05-01 12:30:05.25", "2023-05-01T12:30:05.250000"),
        ("2023-05-01T12:30:05.1234567", "2023-05-01T12:30:05.123456"),
        ("2023-05-01T12:30:05Z", "2023-05-01T12:30:05"),
        ("2023-05-01T12:30:05+02:00", "2023-05-01T10:30:05"),
        ("2023-05-01T12:30:05 -0330", "2023-05-01T16:00:05"),
        ("2023-05-01T00:30+01", "2023-04-30T23:30:00"),
        ("1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert as_moment(as_micros(column([text]))[0]) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2023-02-29",
        "2023-13-01",
        "2023-05-01T24:00",
        "2023-05-01T12:60",
        "2023-05-01T12:00:60",
        "2023-05-01T",
        "2023-05-01Z",
        "01.05.2023",
        "20230501",
        "1683000000",
        "2023-05-01T12:00:00+2",
    ],
)
def test_texts_that_are_no_moments(text: str) -> None:
    with pytest.raises(UnreadableError, match="is '") as error:
        as_micros(column(["2023-05-01", text, "later"]))
    assert error.value.row == 1


@pytest.mark.thorough
@given(st.lists(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=-30))]))))
def test_texts_are_read_as_python_reads_them(moments: list[datetime]) -> None:
    texts = column([moment.isoformat() for moment in moments], pa.string())
    assert as_micros(texts).to_list() == [micros_of(moment) for moment in moments]


def test_timestamps_of_any_unit_and_days() -> None:
    for unit, number, expected in (("s", 3, 3_000_000), ("ms", 3, 3000), ("us", 3, 3), ("ns", 3999, 3)):
        assert as_micros(column([number], pa.timestamp(unit))).to_list() == [expected]
        assert as_micros(column([number], pa.timestamp(unit, "Europe/Warsaw"))).to_list() == [expected]
    assert as_micros(column([-1], pa.timestamp("ns"))).to_list() == [-1]  # downwards, before 1970 too
    assert as_micros(column([date(1970, 1, 2)])).to_list() == [86_400_000_000]
    assert as_micros(column(["1970-01-02"] * 2).dictionary_encode()).to_list() == [86_400_000_000] * 2


@pytest.mark.parametrize(
    ("values", "kind", "message", "row"),
    [
        ([1_683_000_000], pa.int64(), "is of type int64", None),
        ([1.5], pa.float64(), "is of type double", None),
        ([0, None], pa.timestamp("us"), "is empty", 1),
        ([None], pa.string(), "is empty", 0),
        ([0, 2**60], pa.timestamp("s"), "lies beyond all calendars", 1),
    ],
)
def test_what_is_no_moment(values: list[Any], kind: pa.DataType, message: str, row: int | None) -> None:
    with pytest.raises(UnreadableError, match=message) as error:
        as_micros(column(values, kind))
    assert error.value.row == row


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([7, None, -1], pa.int32(), ["7", None, "-1"]),
        ([2**64 - 1], pa.uint64(), ["18446744073709551615"]),
        (["007", " 8", "", None], pa.string(), ["7", "8", None, None]),
        ([7.0, None, np.nan], pa.float64(), ["7", None, None]),
    ],
)
def test_keys_that_are_numbers(values: list[Any], kind: pa.DataType, expected: list[str | None]) -> None:
    assert as_keys(column(values, kind), numbers=True).to_list() == expected


@pytest.mark.parametrize(
    ("values", "kind", "row"),
    [
        (["7", "x7"], pa.string(), 1),
        (["7", "7.5"], pa.string(), 1),
        ([7.0, 7.5], pa.float64(), 1),
        ([1e300], pa.float64(), 0),
        (["9" * 30], pa.string(), 0),
        ([True], pa.bool_(), None),
    ],
)
def test_what_is_no_number(values: list[Any], kind: pa.DataType, row: int | None) -> None:
    with pytest.raises(UnreadableError) as error:
        as_keys(column(values, kind), numbers=True)
    assert error.value.row == row


def test_keys_that_are_texts_stay_as_they_are() -> None:
    texts = ["007", " a", "", None]
    assert as_keys(column(texts), numbers=False).to_list() == texts
    assert as_keys(column(["a", "b", "a"]).dictionary_encode(), numbers=False).to_list() == ["a", "b", "a"]
    assert as_keys(column([7]), numbers=False).to_list() == ["7"]
    with pytest.raises(UnreadableError, match="is of type double"):
        as_keys(column([7.0]), numbers=False)
