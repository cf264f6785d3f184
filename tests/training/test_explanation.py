"""Contributions summed, binned and drawn, against numpy on the same contributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from threadpoolctl import threadpool_info, threadpool_limits

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.questions import Here
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.evaluation import explanation, importance
from pozytywka_spark.models.booster import Trees
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.months import TimeSplit, months_between, split_months
from pozytywka_spark.training.stability import folds_begun, rank_correlation, stability
from pozytywka_spark.training.tuning.folds import Final, Fit, FitAll, FoldResult

ORDER = ("slope", "wave", "noise", "gone")
ROWS = 900


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    drawn = np.random.default_rng(0)
    rows = pd.DataFrame({name: drawn.normal(size=ROWS) for name in ORDER})
    rows.loc[drawn.random(ROWS) < 0.2, "wave"] = np.nan
    rows["gone"] = 1.0
    rows["label"] = drawn.random(ROWS) < 1 / (
        1 + np.exp(-2 * rows["slope"] - np.sin(3 * rows["wave"].fillna(0)))
    )
    rows["user_id"] = np.arange(ROWS)
    return rows


@pytest.fixture(scope="module")
def booster(frame: pd.DataFrame) -> xgboost.Booster:
    data = xgboost.DMatrix(frame[list(ORDER)], frame["label"])
    return xgboost.train({"max_depth": 3, "objective": "binary:logistic", "seed": 1}, data, 20)


@pytest.fixture(scope="module")
def contributions(frame: pd.DataFrame, booster: xgboost.Booster) -> np.ndarray:
    return booster.predict(xgboost.DMatrix(frame[list(ORDER)]), pred_contribs=True)[:, :-1].astype(float)


@pytest.fixture(scope="module")
def table(frame: pd.DataFrame) -> TrainingTable:
    return TrainingTable(
        order=ORDER,
        user_id=frame["user_id"].to_numpy(),
        month=np.full(ROWS, "2023-01-01", "datetime64[D]"),
        side=np.full(ROWS, 2, np.uint8),
        label=frame["label"].to_numpy(float),
        matrix=frame[list(ORDER)].to_numpy(np.float32),
    )


@pytest.fixture(scope="module")
def explained(table: TrainingTable, booster: xgboost.Booster) -> importance.Explained:
    return importance.explain_rows(table, Trees(bytes(booster.save_raw("ubj")), 20), seed=7, threads=1)


def test_strength_and_direction_equal_numpy(
    explained: importance.Explained, contributions: np.ndarray
) -> None:
    found = importance.importances(explained)
    expected = np.abs(contributions).mean(axis=0)
    assert {row["feature"]: row["strength"] for row in found} == pytest.approx(
        {name: value for name, value in zip(ORDER, expected, strict=True) if value > 0}, rel=1e-6
    )
    assert [row["feature"] for row in found][:2] == ["slope", "wave"]
    assert "gone" not in [row["feature"] for row in found]  # it never varies, so no tree uses it
    assert found[0]["direction"] == "rises"


def test_dependence_is_the_mean_contribution_of_bins_of_values(
    explained: importance.Explained, frame: pd.DataFrame, contributions: np.ndarray
) -> None:
    found = importance.dependence(explained, ["slope", "wave", "gone"])
    for place, name in ((0, "slope"), (1, "wave")):
        bins = [row for row in found[name] if row["value"] is not None]
        known = frame[name].notna().to_numpy()
        assert sum(row["rows"] for row in bins) == known.sum()
        assert len(bins) == importance.BINS
        assert max(row["rows"] for row in bins) <= 2 * min(row["rows"] for row in bins)
        order = np.argsort(frame[name].to_numpy()[known])
        ends = np.cumsum([row["rows"] for row in bins])[:-1]
        for row, inside in zip(bins, np.split(order, ends), strict=True):
            values, parts = frame[name].to_numpy()[known][inside], contributions[known, place][inside]
            assert row["value"] == pytest.approx(values.mean())
            assert row["contribution"] == pytest.approx(parts.mean(), rel=1e-5, abs=1e-7)
            assert (
                parts.min() - 1e-6 <= row["low"] <= row["contribution"] <= row["high"] <= parts.max() + 1e-6
            )
    missing = next(row for row in found["wave"] if row["value"] is None)
    unknown = frame["wave"].isna().to_numpy()
    assert missing["rows"] == unknown.sum()
    assert missing["contribution"] == pytest.approx(contributions[unknown, 1].mean(), rel=1e-5)
    assert [row["rows"] for row in found["gone"]] == [ROWS]  # one value, one bin


def test_a_value_at_an_edge_is_in_the_bin_below() -> None:
    values = np.repeat(np.arange(1, 41, dtype=np.float32), 3)
    parts = values.astype(float)
    dice = np.arange(120, dtype=np.uint64)
    found = importance.dependence(importance.Explained(("x",), values[:, None], parts[:, None], dice), ["x"])
    assert [row["value"] for row in found["x"]] == [place + 0.5 for place in range(1, 40, 2)]
    assert [(row["rows"], row["low"], row["high"]) for row in found["x"]] == [
        (6, float(place), float(place + 1)) for place in range(1, 40, 2)
    ]


def test_dots_are_rows_and_the_same_ones_every_time(
    explained: importance.Explained, frame: pd.DataFrame, contributions: np.ndarray
) -> None:
    found = importance.swarm(explained, ["slope", "wave"])
    assert len(found["slope"]) == len(found["wave"]) == importance.DOTS
    turned = importance.Explained(ORDER, explained.matrix[::-1], explained.parts[::-1], explained.dice[::-1])
    assert found == importance.swarm(turned, ["slope", "wave"])
    known = np.column_stack([frame["slope"], contributions[:, 0]])
    for dot in found["slope"]:  # each is a row, to the digits that a drawing needs
        assert np.isclose(known, dot, rtol=1e-3, atol=1e-4).all(axis=1).any()
    assert any(value is None for value, _ in found["wave"])


def test_a_sample_is_about_as_large_as_asked_and_always_the_same(table: TrainingTable) -> None:
    mask = table.user_id % 9 > 0
    once = importance.sample_rows(table, mask, 300, 1).user_id
    turned = table.where(np.arange(ROWS)[::-1])
    again = importance.sample_rows(turned, mask[::-1], 300, 1).user_id
    assert sorted(once) == sorted(again)
    assert 240 <= len(once) <= 360
    assert (once % 9 > 0).all()
    assert len(importance.sample_rows(table, mask, ROWS, 1)) == mask.sum()
    assert set(importance.sample_rows(table, mask, 300, 2).user_id) != set(once)


def test_a_model_is_explained_on_the_test_rows(
    table: TrainingTable, booster: xgboost.Booster, contributions: np.ndarray, settings: Settings
) -> None:
    side = np.where(np.arange(ROWS) < 500, 2, 0).astype(np.uint8)
    asked = Here(replace(table, side=side))
    trees = Trees(bytes(booster.save_raw("ubj")), 20)
    model = ServingModel(trees, ORDER, "", "buys", 30, 0.5)
    found = explanation.explain_model(asked, 7000, model, settings)
    assert (found["rows"], found["held"]) == (500, 7000)
    strength = np.abs(contributions[:500]).mean(axis=0)
    expected = {name: value for name, value in zip(ORDER, strength, strict=True) if value > 0}
    assert {row["feature"]: row["strength"] for row in found["strongest"]} == pytest.approx(
        expected, rel=1e-6
    )
    names = [row["feature"] for row in found["strongest"]]
    assert list(found["dependence"]) == list(found["swarm"]) == names
    assert all(len(dots) == 500 for dots in found["swarm"].values())

    line = Linear((0.0,) * 4, (1.0,) * 4, (2.0, -1.0, 0.5, 0.0), 0.1)
    of_line = explanation.explain_model(asked, 500, replace(model, predictor=line), settings)
    assert {row["feature"]: row["coefficient"] for row in of_line["strongest"]} == {
        "slope": 2.0, "wave": -1.0, "noise": 0.5,
    }  # fmt: skip
    known = np.nan_to_num(table.matrix[:500])  # a missing value adds nothing
    assert [row["strength"] for row in of_line["strongest"]] == pytest.approx(
        sorted(np.abs(known[:, :3] * [2.0, -1.0, 0.5]).mean(axis=0), reverse=True), rel=1e-6
    )
    assert [(row["feature"], row["direction"]) for row in of_line["strongest"]] == [
        ("slope", "rises"), ("wave", "falls"), ("noise", "rises"),
    ]  # fmt: skip
    assert of_line["dependence"] == {}


def test_stability_compares_each_fold_with_the_final_model(settings: object) -> None:
    months = months_between(date(2022, 1, 1), date(2022, 8, 1))
    folds = [split_months(months[:last], 1, 0, 30) for last in (8, 7)]
    strongest = [{"feature": "slope", "strength": 3.0}, {"feature": "wave", "strength": 1.0}]
    seen: list[Fit] = []

    def fit_all(fits: list[Fit]) -> list[FoldResult]:
        seen.extend(fits)
        return [FoldResult(0.3, 5, 0.0, (6.0, 2.0, 0.0, 0.0)), FoldResult(0.4, 6, 0.0, (1.0, 3.0, 0.0, 0.0))]

    found = stability(folds, ORDER, strongest, settings, fit_all)
    assert [fit.fold for fit in seen] == folds
    assert [row["rank_correlation"] for row in found["folds"]] == [
        pytest.approx(1.0),
        pytest.approx(rank_correlation(np.array([3.0, 1, 0, 0]), np.array([1.0, 3, 0, 0]))),
    ]
    assert found["folds"][0]["validation"] == ["2022-08", "2022-08"]
    slope = next(row for row in found["features"] if row["feature"] == "slope")
    assert slope == {
        "feature": "slope", "share": 0.75, "share_low": 0.25, "share_high": 0.75,
        "rank_low": 1.0, "rank_high": 2.0,
    }  # fmt: skip
    assert rank_correlation(np.zeros(3), np.array([1.0, 2, 3])) is None
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1)


def test_folds_that_begin_early_are_fitted_once_and_found_in_their_place(settings: object) -> None:
    months = months_between(date(2022, 1, 1), date(2022, 8, 1))
    final, earlier, earliest = (split_months(months[:last], 1, 0, 30) for last in (8, 7, 6))
    asked: list[tuple[object, list[TimeSplit]]] = []
    rest_is_done = Event()

    def fit_all(trees: Final | None) -> FitAll:
        def fit(fits: Sequence[Fit]) -> list[FoldResult]:
            if trees is None:
                assert rest_is_done.wait(30), "what needs no other fold waited for them"
            asked.append((trees, [fit.fold for fit in fits]))
            rest_is_done.set()
            return [FoldResult(0.3, len(fit.fold.train), 0.0, ()) for fit in fits]

        return fit

    prepared: Any = SimpleNamespace(folds=[earlier, final, earliest], split=final)
    trees: Any = object()
    with folds_begun(prepared, settings, fit_all) as begun:
        found = begun(trees)([Fit(settings, fold) for fold in prepared.folds])
    assert [result.trees for result in found] == [len(fold.train) for fold in prepared.folds]
    assert asked == [(trees, [final]), (None, [earlier, earliest])]


def test_linear_algebra_has_one_thread_whoever_ends_first(settings: object) -> None:
    """Folds that end amid the block's questions don't give it other digits."""
    months = months_between(date(2022, 1, 1), date(2022, 8, 1))
    final, earlier = (split_months(months[:last], 1, 0, 30) for last in (8, 7))
    prepared: Any = SimpleNamespace(folds=[earlier], split=final)
    have_begun, block_asks, have_ended = Event(), Event(), Event()

    def fit(fits: Sequence[Fit]) -> list[FoldResult]:
        with threadpool_limits(1):
            have_begun.set()
            assert block_asks.wait(30)
        have_ended.set()
        return [FoldResult(0.3, 1, 0.0, ()) for _ in fits]

    before = blas_threads()
    with folds_begun(prepared, settings, lambda _: fit):
        assert have_begun.wait(30)
        with threadpool_limits(1):
            block_asks.set()
            assert have_ended.wait(30)
            assert blas_threads() == {1}
    assert blas_threads() == before


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
