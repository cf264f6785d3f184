"""Data sets by their kernels, without a lake or a session, beside an oracle that looks at everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from pozytywka_spark.errors import DataError
from pozytywka_spark.featurestore import dataset_run, dataset_work
from tests.featurestore.histories import (
    VIEW,
    Asked,
    Known,
    answered_plainly,
    answers_in,
    edges,
    in_memory,
    source_of,
    spine_file,
    table_of,
)

MONTHS = [date(2022, 11, 1), date(2022, 12, 1), date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1)]
JANUARY = datetime(2023, 2, 1, tzinfo=UTC)  # when January is known


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several pieces, slices and parcels even of few rows."""
    monkeypatch.setattr(dataset_work, "PIECE_ROWS", 3)
    monkeypatch.setattr(dataset_run, "_SLICE_ROWS", 8)


def test_a_whole_data_set(tmp_path: Path) -> None:
    history: list[Known] = [
        (1, date(2023, 1, 1), 10.0, 0.1),
        (1, date(2023, 2, 1), 20.0, None),
        (2, date(2023, 1, 1), 30.0, 0.3),
    ]
    spine: list[Asked] = [
        (1, datetime(2023, 1, 31, 23, 59, 59, 999_999, UTC)),
        (1, JANUARY),
        (1, datetime(2023, 3, 15, tzinfo=UTC)),
        (2, datetime(2023, 3, 15, tzinfo=UTC)),
        (2, JANUARY + timedelta(days=62)),
        (9, JANUARY),
        (None, JANUARY),
        (1, JANUARY),
    ]
    made, statuses = in_memory(tmp_path, table_of(history), spine_file(tmp_path, spine), source_of())
    march = datetime(2023, 3, 1, tzinfo=UTC)
    expected = pl.DataFrame(
        [
            (0, 1, spine[0][1], None, None, None, "missing", None),
            (1, 1, JANUARY, 10.0, 0.1, JANUARY, "present", 7),
            (2, 1, spine[2][1], 20.0, None, march, "present", 7),
            (3, 2, spine[3][1], 30.0, 0.3, JANUARY, "present", 7),
            (4, 2, spine[4][1], None, None, JANUARY, "expired", 7),
            (5, 9, JANUARY, None, None, None, "missing", None),
            (6, None, JANUARY, None, None, None, "missing", None),
            (7, 1, JANUARY, 10.0, 0.1, JANUARY, "present", 7),
        ],
        schema={
            "note": pl.UInt32,
            "user_id": pl.Int64,
            "as_of": pl.Datetime("us", "UTC"),
            "skips": pl.Float64,
            "rate": pl.Float64,
            "skips__known_at": pl.Datetime("us", "UTC"),
            "skips__status": pl.String,
            "skips__version": pl.Int64,
        },
        orient="row",
    )
    assert_frame_equal(made, expected)
    assert statuses == {"skips": {"present": 4, "missing": 3, "expired": 1}}


@pytest.mark.thorough
@settings(max_examples=30)
@given(data=st.data())
def test_any_history_is_answered_as_by_looking_at_everything(data: st.DataObject) -> None:
    ttl_days = data.draw(st.sampled_from([None, 1, 31, 62]))
    delay = data.draw(st.sampled_from([0.0, 1.5, 24.0 * 40]))
    numbers = st.none() | st.floats(allow_nan=False, width=64)
    rows = st.tuples(st.integers(1, 4), st.sampled_from(MONTHS), numbers, numbers)
    history = data.draw(st.lists(rows, max_size=14, unique_by=lambda row: row[:2]))
    moments = st.sampled_from(edges(MONTHS, ttl_days, delay)) | st.datetimes(
        datetime(2022, 10, 1), datetime(2023, 9, 1), timezones=st.just(UTC)
    )
    spine = data.draw(st.lists(st.tuples(st.none() | st.integers(0, 5), moments), max_size=20))
    view = replace(VIEW, ttl_days=ttl_days)
    expected = answered_plainly(history, spine, ttl_days, delay)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        file = spine_file(place, spine)
        made, statuses = in_memory(place, table_of(history), file, source_of(view, delay))
        assert answers_in(made) == expected
        assert made.select("note", "user_id", "as_of").equals(pl.read_parquet(file))
        counted = [answer.status for answer in expected]
        assert statuses["skips"] == {status: counted.count(status) for status in statuses["skips"]}
        # nobody knew what came later: torn out, all is as before
        latest = max((as_of for _, as_of in spine), default=None)
        earlier = [row for row in history if latest and edges([row[1]], None, delay)[1] <= latest]
        again, _ = in_memory(place, table_of(earlier), file, source_of(view, delay), "torn")
        assert_frame_equal(again, made)


