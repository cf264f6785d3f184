"""The page of features: which rows it looks at, what it draws of them, the split that training makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.values import Formula
from pozytywka_spark.features.page.charts import bin_edges, class_charts
from pozytywka_spark.features.page.features_page import render_page, split_of
from pozytywka_spark.features.page.rows import draw_rows
from pozytywka_spark.hashing.dice import dice, falls_below
from pozytywka_spark.lake.shards import DataFile, Shard
from tests.in_memory import MemoryTasks

MONTHS = [date(2023, month, 1) for month in (1, 2, 3)]
TARGETS = ("buys_within_30_days", "buys_ever")


def entry(name: str, unit: str = "1") -> Feature:
    value = Formula(arithmetic=name, measures=(), expression=lambda: pl.lit(0))
    return Feature(
        name=name, meaning=f"what {name} means", unit=unit, kind="count", null="never null", value=value
    )


NAMES = ("plays", "twice", "noise", "gaps", "constant", "released")
FEATURES = [entry(name, "s since 1970" if name == "released" else "1") for name in NAMES]


def table(rows: int = 300, seed: int = 3) -> pl.DataFrame:
    """Features and targets; no label of March is known."""
    drawn = np.random.default_rng(seed)
    plays = drawn.integers(0, 12, rows).astype(float)
    gaps = np.where(drawn.random(rows) < 0.2, np.nan, plays + drawn.normal(size=rows))
    return pl.DataFrame(
        {
            "user_id": np.arange(rows) // 3,
            "month": [MONTHS[i % 3] for i in range(rows)],
            "plays": plays,
            "twice": plays * 2 + 1,
            "noise": drawn.normal(size=rows),
            "gaps": pl.Series(gaps).fill_nan(None),
            "constant": 1.0,
            "released": drawn.normal(1e9, 1e8, rows),
            TARGETS[0]: pl.Series([None if i % 3 == 2 else i % 2 for i in range(rows)], dtype=pl.Int32),
            TARGETS[1]: pl.Series([i % 2 for i in range(rows)], dtype=pl.Int32),
        }
    )


class MemoryLake:
    """Two tables of files in memory, each month's in one file or several."""

    def __init__(self, rows: pl.DataFrame, files_a_month: int) -> None:
        self._tasks = MemoryTasks()
        self._shards: dict[str, list[Shard]] = {"features": [], "labels": []}
        for table, names in (("features", NAMES), ("labels", TARGETS)):
            # labels lie in other files than features, and in another order
            parts = files_a_month if table == "features" else 1
            for month in rows["month"].unique().sort(descending=table == "labels"):
                files: list[DataFile] = []
                for part in range(parts):
                    mine = rows.filter(pl.col("month") == month, pl.col("user_id") % parts == part)
                    files.append(self._tasks.files.put_file(mine.select("user_id", *names), {"month": month}))
                self._shards[table].append(Shard(table, {"month": month}, tuple(files)))

    @contextmanager
    def tasks(self) -> Iterator[MemoryTasks]:
        yield self._tasks

    def shards(self, table: str, tasks: MemoryTasks, columns: Sequence[str]) -> list[Shard]:
        return self._shards[table]


def drawn_of(rows: pl.DataFrame, files_a_month: int, most: int) -> pl.DataFrame:
    lake: Any = MemoryLake(rows, files_a_month)
    return draw_rows(lake, NAMES, TARGETS, rows=most, seed=7)


def test_all_rows_are_looked_at_if_they_are_few() -> None:
    rows = table().sort("month", "user_id")
    assert drawn_of(rows, 2, most=300).equals(rows.select("user_id", "month", *NAMES, *TARGETS))
    assert drawn_of(rows, 1, most=10_000).height == 300


def test_about_so_many_rows_are_drawn_by_dice_whatever_files_they_lie_in() -> None:
    rows = table(12_000)
    expected = rows.filter(falls_below(dice(rows, 7), 1_000 / 12_000)).sort("month", "user_id")
    assert 900 < expected.height < 1_100
    for files_a_month in (1, 3):
        found = drawn_of(rows, files_a_month, most=1_000)
        assert found.equals(expected.select("user_id", "month", *NAMES, *TARGETS))


def test_tables_without_rows_draw_nothing() -> None:
    found = drawn_of(table().clear(), 1, most=100)
    assert (found.height, found.columns) == (0, ["user_id", "month", *NAMES, *TARGETS])


