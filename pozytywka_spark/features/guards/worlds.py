"""The worlds in which features are built again: the past as it was, and another future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pozytywka_spark.months import months_between, next_month, number_of

How = Literal["deleted", "scrambled"]
FUTURE_DAYS = 100  # an invented future lies within so many days after the cut-off
LOOK_BACK = 12  # months before the cut-off, whose events an invented future is made of
FEW = 3  # months built, up to which a cut-off is set after each


@dataclass(frozen=True, order=True)
class World:
    """All as it was up to the end of `month`, the cut-off; from then on nothing, or an invented future."""

    month: date
    how: How

    @property
    def name(self) -> str:
        """Such as `2023-03 deleted`: the key of all that is put down for it."""
        return f"{self.month:%Y-%m} {self.how}"

    @property
    def cut_off(self) -> date:
        """The first day of what is no longer as it was."""
        return next_month(self.month)

    @property
    def months(self) -> tuple[date, ...]:
        """The months of the invented future."""
        return future_months(self.month) if self.how == "scrambled" else ()

    def knows(self, month: date) -> bool:
        """Whether the month is of the past, which is as it was."""
        return month < self.cut_off

    def looks_back_to(self, month: date) -> bool:
        """Whether the month's events are among those that the invented future is made of."""
        months_ago = number_of(self.cut_off) - number_of(month)
        return self.how == "scrambled" and 0 < months_ago <= LOOK_BACK


def future_months(month: date) -> tuple[date, ...]:
    """The months in which an invented future after `month` lies."""
    cut_off = next_month(month)
    return tuple(months_between(cut_off, cut_off + timedelta(days=FUTURE_DAYS)))


def pick_month(built: Sequence[date], seed: int) -> date:
    """The month whose future is taken away: any but the last one, whose future isn't there yet."""
    candidates = built[:-1] or built
    return candidates[seed % len(candidates)]


def worlds_of(built: Sequence[date], latest: date, seed: int) -> tuple[World, ...]:
    """The worlds to try a build of these months in, in order of their cut-offs.

    After each of a few months; else after one that the seed chooses and after the last. Of `latest` is the
    last event or purchase that the build is given: where nothing lies after a cut-off, there is nothing to
    delete.
    """
    ends = list(built) if len(built) <= FEW else sorted({pick_month(built, seed), built[-1]})
    deleted = [World(month, "deleted") for month in ends if latest > month]
    scrambled = [World(month, "scrambled") for month in ends]
    return tuple(sorted((*deleted, *scrambled)))
