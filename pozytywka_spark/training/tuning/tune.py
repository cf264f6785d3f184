"""Hyperparameters: a resumable Optuna study (TPE, pruning) over the rolling folds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError
from pozytywka_spark.hashing.fingerprints import SHORT, fingerprint_of
from pozytywka_spark.months import TimeSplit
from pozytywka_spark.training.tuning.folds import Fit, FitAll
from pozytywka_spark.training.tuning.study import Study, open_study

# What is searched: name in settings.training, lowest, highest, on a logarithmic scale.
SPACE: Mapping[str, tuple[float, float, bool]] = {
    "learning_rate": (0.01, 0.3, True),
    "max_depth": (2, 8, False),
    "min_child_weight": (1.0, 60.0, True),
    "subsample": (0.5, 1.0, False),
    "colsample_bytree": (0.3, 1.0, False),
    "reg_lambda": (0.1, 30.0, True),
}
_WHOLE = ("max_depth",)


@dataclass(frozen=True)
class Tuned:
    """The best parameters of `settings.training`, and the study's rows for people (one a trial)."""

    parameters: Mapping[str, float | int]
    log_loss: float
    default_log_loss: float | None
    trials: Sequence[Mapping[str, Any]]
    study: str
    storage: str
    reason: str


def study_name(settings: Settings, inputs: str, parallel: int) -> str:
    """The same rows, settings, code and search give the same study, whatever its budget: it goes on."""
    decisive = [inputs, deciding(settings, "study"), parallel, sorted(SPACE.items())]
    return fingerprint_of(decisive, SHORT, sort_keys=True)


def tune(
    settings: Settings,
    folds: Sequence[TimeSplit],
    fit_all: FitAll,
    *,
    name: str,
    parallel: int,
    reason: str,
    told: Callable[[Sequence[Mapping[str, Any]]], None] = lambda _: None,
) -> Tuned:
    """Search until the budget of `settings.tuning` is spent; finished trials of an earlier run count.

    Trials go in waves of `parallel`; a wave fits fold after fold, the cheapest (oldest) first, and drops a
    trial whose mean log loss so far is worse than the median of the others'. What is drawn depends on the
    seed and on the finished trials only, so that a study that was killed goes on as if it had not been.
    The settings' own parameters are the first trial. `told` gets the rows after each wave.
    Raises `DataError` if there is no fold to search on.
    """
    if not folds:
        raise DataError(
            "tuning needs at least one rolling fold with enough positives before the test months: "
            "deliver more months, lower split.folds or training.min_positives, or train without --tune"
        )
    tuning = settings.tuning
    study = open_study(settings, name)
    study.drop_unfinished()
    start = time.monotonic()
    told(study.rows())
    while not _is_over(study, settings, time.monotonic() - start):
        left = parallel if tuning.trials is None else min(parallel, tuning.trials - study.finished)
        _wave(study, settings, list(reversed(folds)), fit_all, left)
        told(study.rows())
    best = study.best()
    return Tuned(
        parameters=best["parameters"],
        log_loss=best["log_loss"],
        default_log_loss=study.log_loss_of(own_parameters(settings)),
        trials=study.rows(),
        study=name,
        storage=study.address,
        reason=reason,
    )


def own_parameters(settings: Settings) -> dict[str, float | int]:
    """The searched parameters as settings have them."""
    return {name: getattr(settings.training, name) for name in SPACE}


def with_parameters(settings: Settings, parameters: Mapping[str, float | int]) -> Settings:
    """The settings with those parameters of training."""
    training = settings.training.model_copy(update=dict(parameters))
    return settings.model_copy(update={"training": training})


def _is_over(study: Study, settings: Settings, seconds: float) -> bool:
    tuning = settings.tuning
    if tuning.trials is not None and study.finished >= tuning.trials:
        return True
    # a study without a single finished trial has nothing to give
    return tuning.minutes is not None and seconds >= 60 * tuning.minutes and study.completed > 0


def _wave(study: Study, settings: Settings, folds: Sequence[TimeSplit], fit_all: FitAll, size: int) -> None:
    """Ask for trials, fit them fold by fold, then tell how they ended: a kill loses the wave, no more."""
    asked = study.ask(size, own_parameters(settings))
    candidates = [with_parameters(settings, _parameters(trial)) for trial in asked]
    losses: list[list[float]] = [[] for _ in asked]
    trees: list[list[int]] = [[] for _ in asked]
    alive = list(range(size))
    for step, fold in enumerate(folds):
        results = fit_all([Fit(candidates[place], fold) for place in alive])
        for place, result in zip(alive, results, strict=True):
            losses[place].append(result.log_loss)
            trees[place].append(result.trees)
            asked[place].report(float(np.mean(losses[place])), step)
        if step + 1 < len(folds):
            alive = [place for place in alive if not asked[place].should_prune()]
    for place, trial in enumerate(asked):
        trial.set_user_attr("fold_log_loss", losses[place])
        trial.set_user_attr("fold_trees", trees[place])
        study.end(trial, float(np.mean(losses[place])) if place in alive else None)


def _parameters(trial: Any) -> dict[str, float | int]:
    """What the study suggests for each searched parameter."""
    parameters: dict[str, float | int] = {}
    for name, (low, high, log) in SPACE.items():
        if name in _WHOLE:
            parameters[name] = int(trial.suggest_int(name, int(low), int(high)))
        else:
            parameters[name] = float(trial.suggest_float(name, low, high, log=log))
    return parameters
