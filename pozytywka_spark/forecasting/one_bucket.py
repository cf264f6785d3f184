"""A bucket of series: frame in, forecasts and errors out. A Spark task runs it, and it imports no Spark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial

import polars as pl

from pozytywka_spark.forecasting import rows
from pozytywka_spark.forecasting.backtest import Proposals, attempt, can_be_learnt, propose, questions
from pozytywka_spark.forecasting.coherent import add_up
from pozytywka_spark.forecasting.concluded import Concluded, conclude
from pozytywka_spark.forecasting.models.cohorts import cohort_means
from pozytywka_spark.forecasting.models.trees import tree_means
from pozytywka_spark.forecasting.past import Past, Values
from pozytywka_spark.forecasting.registry import models_of
from pozytywka_spark.forecasting.spec import Outcome, Spec
from pozytywka_spark.forecasting.whole import Whole, whole_of

Pasts = dict[str, list[Past]]


def forecast_bucket(frame: pl.DataFrame, spec: Spec, coherent: bool = False) -> Outcome:
    """Forecast every series of `frame`: series, day (date or datetime), value; sorted by series and day.

    A bucket had best be all series of a measure: trees learn from them together, and intervals pool their
    errors. Weights and all other models look at each series alone. Series without any value are forecast as
    0. `coherent` makes means add up where names say so (`coherent.add_up`).
    """
    import scipy.linalg  # noqa: F401 before the limit, which holds for libraries that are loaded
    from threadpoolctl import threadpool_limits

    # states of a filter are matrices of ten rows: threads would spin for ten times what one takes
    with threadpool_limits(1, user_api="blas"):
        concluded = forecast_series(frame, spec)
        if coherent:
            concluded = add_up(concluded, spec)
        return rows.outcome(concluded, frame, spec)


def forecast_series(frame: pl.DataFrame, spec: Spec) -> Concluded:
    """The same as arrays, for whoever goes on with them; without the series that have no value."""
    models = models_of(spec)
    wholes: dict[str, Whole] = {}
    proposals: dict[str, Proposals] = {}
    for name, series in frame.partition_by("series", as_dict=True, maintain_order=True).items():
        whole = whole_of(series, spec)
        if whole is not None:
            key = str(name[0])
            wholes[key] = whole
            proposals[key], pasts = questions(whole, spec.origins)
            propose(proposals[key], pasts, models, spec.model_seconds)
    propose_of_all(wholes, proposals, spec)
    return conclude(wholes, proposals, spec)


def propose_of_all(wholes: Mapping[str, Whole], proposals: Mapping[str, Proposals], spec: Spec) -> None:
    """Ask models that learn from all series whose origins are the same times: none sees another's future."""
    asked: dict[str, Callable[[Pasts], dict[str, Values]]] = {
        "cohorts": cohort_means,
        "trees": partial(tree_means, seed=spec.seed),
    }
    alike: dict[tuple[int, ...], Pasts] = defaultdict(dict)
    for name, whole in wholes.items():
        origins = proposals[name].origins
        pasts = whole.pasts(origins)
        if can_be_learnt(pasts[0]):
            alike[tuple(int(whole.steps[origin]) for origin in origins)][name] = pasts
    for model in [name for name in asked if name in spec.models]:
        for pasts_of in alike.values():
            said = attempt(partial(asked[model], pasts_of), spec.model_seconds * len(pasts_of))
            for name in pasts_of:
                proposals[name].take(model, said if isinstance(said, str) else said[name])
