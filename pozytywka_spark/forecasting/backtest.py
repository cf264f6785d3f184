"""Rolling origins: what each model would have said at each of them, knowing only what came before."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np

from pozytywka_spark.forecasting.models.model import Model
from pozytywka_spark.forecasting.models.naive import FEWEST, PLAIN
from pozytywka_spark.forecasting.past import Past, Values, naive_error
from pozytywka_spark.forecasting.whole import Whole


@dataclass(frozen=True)
class Proposals:
    """What models say of a series, a row an origin: those of the backtest, earliest first, then the
    forecast's own.

    `means[model]` and `actual` have a column a step ahead; NaN where the model doesn't suit that past, or
    nothing came. `scales` is the seasonal naive's error before each origin, `lowest` the lowest value.
    """

    origins: tuple[int, ...]
    scales: Values
    lowest: Values
    actual: Values
    means: dict[str, Values] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def take(self, model: str, said: Values | str) -> None:
        """Take a model's means, or why there are none; means that aren't numbers cost the model too.

        That it doesn't suit a past, be it a later one than it began with, is no failure: it is silent there.
        """
        if isinstance(said, str):
            self.failures.append((model, said))
            return
        spoke = np.asarray(np.isfinite(said).any(axis=1))
        if np.isinf(said).any() or not np.isfinite(said[spoke]).all():
            self.failures.append((model, "its means aren't numbers"))
        elif spoke.any():
            self.means[model] = said


T = TypeVar("T")
WAITING = 10.0
LONGEST = 1e8  # seconds: timers refuse ten times as much


def attempt(work: Callable[[], T], seconds: float) -> T | str:
    """What `work` returns, or why it didn't: it failed, or took longer."""
    try:
        with at_most(seconds), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()
    except Exception as error:  # whatever a library raises costs one model, never the bucket
        return f"{type(error).__name__}: {error}"[:200]


def origins_of(length: int, horizon: int, season: int, wanted: int) -> tuple[int, ...]:
    """The backtest's origins, earliest first, as numbers of steps seen.

    A horizon apart where the history allows, so that no error counts twice; closer where it is short. The
    earliest sees two seasons if that leaves room for a horizon, else one season and half of the history.
    """
    season = season if length > season + 1 else 1
    least = max(2, min(2 * season + 1, max(season + 1, length // 2)))
    last = max(least, length - min(horizon, max(1, length // 4)))
    if last >= length:
        return ()
    apart = max(1, min(horizon, (last - least) // max(1, wanted - 1)))
    return tuple(last - apart * back for back in range(wanted - 1, -1, -1) if last - apart * back >= least)


def questions(whole: Whole, wanted: int) -> tuple[Proposals, list[Past]]:
    """The origins, what came after each and what was seen before it; no model has spoken yet."""
    origins = (*origins_of(whole.length, whole.horizon, whole.seasons[0], wanted), whole.length)
    pasts = whole.pasts(origins)
    proposals = Proposals(
        origins,
        scales=np.array([naive_error(past) for past in pasts]),
        lowest=np.array([past.values.min() for past in pasts]),
        actual=np.array([whole.after(origin) for origin in origins]),
    )
    return proposals, pasts


def propose(proposals: Proposals, pasts: Sequence[Past], models: Mapping[str, Model], seconds: float) -> None:
    """Ask every model at every origin; constants and the shortest are asked of plain ones alone."""
    for name, model in models.items():
        asked = [name in PLAIN or can_be_learnt(past) for past in pasts]
        proposals.take(name, attempt(partial(_carried, model, pasts, asked), seconds))


def can_be_learnt(past: Past) -> bool:
    """Whether there is anything to fit: some values, not all the same."""
    return len(past.values) >= FEWEST and bool(np.ptp(past.values) > 0)


def _carried(model: Model, pasts: Sequence[Past], asked: Sequence[bool]) -> Values:
    """Begun at the earliest past that suits the model, carried to the later ones."""
    means = np.full((len(pasts), pasts[-1].horizon), np.nan)
    begun: tuple[Any] | None = None
    for row, past in enumerate(pasts):
        if asked[row] and model.suits(past):
            begun = begun or (model.begin(past),)
            means[row] = model.ahead(begun[0], past)
    return means


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` after so long at work; never outside a main thread, where no timer can be set.

    The processor's time counts, so that a busy machine takes no model away; `WAITING` times as long by the
    clock ends what hangs without working.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise TimeoutError(f"took over {seconds:g} s")

    timers = (
        (signal.SIGPROF, signal.ITIMER_PROF, seconds),
        (signal.SIGALRM, signal.ITIMER_REAL, WAITING * seconds),
    )
    before = [signal.signal(number, end) for number, *_ in timers]
    for _, timer, least in timers:
        signal.setitimer(timer, min(max(least, 0.001), LONGEST))
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)