def test_what_is_not_a_number_stays_it_bit_for_bit(tmp_path: Path) -> None:
    odd = [float("nan"), -0.0, float("inf"), 5e-324]
    history: list[Known] = [(user, MONTHS[2], value, None) for user, value in enumerate(odd)]
    spine: list[Asked] = [(user, JANUARY) for user in range(len(odd))]
    made, _ = in_memory(tmp_path, table_of(history), spine_file(tmp_path, spine), source_of())
    assert made["skips"].to_numpy().tobytes() == table_of(history)["skips"].to_numpy().tobytes()


def test_some_columns_in_the_order_asked_for_and_in_four_bytes(tmp_path: Path) -> None:
    history: list[Known] = [(1, MONTHS[2], 0.1, 0.2)]
    file = spine_file(tmp_path, [(1, JANUARY), (2, JANUARY)])
    view = replace(VIEW, dtype="float32")
    made, _ = in_memory(tmp_path, table_of(history), file, source_of(view, columns=("rate", "skips")))
    expected = pl.DataFrame(
        {"rate": [0.2, None], "skips": [0.1, None]},
        schema_overrides=dict.fromkeys(("rate", "skips"), pl.Float32),
    )
    assert_frame_equal(made.select(made.columns[3:5]), expected)


def test_two_rows_of_one_moment_are_refused(tmp_path: Path) -> None:
    history: list[Known] = [(1, MONTHS[2], 1.0, None), (1, MONTHS[2], 2.0, None)]
    file = spine_file(tmp_path, [(1, JANUARY)])
    with pytest.raises(DataError, match="view skips: key 1 has two rows known at 2023-02-01 00:00"):
        in_memory(tmp_path, table_of(history), file, source_of())


def test_a_spine_without_rows(tmp_path: Path) -> None:
    made, statuses = in_memory(
        tmp_path, table_of([(1, MONTHS[2], 1.0, None)]), spine_file(tmp_path, []), source_of()
    )
    assert made.height == 0
    assert made.columns[3:] == ["skips", "rate", "skips__known_at", "skips__status", "skips__version"]
    assert statuses == {"skips": {"present": 0, "missing": 0, "expired": 0}}


def test_the_same_bytes_however_keys_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history: list[Known] = [(user, month, float(user), None) for user in range(9) for month in MONTHS]
    file = spine_file(tmp_path, [(user, as_of) for as_of in edges(MONTHS[:2], 62)[::3] for user in range(10)])
    in_memory(tmp_path, table_of(history), file, source_of(), "cut")
    monkeypatch.setattr(dataset_run, "_SLICE_ROWS", 10**6)
    monkeypatch.setattr(dataset_run, "_SHARED_ROWS", 0)
    in_memory(tmp_path, table_of(history).reverse(), file, source_of(), "whole")
    cut, whole = (
        {place.name: place.read_bytes() for place in (tmp_path / one).iterdir()} for one in ("cut", "whole")
    )
    assert cut == whole
    assert len(cut) == 15  # forty rows by three, and the mark of what is unfinished
