"""A fold's fit is the library's on the fold's months, with its own base rate; many are asked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xgboost

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.questions import Answer, Here, Question
from pozytywka_spark.dataset.splits import MonthCount, base_rate_of
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.models.tree_parameters import tree_parameters
from pozytywka_spark.months import TimeSplit
from pozytywka_spark.spark.resources import Plan
from pozytywka_spark.training.estimators import fit_trees
from pozytywka_spark.training.single_task import Grown, binned, grow
from pozytywka_spark.training.tuning import folds
from pozytywka_spark.training.tuning.folds import Final, Fit, FoldResult, fit_folds
from tests.worlds.known_hazard import hazard_rows, training_table
from tests.worlds.trained import settings_in

ORDER = tuple(f"x{place}" for place in range(9))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return hazard_rows(ORDER, users=400)


@pytest.fixture(scope="module")
def table(rows: pd.DataFrame) -> TrainingTable:
    return training_table(rows, ORDER)


@pytest.fixture(scope="module")
def counts(rows: pd.DataFrame) -> list[MonthCount]:
    return [MonthCount(month, len(part), int(part["buys"].sum())) for month, part in rows.groupby("month")]


class Watched(Here):
    """Notes how often it was asked, how much at once and with how many threads."""

    def __init__(self, table: TrainingTable) -> None:
        super().__init__(table)
        self.asked: list[tuple[int, int]] = []

    def ask(self, questions: Sequence[Question[Answer]], *, threads: int = 1) -> list[Answer]:
        self.asked.append((len(questions), threads))
        return super().ask(questions, threads=threads)


def fold_of(rows: pd.DataFrame, train: slice, validation: slice) -> TimeSplit:
    months = sorted(rows["month"].unique())
    return TimeSplit(tuple(months[train]), tuple(months[validation]))


def by_hand(rows: pd.DataFrame, fold: TimeSplit, settings: Settings) -> tuple[float, int, np.ndarray]:
    """Log loss, trees and mean absolute contributions with pandas and the library."""
    ordered = rows.sort_values(["user_id", "month"])
    train, held = (ordered[ordered["month"].isin(months)] for months in (fold.train, fold.validation))
    rate = train["buys"].mean()
    known, held_out = (
        xgboost.DMatrix(side[list(ORDER)], side["buys"].astype(float), nthread=1) for side in (train, held)
    )
    booster = xgboost.train(
        {**tree_parameters(settings, ORDER, (1 - rate) / rate), "objective": "binary:logistic", "nthread": 1},
        known,
        settings.training.max_trees,
        evals=[(held_out, "v")],
        early_stopping_rounds=settings.training.early_stopping_rounds,
        verbose_eval=False,
    )
    best = booster.best_iteration + 1
    parts = booster.predict(held_out, pred_contribs=True, iteration_range=(0, best))
    return booster.best_score, best, np.abs(parts[:, :-1]).mean(axis=0)


@pytest.mark.thorough
def test_folds_are_fitted_on_their_months_with_their_base_rates(
    rows: pd.DataFrame, table: TrainingTable, counts: list[MonthCount], settings: Settings
) -> None:
    more = ["training.max_trees=80", "training.learning_rate=0.4", "training.positive_weight=balanced"]
    settings = settings_in(settings.home, *more)
    chosen = [fold_of(rows, slice(0, 6), slice(6, 8)), fold_of(rows, slice(0, 4), slice(5, 7))]
    asked = Watched(table)
    found = fit_folds(asked, ORDER, counts, 1, explain=True)([Fit(settings, fold) for fold in chosen])
    assert asked.asked == [(2, 1)]
    for fold, result in zip(chosen, found, strict=True):
        loss, trees, strengths = by_hand(rows, fold, settings)
        assert (result.log_loss, result.trees) == (pytest.approx(loss, abs=1e-9), trees)
        np.testing.assert_allclose(result.strengths, strengths, rtol=1e-4, atol=1e-6)
    assert found[0].log_loss != found[1].log_loss
    assert all(result.trees < 80 for result in found)  # later trees take no part


@pytest.mark.thorough
def test_a_fold_of_the_final_split_takes_the_final_trees(
    rows: pd.DataFrame, table: TrainingTable, counts: list[MonthCount], settings: Settings
) -> None:
    settings = settings_in(settings.home, "training.max_trees=40", "training.learning_rate=0.4")
    same, other = (fold_of(rows, slice(0, 6), slice(6, 8)), fold_of(rows, slice(0, 4), slice(5, 7)))
    rate = base_rate_of(same.train, counts)
    trees = fit_trees(table.sided([same.train, same.validation, ()]), settings, Plan(1, 1, "one"), rate)
    final = Final(Fit(settings, same), trees, 1)
    grown: list[int] = []

    def counting(*given: object) -> Grown:
        grown.append(1)
        return grow(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(folds, "grow", counting)
        anew = fit_folds(Here(table), ORDER, counts, 1, explain=True)
        taken = fit_folds(Here(table), ORDER, counts, 1, explain=True, final=final)
        fits = [Fit(settings, same), Fit(settings, other)]
        expected, found = anew(fits), taken(fits)
        assert len(grown) == 2 + 1
        for one, two in zip(expected, found, strict=True):
            assert (one.log_loss, one.trees, one.strengths) == (two.log_loss, two.trees, two.strengths)
        faster = settings_in(settings.home, "training.max_trees=40", "training.learning_rate=0.3")
        taken([Fit(faster, same)])
        fit_folds(Here(table), ORDER, counts, 2, explain=True, final=final)([Fit(settings, same)])
        assert len(grown) == 2 + 1 + 2  # of other settings or threads nothing is taken


def test_losses_alone_cost_no_contributions_and_no_fit_asks_nothing(
    rows: pd.DataFrame, table: TrainingTable, counts: list[MonthCount], settings: Settings
) -> None:
    settings = settings_in(settings.home, "training.max_trees=5")
    asked, fit = Watched(table), Fit(settings, fold_of(rows, slice(0, 6), slice(6, 8)))
    first, again = fit_folds(asked, ORDER, counts, 1, explain=False)([fit, fit])
    assert first.strengths == ()
    assert (first.log_loss, first.trees) == (again.log_loss, again.trees)
    assert fit_folds(asked, ORDER, counts, 1, explain=False)([]) == []
    assert asked.asked == [(2, 1)]


def test_contributions_are_of_a_sample_of_many_rows(
    rows: pd.DataFrame,
    table: TrainingTable,
    counts: list[MonthCount],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def strengths(explained: int) -> FoldResult:
        monkeypatch.setattr(folds, "_EXPLAINED", explained)
        fold = fold_of(rows, slice(0, 6), slice(6, 8))
        few = settings_in(settings.home, "training.max_trees=10")
        return fit_folds(Here(table), ORDER, counts, 1, explain=True)([Fit(few, fold)])[0]

    whole, sample = strengths(20_000), strengths(200)
    assert whole.log_loss == sample.log_loss
    assert whole.strengths != sample.strengths
    np.testing.assert_allclose(whole.strengths, sample.strengths, rtol=0.5, atol=0.01)


def test_trials_of_a_wave_bin_a_fold_once_and_another_table_anew(
    rows: pd.DataFrame,
    table: TrainingTable,
    counts: list[MonthCount],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    def counting(*args: object) -> object:
        made.append(1)
        return binned(*args)

    monkeypatch.setattr(folds, "binned", counting)
    # a table that is gone may leave its place in memory to another
    monkeypatch.setattr(folds._Same, "__hash__", lambda _: 1)
    settings = settings_in(settings.home, "training.max_trees=5")
    fold = fold_of(rows, slice(0, 7), slice(7, 9))

    def losses(one: TrainingTable) -> list[float]:
        fits = fit_folds(Here(one), ORDER, counts, 1, explain=False)([Fit(settings, fold)] * 3)
        return [fit.log_loss for fit in fits]

    first = losses(table)
    assert len(made) == 1
    assert losses(replace(table, label=1 - table.label)) != first
    assert len(made) == 2
    assert losses(table) == first
