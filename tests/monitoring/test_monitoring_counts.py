"""Bins and what falls into them, against pandas; a month and its reference looked at without Spark."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pozytywka_spark.models.calibration import Calibrator
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.monitoring.counts import FINE, count_bins, edges_of
from pozytywka_spark.monitoring.month_work import (
    MARGIN,
    SAMPLE,
    SCORED,
    CountedPart,
    CountRows,
    LookAtReference,
    MeasureMonths,
    Reference,
    ScoredMonth,
    ScoreMonths,
    counts_told,
    lowest,
    measured_told,
    parts_of_month,
)
from pozytywka_spark.monitoring.performance import measure
from tests.in_memory import MemoryTasks

APRIL, MAY, JUNE = date(2023, 4, 1), date(2023, 5, 1), date(2023, 6, 1)
NAMES = ("smooth", "tied", "unseen")
LINEAR = Linear((0.0,) * 3, (1.0,) * 3, (0.5, -0.25, 1.0), -1.0)
MODEL = ServingModel(LINEAR, NAMES, "hash", "buys", 30, 0.1, calibrator=Calibrator("platt", 0.9, 0.1))


def drawn_rows() -> pd.DataFrame:
    drawn = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "user_id": [*range(400), *range(200, 400), *range(300)],
            "month": [APRIL] * 400 + [MAY] * 200 + [JUNE] * 300,
            "smooth": drawn.normal(size=900),
            "tied": drawn.poisson(2.0, 900).astype(float),
            "unseen": [None] * 600 + [1.0] * 300,
            "mature": [True] * 700 + [False] * 200,
            "buys": drawn.integers(0, 2, 900),
        }
    )
    rows.loc[drawn.random(900) < 0.1, "smooth"] = np.nan
    rows.loc[600:620, "tied"] = 99.0
    rows["unseen"] = rows["unseen"].astype(float)
    return rows


def test_bins_equal_those_of_pandas_with_ties_nulls_and_values_never_seen() -> None:
    rows = drawn_rows()
    for name in NAMES:
        before, now = (rows.loc[where, name] for where in (rows["month"] < JUNE, rows["month"] == JUNE))
        edges = edges_of(before.to_numpy())
        assert (edges is None) == (name == "unseen")
        cuts = _quantiles(before.dropna().to_numpy())
        for values in (before, now):
            found = count_bins(values.to_numpy(), edges)
            expected = np.bincount(np.searchsorted(cuts, values.dropna(), "left"), minlength=FINE)
            np.testing.assert_array_equal(found.bins, expected, err_msg=name)
            assert found.nulls == values.isna().sum()
            if name == "tied" and values is now:
                assert found.bins[-1] >= 21  # beyond all that was seen: the last bin


def _quantiles(values: np.ndarray) -> np.ndarray:
    """The least value that at least the share of the values is at or below, by its definition."""
    ordered = np.sort(values)
    places = [-(-step * len(ordered) // FINE) - 1 for step in range(1, FINE)]
    return ordered[places] if len(values) else np.zeros(0)


def test_not_a_number_is_a_null() -> None:
    found = count_bins(np.array([np.nan, 1.0]), edges_of(np.array([np.nan, 1.0])))
    assert (found.not_null, found.nulls) == (1.0, 1.0)


@pytest.mark.parametrize("sample", [10_000, 50])
def test_tasks_find_what_pandas_does(sample: int) -> None:
    tasks, rows = MemoryTasks(), drawn_rows()
    parts = []
    for month, own in rows.groupby("month"):
        frame = pl.from_pandas(own.drop(columns="month").sample(frac=1, random_state=1), nan_to_null=True)
        features = frame.select("user_id", *NAMES)
        labels = frame.select("user_id", "mature", "buys")
        files = [
            tasks.files.put_file(features.slice(start, 130), {"month": month}) for start in range(0, 400, 130)
        ]
        held = [
            tasks.files.put_file(labels.slice(start, 90), {"month": month}) for start in range(0, 400, 90)
        ]
        whole = parts_of_month(month, files, held)
        assert len(whole) == 1  # small files together
        parts += [part for file in files for part in parts_of_month(month, [file], held)]
    numbered = [replace(part, number=at) for at, part in enumerate(parts)]
    run = {"weight": lambda item: item.size, "named": repr}
    scored = tasks.run(numbered, ScoreMonths(MODEL, JUNE, sample, 7), **run)
    margin = LINEAR.margins(rows[list(NAMES)].to_numpy())
    expected = rows.assign(margin=margin, score=MODEL.calibrator.apply(margin))
    reference, june = (expected[where] for where in (expected["month"] < JUNE, expected["month"] == JUNE))

    earlier = tuple(one for one in scored.of(SCORED) if one.key[0] != "2023-06-01")
    names = (*NAMES, MARGIN)
    look = LookAtReference(names, sample, 7)
    seen = tasks.run([Reference(tuple(scored.of(SAMPLE)), earlier)], look, **run).results[0]
    assert seen["users"] == reference["user_id"].nunique() == 400
    drawn = lowest(pl.from_pandas(reference, nan_to_null=True), 7, sample).to_pandas()
    assert len(drawn) == min(sample, 600)
    for name in names:
        edges = edges_of(drawn[name].to_numpy(dtype=float))
        assert seen["edges"][name] == (None if edges is None else edges.tolist())

    items = [CountedPart(numbered[one.key[1]], one) for one in scored.of(SCORED)]
    told = tasks.run(items, CountRows(seen["edges"]), **run).results
    for side, wanted in ((reference, "2023-0[45]-01"), (june, "2023-06-01")):
        lines = [line for line in told if pd.Series([line["month"]]).str.fullmatch(wanted)[0]]
        for name, counts in counts_told(lines, names).items():
            edges = seen["edges"][name]
            direct = count_bins(side[name].to_numpy(dtype=float), None if edges is None else np.array(edges))
            np.testing.assert_array_equal(counts.bins, direct.bins)
            assert counts.nulls == direct.nulls

    months = [
        ScoredMonth(month, tuple(one for one in scored.of(SCORED) if one.key[0] == month.isoformat()))
        for month in (MAY, JUNE)
    ]
    measured = measured_told(tasks.run(months, MeasureMonths(20, 7), **run).results)
    for month, own in ((MAY, expected[expected["month"] == MAY]), (JUNE, june)):
        own = own.sort_values("user_id")
        label = own["buys"].where(own["mature"]).to_numpy(dtype=float)
        direct = measure(own["user_id"].to_numpy(), label, own["score"].to_numpy(), replicates=20, seed=7)
        assert measured[month] == direct
        assert direct["realised"]["purchases"].value == np.nansum(label)
