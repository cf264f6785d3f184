"""The training table from tables of features, labels and users, beside plain pandas; no Spark."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset import table_counts, table_job, table_work
from pozytywka_spark.dataset.load_table import StagedTable, load, loaded
from pozytywka_spark.dataset.prepare import Prepared, pin
from pozytywka_spark.dataset.table import SIDES, TrainingTable
from pozytywka_spark.dataset.table_counts import CountCities, counted_cities
from pozytywka_spark.dataset.table_guards import check_table
from pozytywka_spark.dataset.table_job import plan_rows, put_down
from pozytywka_spark.dataset.table_work import MonthRows, MonthTable, facts_of
from pozytywka_spark.errors import DataError, GuardError
from pozytywka_spark.features.declared.catalogue import feature_order
from tests.in_memory import MemoryTasks
from tests.worlds.made_tables import MONTHS, FrameLake, made_lake
from tests.worlds.trained import settings_in


def tables_in(tmp_path: Path, *more: str) -> tuple[Settings, FrameLake]:
    settings = settings_in(tmp_path, "split.validation_months=1", "split.test_months=1", *more)
    return settings, made_lake(settings, feature_order(settings))


def put(settings: Settings, lake: FrameLake) -> tuple[Prepared, StagedTable]:
    plan = plan_rows(pin(settings, lake), settings, lake, lake.tasks)
    return put_down(plan, settings, lake, lake.tasks)


def table_of(settings: Settings, lake: FrameLake) -> tuple[Prepared, TrainingTable]:
    prepared, staged = put(settings, lake)
    return prepared, load(staged, lake.tasks.files.read)


def in_pandas(settings: Settings, lake: FrameLake, prepared: Prepared) -> pd.DataFrame:
    """The same rows, made otherwise."""
    frames = {name: frame.to_pandas() for name, frame in lake.frames.items()}
    labels = frames["labels"]
    labels = labels[labels["mature"] & labels["complete"]].copy()
    labels["side"] = [prepared.split.side_of(pd.Timestamp(month).date()) for month in labels["month"]]
    rows = labels[labels["side"].notna()].merge(frames["features"], on=["user_id", "month"])
    return rows.merge(frames["users"], on="user_id", how="left").sort_values(["user_id", "month"])


def test_rows_are_those_of_both_tables_by_user_and_month(tmp_path: Path) -> None:
    settings, lake = tables_in(tmp_path)
    prepared, table = table_of(settings, lake)
    expected = in_pandas(settings, lake, prepared)
    assert set(expected["side"]) == set(SIDES)
    assert table.order == feature_order(settings)
    assert table.user_id.tolist() == expected["user_id"].tolist()
    assert table.month.tolist() == [pd.Timestamp(month).date() for month in expected["month"]]
    assert [SIDES[side] for side in table.side] == expected["side"].tolist()
    assert table.label.tolist() == expected[settings.label.column].tolist()
    assert table.matrix.dtype == np.float32
    matrix = expected[list(table.order)].to_numpy(np.float32)
    assert np.isnan(matrix).any()
    np.testing.assert_array_equal(table.matrix, matrix)
    assert table.city is not None
    named = [table.cities[city] for city in table.city]
    assert named == expected["city"].where(expected["city"].notna(), "unknown").tolist()
    for side, months in prepared.split.sides.items():
        mine = expected[expected["side"] == side]
        assert prepared.sizes[side] == (len(mine), mine[settings.label.column].sum())
        assert prepared.sizes[side] == (len(table.of(side)), table.of(side).label.sum())
        assert set(table.of(side).month.tolist()) == set(months)
    assert [(count.month, count.rows) for count in prepared.left_out] == [(MONTHS[0], 60)]
    assert prepared.share == 1


@pytest.mark.thorough
def test_a_month_in_slices_of_its_users_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, lake = tables_in(tmp_path)
    whole, table = table_of(settings, lake)
    monkeypatch.setattr(table_job, "MonthTable", partial(MonthTable, rows_at_once=7))
    lake.tasks = MemoryTasks(slots=3)
    sliced, again = table_of(settings, lake)
    assert len(lake.tasks.files.parcels) > 3 * len(MONTHS)
    assert sliced == whole
    np.testing.assert_array_equal(again.matrix, table.matrix)
    np.testing.assert_array_equal(again.user_id, table.user_id)


@pytest.mark.thorough
def test_what_the_data_name_by_content_changes_with_a_value_and_not_with_order(tmp_path: Path) -> None:
    settings, lake = tables_in(tmp_path)
    before = put(settings, lake)[0].inputs
    features = lake.frames["features"]
    lake.frames["features"] = features.sort("user_id")
    assert put(settings, lake)[0].inputs == before
    name = feature_order(settings)[2]
    fifth = pl.int_range(pl.len()) == features.with_row_index().filter(pl.col("month") == MONTHS[2])[4, 0]
    for value in (None, 0.125):
        lake.frames["features"] = features.with_columns(
            pl.when(fifth).then(value).otherwise(name).alias(name)
        )
        assert put(settings, lake)[0].inputs != before
    # a double that 32 bits don't tell from its neighbour counts too
    nudged = pl.when(fifth).then(pl.col(name) * (1 + 2**-50)).otherwise(name).alias(name)
    lake.frames["features"] = features.with_columns(nudged)
    assert put(settings, lake)[0].inputs != before


def test_a_sample_has_whole_users_and_is_no_part_of_the_content(tmp_path: Path) -> None:
    settings, lake = tables_in(tmp_path)
    lake = made_lake(settings, feature_order(settings), users=400)
    whole, table = table_of(settings, lake)
    few = settings.model_copy(
        update={"training": settings.training.model_copy(update={"rows_in_memory": 1000})}
    )
    prepared, sample = table_of(few, lake)
    assert prepared.share == 1000 / len(table)
    assert 700 < len(sample) < 1300
    theirs = np.isin(table.user_id, sample.user_id)
    np.testing.assert_array_equal(sample.matrix, table.matrix[theirs])
    np.testing.assert_array_equal(sample.city, table.city[theirs])
    assert prepared.sizes == whole.sizes
    assert len(np.unique(sample.user_id)) < 400


def test_labels_of_an_older_release_do_not_say_what_the_data_cover(tmp_path: Path) -> None:
    settings, lake = tables_in(tmp_path)
    lake.frames["labels"] = lake.frames["labels"].drop("complete")
    prepared, _ = table_of(settings, lake)
    assert prepared.left_out == ()
    assert prepared.counts[0].month == MONTHS[0]


def test_one_matrix_is_mapped_by_all_processes_of_a_folder(tmp_path: Path) -> None:
    settings, lake = tables_in(tmp_path)
    _, staged = put(settings, lake)
    plain, mapped = (load(staged, lake.tasks.files.read, folder) for folder in (None, tmp_path))
    assert isinstance(mapped.matrix, np.memmap)
    np.testing.assert_array_equal(mapped.matrix, plain.matrix)
    file = next(tmp_path.glob("*.npy"))
    written = file.stat().st_mtime_ns
    load(staged, lake.tasks.files.read, tmp_path)
    assert file.stat().st_mtime_ns == written
    assert loaded(staged, lake.tasks.files.read) is loaded(staged, lake.tasks.files.read)


def test_the_rows_guard_finds_rows_twice_and_rows_that_lack(tmp_path: Path) -> None:
    settings, lake = tables_in(tmp_path)
    features = lake.frames["features"]
    for wrong in (pl.concat([features, features.filter(pl.col("user_id") == 1)]), features[1:]):
        lake.frames["features"] = wrong
        with pytest.raises(
            GuardError, match=r"guard rows: \w+ has \d+ mature labels, but \d+ rows with feat"
        ):
            put(settings, lake)
    lake.frames["features"] = features.filter(pl.col("month") != date(2022, 11, 1))
    with pytest.raises(GuardError, match="guard rows: test has 60 mature labels, but 0 rows"):
        put(settings, lake)


def test_the_purge_guard_names_the_last_row(tmp_path: Path) -> None:
    settings, lake = tables_in(tmp_path)
    late = datetime(2022, 12, 2, tzinfo=UTC)  # past the cut-off of the validation months
    horizon = pl.when(pl.col("user_id") == 7, pl.col("month") == date(2022, 5, 1)).then(late)
    lake.frames["labels"] = lake.frames["labels"].with_columns(
        horizon.otherwise("horizon_end").alias("horizon_end")
    )
    told = (
        "guard purge: train row user 7, month 2022-05 has a horizon up to 2022-12-02 00:00:00, past the "
        "first validation cut-off 2022-11-01 00:00:00; leave"
    )
    with pytest.raises(GuardError, match=told):
        put(settings, lake)


def test_the_maturity_guard_names_the_first_row() -> None:
    at = datetime(2022, 2, 1, tzinfo=UTC)
    rows = pl.DataFrame(
        {
            "user_id": [3, 2, 1],
            "month": [date(2022, 1, 1)] * 3,
            "cut_off": [at] * 3,
            "horizon_end": [datetime(2022, 3, 3, tzinfo=UTC)] * 3,
            "mature": [None, False, True],
            "label": [0.0, 1.0, 0.0],
            "plays": [1.0, None, 2.0],
        }
    ).cast({"cut_off": pl.Datetime("us", "UTC"), "horizon_end": pl.Datetime("us", "UTC")})
    facts = facts_of(rows, MonthRows(date(2022, 1, 1), 0, (), ()), 3, ("plays",))
    told = "guard maturity: user 2, month 2022-01 is immature: its horizon ends at 2022-03-03 00:00:00, past"
    with pytest.raises(GuardError, match=told):
        check_table([facts], [], None)  # type: ignore[arg-type]  # nothing else is looked at


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    settings, lake = tables_in(tmp_path)
    label = settings.label.model_copy(update={"horizon_days": 14})
    with pytest.raises(DataError, match="table labels has no buys_within_14_days: run the features job"):
        pin(settings.model_copy(update={"label": label}), lake)
    lacking = lake.frames | {"features": lake.frames["features"].drop(feature_order(settings)[3])}
    with pytest.raises(DataError, match=r"table features lacks 1 of 9 features, such as"):
        pin(settings, FrameLake(lacking))
    with pytest.raises(DataError, match="table labels is not in memory: run the features job first"):
        pin(settings, FrameLake({"features": lake.frames["features"]}))


def test_the_twenty_cities_with_most_users_have_names() -> None:
    tasks = MemoryTasks()
    many: list[Any] = [f"city {number:02}" for number in range(25) for _ in range(number // 2 + 1)]
    users = pl.DataFrame({"city": many + [None] * 30 + [f"alone {number}" for number in range(3)]})
    users = users.with_row_index("user_id").with_columns(pl.col("user_id").cast(pl.Int64))
    files = [tasks.files.put_file(part, {}) for part in (users[:100], users[100:])]
    done = tasks.run(files, CountCities(), weight=lambda file: file.size, named=str)
    counts = users.to_pandas()["city"].value_counts(dropna=False).reset_index()
    counts["known"] = counts["city"].notna()
    ranked = counts.sort_values(["count", "known", "city"], ascending=[False, True, True])["city"][:20]
    assert list(counted_cities(done.results)) == ranked.dropna().tolist()
    assert len(counted_cities(done.results)) == 19  # those of no city are one of twenty
    staged = StagedTable(("a",), (), tuple(done.of(table_counts.USERS)), counted_cities(done.results))
    read = tasks.files.read
    keys = pl.DataFrame(
        {"user_id": [*range(users.height), 9999], "month": date(2022, 1, 1), "side": 0, "label": 0.0}
    ).cast({"side": pl.UInt8})
    block = keys.with_columns(pl.Series("features", np.zeros((keys.height, 1), np.float32)))
    table = load(replace(staged, rows=(tasks.put(table_work.ROWS, block),)), read)
    expected = ["unknown" if c is None else c if c in set(ranked) else "other" for c in users["city"]]
    assert table.city is not None
    assert [table.cities[place] for place in table.city] == [*expected, "unknown"]
