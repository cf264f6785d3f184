"""The search for parameters: resumed as if never killed, pruned, bounded, and no worse than the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.dataset.questions import Here
from pozytywka_spark.dataset.splits import MonthCount
from pozytywka_spark.errors import DataError, TrackingError, UsageError
from pozytywka_spark.months import TimeSplit, months_between, split_months
from pozytywka_spark.spark.resources import Cluster, plan_trials
from pozytywka_spark.training.tuning.folds import Fit, FoldResult, fit_folds
from pozytywka_spark.training.tuning.tune import (
    SPACE,
    Tuned,
    own_parameters,
    study_name,
    tune,
    with_parameters,
)
from tests.worlds.known_hazard import hazard_rows, training_table

MONTHS = months_between(date(2022, 1, 1), date(2022, 12, 1))
FOLDS = [fold for last in (12, 10, 8) if (fold := split_months(MONTHS[:last], 2, 0, 30)) is not None]


def configured(home: Path, *overrides: str) -> Settings:
    return load_settings("local", [f"home={home}", "tuning.startup_trials=4", *overrides])


class Fits:
    """Stands in for XGBoost: a bowl whose bottom is known, deeper in later folds."""

    def __init__(self, killed_at: int | None = None) -> None:
        self.killed_at, self.calls, self.fits = killed_at, 0, 0

    def __call__(self, fits: Sequence[Fit]) -> list[FoldResult]:
        self.calls += 1
        if self.calls == self.killed_at:
            raise KeyboardInterrupt
        self.fits += len(fits)
        return [FoldResult(self._loss(fit), 10, 0.0, ()) for fit in fits]

    def _loss(self, fit: Fit) -> float:
        chosen = fit.settings.training
        bowl = (
            (chosen.max_depth - 6) ** 2 / 50
            + (chosen.learning_rate - 0.2) ** 2
            + (chosen.subsample - 0.8) ** 2
        )
        return 0.3 + bowl - 0.001 * len(fit.fold.train)


def tuned(settings: Settings, fits: Callable[[Sequence[Fit]], list[FoldResult]]) -> Tuned:
    name = study_name(settings, "rows", 3)
    return tune(settings, FOLDS, fits, name=name, parallel=3, reason="because")


@pytest.mark.thorough
def test_a_killed_study_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    budget = "tuning.trials=15"
    whole = tuned(configured(tmp_path / "whole", budget), Fits())
    settings = configured(tmp_path / "killed", budget)
    for killed_at in (2, 5, 8):  # in the first wave, and later ones
        with pytest.raises(KeyboardInterrupt):
            tuned(settings, Fits(killed_at))
    found = tuned(settings, Fits())
    assert found.trials == whole.trials
    assert (found.parameters, found.log_loss) == (whole.parameters, whole.log_loss)
    assert [row["trial"] for row in found.trials] == list(range(1, 16))
    again = Fits()
    assert tuned(settings, again).trials == whole.trials
    assert again.calls == 0  # the budget is spent
    more = tuned(configured(tmp_path / "killed", "tuning.trials=18"), again)
    assert more.trials[:15] == whole.trials
    assert len(more.trials) == 18


@pytest.mark.thorough
def test_real_fits_on_a_table_are_resumed_to_the_bit(tmp_path: Path) -> None:
    order = tuple(f"x{place}" for place in range(9))
    rows = hazard_rows(order, users=250)
    months = sorted(rows["month"].unique())
    folds = [TimeSplit(tuple(months[:6]), tuple(months[7:9])), TimeSplit(tuple(months[:4]), (months[5],))]
    counts = [MonthCount(month, len(part), int(part["buys"].sum())) for month, part in rows.groupby("month")]
    fit_all = fit_folds(Here(training_table(rows, order)), order, counts, 1, explain=False)
    bad = ["training.learning_rate=0.011", "training.max_trees=20", "tuning.trials=6"]
    calls: list[int] = []

    def killed_late(fits: Sequence[Fit]) -> list[FoldResult]:
        calls.append(len(fits))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return fit_all(fits)

    def searched(home: str, fits: Callable[[Sequence[Fit]], list[FoldResult]]) -> Tuned:
        return tune(configured(tmp_path / home, *bad), folds, fits, name="real", parallel=2, reason="because")

    whole = searched("whole", fit_all)
    with pytest.raises(KeyboardInterrupt):
        searched("killed", killed_late)
    assert searched("killed", fit_all).trials == whole.trials
    assert whole.default_log_loss is not None
    assert whole.log_loss < whole.default_log_loss - 0.005


@pytest.mark.thorough
def test_the_settings_own_parameters_come_first_and_better_ones_win(tmp_path: Path) -> None:
    settings = configured(tmp_path, "tuning.trials=24")
    fits = Fits()
    found = tuned(settings, fits)
    assert found.trials[0]["parameters"] == own_parameters(settings)
    assert found.trials[0]["state"] == "complete"
    assert found.default_log_loss == pytest.approx(found.trials[0]["log_loss"])
    assert found.log_loss == min(row["log_loss"] for row in found.trials if row["state"] == "complete")
    assert found.log_loss < found.default_log_loss - 0.05  # depth 4 is 0.08 above the bottom
    assert with_parameters(settings, found.parameters).training.max_depth == found.parameters["max_depth"]
    assert set(found.parameters) == set(SPACE)
    pruned = [row for row in found.trials if row["state"] == "pruned"]
    assert pruned
    assert fits.fits == sum(len(row["fold_log_loss"]) for row in found.trials)
    assert fits.fits < 24 * len(FOLDS)  # pruning saved fits
    median = sorted(row["log_loss"] for row in found.trials)[12]
    assert min(row["log_loss"] for row in pruned) > found.log_loss
    assert sum(row["log_loss"] > median for row in pruned) > len(pruned) / 2


def test_minutes_bound_the_search_but_one_wave_is_always_finished(tmp_path: Path) -> None:
    found = tuned(configured(tmp_path, "tuning.trials=null", "tuning.minutes=0.000000001"), Fits())
    assert len(found.trials) == 3


def test_another_seed_space_or_rows_is_another_study_but_another_budget_is_not(tmp_path: Path) -> None:
    settings = configured(tmp_path)
    name = study_name(settings, "rows", 2)
    assert name == study_name(configured(tmp_path, "tuning.trials=99", "tuning.minutes=3"), "rows", 2)
    assert name == study_name(configured(tmp_path, "tuning.enabled=true"), "rows", 2)
    others = {
        study_name(configured(tmp_path, "tuning.seed=8"), "rows", 2),
        study_name(settings, "other rows", 2),
        study_name(settings, "rows", 3),
    }
    assert len(others | {name}) == 4


def test_what_can_not_be_searched_is_one_line(tmp_path: Path) -> None:
    settings = configured(tmp_path)
    with pytest.raises(DataError, match="at least one rolling fold"):
        tune(settings, [], Fits(), name="none", parallel=1, reason="")
    (tmp_path / "file").write_text("")
    blocked = configured(tmp_path, f"tuning.storage={tmp_path}/file/study.journal")
    with pytest.raises(TrackingError, match=r"can't keep the tuning study in .*set tuning\.storage") as told:
        tuned(blocked, Fits())
    assert "\n" not in str(told.value)
    with pytest.raises(UsageError, match="both unset"):
        configured(tmp_path, "tuning.trials=null")


@pytest.mark.parametrize(
    ("threads", "cluster", "asked", "parallel", "why"),
    [
        (1, Cluster(2, 1, False), None, 2, "2 trials at once, a thread each"),
        (1, Cluster(16, 1, False), 5, 5, "5 trials at once"),
        (4, Cluster(16, 1, False, executor_cores=4), None, 4, "4 trials at once, 4 threads each"),
        (8, Cluster(2, 1, False), None, 1, "1 trials at once"),
    ],
)
def test_as_many_trials_run_side_by_side_as_threads_allow(
    threads: int, cluster: Cluster, asked: int | None, parallel: int, why: str
) -> None:
    found = plan_trials(threads, cluster, asked)
    assert (found.threads, found.parallel) == (threads, parallel)
    assert why in found.reason
