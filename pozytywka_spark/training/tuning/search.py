"""Fits on rolling folds as this cluster does them best, and the search for parameters with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import Prepared
from pozytywka_spark.dataset.questions import Asked
from pozytywka_spark.spark.resources import Cluster, Plan, TrialPlan, plan_trials
from pozytywka_spark.tracking.store import Tracking
from pozytywka_spark.training import log_training
from pozytywka_spark.training.tuning.folds import Final, FitAll, fit_folds
from pozytywka_spark.training.tuning.tune import Tuned, study_name, tune


@dataclass(frozen=True)
class FoldFits:
    """`plain` gives losses only, `explained` importances too; `plan` says how they are done.

    `explained` is given the final fit, if it grew on the training table, so that none does so twice.
    """

    plain: FitAll
    explained: Callable[[Final | None], FitAll]
    plan: TrialPlan


def fold_fits(asked: Asked, prepared: Prepared, plan: Plan, cluster: Cluster, settings: Settings) -> FoldFits:
    """A way to fit on folds, side by side, each with as many threads as the final fit of `plan` has."""
    planned = plan_trials(plan.threads, cluster, settings.tuning.parallel)
    order, counts = prepared.order, prepared.counts

    def explained(final: Final | None) -> FitAll:
        return fit_folds(asked, order, counts, planned.threads, explain=True, final=final)

    return FoldFits(fit_folds(asked, order, counts, planned.threads, explain=False), explained, planned)


def search(
    tracking: Tracking, parent: str, prepared: Prepared, settings: Settings, fits: FoldFits
) -> Tuned | None:
    """The best parameters, trials logged as child runs of `parent`; None if tuning is off."""
    if not settings.tuning.enabled:
        return None
    trials = log_training.TrialLog(tracking, parent)
    return tune(
        settings,
        prepared.folds,
        fits.plain,
        name=study_name(settings, prepared.untuned, fits.plan.parallel),
        parallel=fits.plan.parallel,
        reason=fits.plan.reason,
        told=trials.log,
    )
