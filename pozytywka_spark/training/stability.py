"""Stability of reasons over time: importances of the same settings fitted on earlier months."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import Prepared
from pozytywka_spark.models.booster import Matrix
from pozytywka_spark.models.names import XGBOOST
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.months import TimeSplit
from pozytywka_spark.training.tuning.folds import Final, Fit, FitAll, FoldResult

SHOWN = 15


@contextmanager
def folds_begun(
    prepared: Prepared, settings: Settings, fit_all: Callable[[Final | None], FitAll]
) -> Iterator[Callable[[Final | None], FitAll]]:
    """`settings` are fitted beside the block on the folds of other months than the final fit's.

    The block gets a `fit_all` that takes their results and fits what is left.
    """
    from threadpoolctl import threadpool_limits

    others = [fold for fold in prepared.folds if _sides(fold) != _sides(prepared.split)]
    # A process obeys the first of its threads that limits linear algebra, until that thread lifts the limit.
    # Were it the folds' thread, whatever is computed beside their end would go on with more threads, and come
    # to other last digits.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(1) as beside:
        future = beside.submit(fit_all(None), [Fit(settings, fold) for fold in others])

        def rest_fitted(final: Final | None) -> FitAll:
            def fit_rest(fits: Sequence[Fit]) -> list[FoldResult]:
                # before the others are waited for
                rest = iter(fit_all(final)([fit for fit in fits if fit.fold not in others]))
                fitted = dict(zip(others, future.result(), strict=True))
                return [fitted[fit.fold] if fit.fold in fitted else next(rest) for fit in fits]

            return fit_rest

        yield rest_fitted


def _sides(fold: TimeSplit) -> tuple[object, object]:
    return fold.train, fold.validation


@contextmanager
def stability_meanwhile(
    model: ServingModel,
    prepared: Prepared,
    explained: Mapping[str, Any],
    settings: Settings,
    fit_all: FitAll,
) -> Iterator[Callable[[], dict[str, Any]]]:
    """`stability` of the model's reasons on the rolling folds, found beside what the block does.

    The block gets a function that waits for it. Empty if the model isn't trees, as the folds' are.
    """
    if model.kind != XGBOOST:
        yield lambda: {"folds": [], "features": []}
        return
    with ThreadPoolExecutor(1) as beside:
        future = beside.submit(
            stability, prepared.folds, prepared.order, explained["strongest"], settings, fit_all
        )
        yield future.result


def stability(
    folds: Sequence[TimeSplit],
    order: Sequence[str],
    strongest: Sequence[Mapping[str, Any]],
    settings: Settings,
    fit_all: FitAll,
) -> dict[str, Any]:
    """Fit `settings` on every fold and compare its importances with the final model's, `strongest`.

    `folds`: months, log loss, trees, and Spearman's rank correlation with the final model's importances
    over all features. `features`: of the final model's strongest, the share of all strength there and the
    lowest and highest share and rank over the folds.
    """
    results = fit_all([Fit(settings, fold) for fold in folds])
    final = _in_order(order, strongest)
    shares = [_shares(np.array(result.strengths)) for result in results]
    ranks = [_ranks(share) for share in shares]
    return {
        "folds": [
            _row(fold, result, rank_correlation(final, share))
            for fold, result, share in zip(folds, results, shares, strict=True)
        ],
        "features": [
            {
                "feature": row["feature"],
                "share": float(_shares(final)[order.index(row["feature"])]),
                **_spread([share[order.index(row["feature"])] for share in shares], "share"),
                **_spread([rank[order.index(row["feature"])] for rank in ranks], "rank"),
            }
            for row in strongest[:SHOWN]
            if results
        ],
    }


def rank_correlation(one: Matrix, other: Matrix) -> float | None:
    """Spearman's, ties at their mean rank; None where a side doesn't vary."""
    from scipy.stats import spearmanr

    if len(set(one.tolist())) < 2 or len(set(other.tolist())) < 2:
        return None
    return float(spearmanr(one, other).statistic)


def _in_order(order: Sequence[str], strongest: Sequence[Mapping[str, Any]]) -> Matrix:
    strength = {row["feature"]: row["strength"] for row in strongest}
    return np.array([strength.get(name, 0.0) for name in order])


def _shares(strength: Matrix) -> Matrix:
    total = strength.sum()
    return np.asarray(strength / total if total > 0 else strength)


def _ranks(share: Matrix) -> Matrix:
    """1 for the strongest; of equals the earlier feature first."""
    ranks = np.empty(len(share))
    ranks[np.argsort(-share, kind="stable")] = np.arange(1, len(share) + 1)
    return ranks


def _spread(values: Sequence[float], name: str) -> dict[str, float]:
    return {f"{name}_low": float(min(values)), f"{name}_high": float(max(values))}


def _row(fold: TimeSplit, result: FoldResult, correlation: float | None) -> dict[str, Any]:
    return {
        "train": [f"{fold.train[0]:%Y-%m}", f"{fold.train[-1]:%Y-%m}"],
        "validation": [f"{fold.validation[0]:%Y-%m}", f"{fold.validation[-1]:%Y-%m}"],
        "log_loss": result.log_loss,
        "trees": result.trees,
        "rank_correlation": correlation,
    }
