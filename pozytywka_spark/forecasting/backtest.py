"""Rolling origins: what each model would have said at each of them, knowing only what came before."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pozytywka_spark.forecasting.models.model import Model
from pozytywka_spark.forecasting.past import Past, Values, naive_error
from pozytywka_spark.forecasting.whole import Whole


@dataclass(frozen=True)
class Proposals:
    """What models say of a series: `means[model]` has a row an origin (the last is the forecast's own), a column
    a step ahead; NaN where the model doesn't suit that past. `scales` has the seasonal naive's error an origin."""

    origins: tuple[int, ...]
    scales: Values
    actual: Values
    means: dict[str, Values]
    failures: list[tuple[str, str]] = field(default_factory=list)


def origins_of(length: int, horizon: int, season: int, wanted: int) -> tuple[int, ...]:
    """The backtest's origins, earliest first, as numbers of steps seen.

    A horizon apart where the history allows, so that no error counts twice; closer where it is short: the
    earliest sees two seasons if that leaves room for a horizon, else one season and half of the history.
    """
    last = length - min(horizon, max(1, length // 4))
    least = max(2, min(2 * season + 1, max(season + 1, length // 2)))
    if last < least:
        return ()
    apart = max(1, min(horizon, (last - least) // max(1, wanted - 1)))
    return tuple(sorted({last - apart * back for back in range(wanted) if last - apart * back >= least}))


def propose(whole: Whole, models: Mapping[str, Model], wanted: int, seconds: float) -> Proposals:
    """Every model at every origin of the backtest and at the forecast's; a failure costs that model alone."""
    length = whole.length
    backtest = origins_of(length, whole.horizon, whole.seasons[0], wanted)
    pasts = [whole.before(origin) for origin in (*backtest, length)]
    actual = np.array([whole.after(origin) for origin in (*backtest, length)])
    proposals = Proposals((*backtest, length), np.array([naive_error(past) for past in pasts]), actual, {})
    for name, model in models.items():
        means, reason = _carried(model, pasts, seconds)
        if reason:
            proposals.failures.append((name, reason))
        if np.isfinite(means).any():
            proposals.means[name] = means
    return proposals


def _carried(model: Model, pasts: Sequence[Past], seconds: float) -> tuple[Values, str]:
    """Means a past; why it failed, or an empty text. A model that fails at the forecast's origin says nothing."""
    means = np.full((len(pasts), pasts[-1].horizon), np.nan)
    try:
        with _at_most(seconds), np.errstate(all="ignore"):
            begun: Any = None
            for row, past in enumerate(pasts):
                if not model.suits(past):
                    continue
                begun = model.begin(past) if begun is None else begun
                means[row] = model.ahead(begun, past)
    except Exception as error:  # whatever a library raises costs this model of this series, and is counted
        return np.full_like(means, np.nan), f"{type(error).__name__}: {error}"[:200]
    if np.isinf(means).any() or np.isnan(means[-1]).any() and np.isfinite(means).any():
        return np.full_like(means, np.nan), "not finite"
    return means, ""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` after so long; without a limit outside a process's main thread, where none can be set."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise TimeoutError(f"took over {seconds:g} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