def test_histograms_are_shares_of_each_class_of_the_rows_whose_label_is_known() -> None:
    rows = table()
    charts = class_charts(rows, FEATURES, TARGETS[0])
    assert [alt for _, alt, _ in charts] == [
        f"Histogram of {name} by class" for name in NAMES if name != "constant"
    ]
    plays, _, caption = charts[0]
    assert caption == "plays: what plays means"
    known = rows.filter(pl.col(TARGETS[0]).is_not_null())
    for klass in (0, 1):
        mine = known.filter(pl.col(TARGETS[0]) == klass)["plays"].to_numpy()
        expected = [(mine == value).mean() for value in range(12)]
        if klass == 0:
            shares = [bar.high for bar in plays.bars]
            assert [(bar.left, bar.right) for bar in plays.bars] == [(v - 0.5, v + 0.5) for v in range(12)]
        else:
            shares = [height for _, height in plays.lines[0].points[1:13]]
        assert shares == pytest.approx(expected)
    assert "unknown in" in charts[3][2]
    assert {word[:2] for _, word in charts[4][0].x_ticks or ()} <= {"19", "20"}, "a date is told as one"


def test_far_values_are_in_the_outermost_bars() -> None:
    values = np.append(np.linspace(0, 1, 999), 1e9)
    edges = bin_edges(values)
    assert len(edges) == 21
    assert edges[-1] < 1.001
    rows = pl.DataFrame({"plays": values, "bought": np.arange(1000) % 2})
    ((chart, _, _),) = class_charts(rows, FEATURES[:1], "bought")
    assert sum(bar.high for bar in chart.bars) == pytest.approx(1)
    assert sum(height for _, height in chart.lines[0].points[1:21]) == pytest.approx(1)
    rare = np.append(np.zeros(999), 7.5)  # nearly all values are one: all are shown
    assert (bin_edges(rare)[0], bin_edges(rare)[-1]) == (0, 7.5)
    assert bin_edges(np.arange(1000.0)).tolist()[:2] == [4.5, 54.5]


def test_an_axis_of_few_counts_has_whole_numbers_only() -> None:
    rows = pl.DataFrame(
        {"plays": [0.0, 1.0, 1.0, 0.0], "noise": [0.1, 0.2, 0.9, 1.0], "bought": [0, 1, 0, 1]}
    )
    (counted, _, _), (real, _, _) = class_charts(rows, [FEATURES[0], FEATURES[2]], "bought")
    assert [word for _, word in counted.x_ticks or ()] == ["0", "1"]
    assert [word for _, word in real.x_ticks or ()] == ["0.5", "1"]


def test_the_split_counts_back_from_the_last_mature_month() -> None:
    counts = [{"month": date(2023, month, 1), "rows": 5, "mature": 5} for month in range(1, 9)]
    counts.append({"month": date(2023, 9, 1), "rows": 5, "mature": 0})
    sides = split_of(counts, load_settings("local", ["label.horizon_days=30"]))
    assert list(sides.values()) == [
        "train",
        "train",
        "train",
        "train",
        "validation",
        "validation",
        "test",
        "test",
    ]
    sides = split_of(counts, load_settings("local", ["label.horizon_days=60"]))
    assert list(sides.values()) == [
        "train",
        "train",
        "purged",
        "validation",
        "validation",
        "purged",
        "test",
        "test",
    ]


COUNTS = [
    {"month": month, "rows": 100, "mature": 100 * (month < MONTHS[2]), "positives": 50} for month in MONTHS
]


def test_the_report_is_one_page_with_every_part() -> None:
    page = render_page(table(), load_settings("local"), FEATURES, COUNTS, [])
    for title in ("Labels", "Split", "Guards", "Correlation", "Nulls and drift", "By class"):
        assert f"<h2>{title}</h2>" in page
    assert "plays, twice" in page
    assert "features.drop=[twice]" in page
    assert page.count("Histogram of") == 5  # a constant has none
    assert page == render_page(table(), load_settings("local"), FEATURES, COUNTS, [])


def test_the_report_of_rows_without_labels_and_of_no_rows() -> None:
    march = table().filter(pl.col("month") == MONTHS[2])
    page = render_page(march, load_settings("local"), FEATURES, COUNTS[2:], [])
    assert "No row&#39;s buys_within_30_days is known yet." in page
    assert "0 user-months" in render_page(table().clear(), load_settings("local"), FEATURES, [], [])
