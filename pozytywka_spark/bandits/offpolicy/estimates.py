"""From sums over users to values with 95% intervals, clustered by user.

With w the policy's probability of the chosen arm over the log's, r the reward, N decisions:

    ips    Σ w r / N
    snips  Σ w r / Σ w                            (Hájek 1971; Swaminathan, Joachims 2015)
    dr     snips + α (Σ w / N - 1) + β Σ (Σ_a π(a) q(a) - w q(chosen)) / N
                                                  (doubly robust: Dudík, Langford, Li 2011)

What α and β stand before has mean 0 whatever the reward model q, for q was fitted on other users: they are
those that make the variance least (a regression estimator: Owen, Zhou 2000; Cao, Tsiatis, Davidian 2009), so
that q helps as far as it is right and never widens an interval. β = 1, with an α that makes ips of snips, is
the textbook's. Of a difference to another policy they are chosen for the difference, with both policies' q.
A value's variance is that of its influence, added up by user, times U/(U - 1); the interval is Student's with
U - 1 degrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pozytywka_spark.bandits.offpolicy.blocks import Floats
from pozytywka_spark.bandits.offpolicy.sums import STREAMS, Sums

ESTIMATORS = ("ips", "snips", "dr")
LOG, UNIFORM = "log", "uniform"  # what a policy is compared with
NOTE = (
    "Single decisions are valued, each at the state that the log found: what a policy would change in later "
    "states (whom it has shown what, and when) is not in it."
)


@dataclass(frozen=True)
class Estimate:
    """A value, or with `against` (log, uniform or a policy) the difference to that one's, and its interval.

    `effective_sample`: (Σw)²/Σw², in decisions (Kish); `largest_weight_share`: of all weight, one decision's.
    """

    policy: str
    estimator: str
    value: float
    low: float
    high: float
    effective_sample: float
    largest_weight_share: float
    mean_weight: float
    decisions: int
    against: str = ""


@dataclass(frozen=True)
class StreamValue:
    """The mean reward of the decisions of a stream; those of `explore` are a uniform policy's, unbiased."""

    stream: str
    decisions: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """What a policy would have brought on logged days [first_day, last_day]; `note` says what that means.

    `by_day`: day, stream, decisions, reward: what the log itself brought.
    """

    policy: str
    first_day: date
    last_day: date
    estimates: tuple[Estimate, ...]
    streams: tuple[StreamValue, ...] = ()
    by_day: tuple[tuple[date, str, int, float], ...] = ()
    note: str = NOTE

    def of(self, estimator: str, against: str = "") -> Estimate:
        """One of the estimates."""
        return next(e for e in self.estimates if (e.estimator, e.against) == (estimator, against))


@dataclass(frozen=True)
class Linear:
    """A value, and what each user's components add to its error: `influence` times z."""

    value: float
    influence: Floats

    def minus(self, other: Linear) -> Linear:
        """The difference of two values on the same decisions."""
        return Linear(self.value - other.value, self.influence - other.influence)


def standard_error(linear: Linear, sums: Sums) -> float:
    """Clustered by user; infinite of one user."""
    if sums.users < 2:
        return math.inf
    variance = float(linear.influence @ sums.cross @ linear.influence) * sums.users / (sums.users - 1)
    return math.sqrt(max(variance, 0.0))


def logged(sums: Sums) -> Linear:
    """What the log's own policy brought: the mean reward."""
    return ratio(sums, unit(sums, "reward"), "rounds")


def valued(sums: Sums, number: int, estimator: str) -> Linear:
    """What policy `number` of the sums would have brought."""
    plain = _plain(sums, number, estimator)
    return plain if estimator != "dr" else adjusted(sums, plain, _controls(sums, number))


def against_log(sums: Sums, number: int, estimator: str) -> Linear:
    """The difference to what the log's own policy brought."""
    plain = _plain(sums, number, estimator).minus(logged(sums))
    return plain if estimator != "dr" else adjusted(sums, plain, _controls(sums, number))


def compared(sums: Sums, number: int, other: int, estimator: str) -> Linear:
    """The difference of policy `number` to policy `other`, paired: on the same decisions."""
    plain = _plain(sums, number, estimator).minus(_plain(sums, other, estimator))
    if estimator != "dr":
        return plain
    return adjusted(sums, plain, _controls(sums, number) + _controls(sums, other))


def adjusted(sums: Sums, plain: Linear, controls: Sequence[Linear]) -> Linear:
    """A value less that multiple of controls, whose expectation is 0, which leaves the least variance."""
    rows = np.array([each.influence for each in (plain, *controls)])
    if not np.isfinite(rows).all():  # no decision has any weight
        return plain
    covariance = rows @ sums.cross @ rows.T
    factors = np.linalg.pinv(covariance[1:, 1:], rcond=1e-10, hermitian=True) @ covariance[1:, 0]
    values = np.array([each.value for each in controls])
    return Linear(plain.value - float(factors @ values), plain.influence - factors @ rows[1:])


def _plain(sums: Sums, number: int, estimator: str) -> Linear:
    """Without controls: ips, or snips, which dr starts from."""
    below = "rounds" if estimator == "ips" else f"weight:{number}"
    return ratio(sums, unit(sums, f"weighted:{number}"), below)


def _controls(sums: Sums, number: int) -> list[Linear]:
    """The mean weight less 1, and how far the reward model's mean is off what weights make of it."""
    weight = ratio(sums, unit(sums, f"weight:{number}"), "rounds")
    gap = ratio(sums, unit(sums, f"gap:{number}"), "rounds")
    return [Linear(weight.value - 1.0, weight.influence), gap]


def estimates_of(sums: Sums, number: int, name: str, others: Sequence[tuple[str, int]]) -> list[Estimate]:
    """Values of a policy by each estimator, and differences to the log and to `others` (name, number)."""
    found = []
    for estimator in ESTIMATORS:
        mine = valued(sums, number, estimator)
        found.append(_estimate(sums, number, name, estimator, mine, ""))
        found.append(_estimate(sums, number, name, estimator, against_log(sums, number, estimator), LOG))
        for other, place in others:
            difference = compared(sums, number, place, estimator)
            found.append(_estimate(sums, number, name, estimator, difference, other))
    return found


def evaluation_of(sums: Sums, number: int, name: str, others: Sequence[tuple[str, int]]) -> Evaluation:
    """All that sums say of policy `number`; see `refuse` for whether that may be believed."""
    by_day = tuple(
        (date.fromisoformat(key.partition(" ")[0]), key.partition(" ")[2], rounds, reward)
        for key, (rounds, reward) in sorted(sums.by_day.items())
    )
    streams = tuple(_stream(sums, stream) for stream in STREAMS if sums.of(f"{stream}_rounds"))
    return Evaluation(
        name, sums.days[0], sums.days[-1], tuple(estimates_of(sums, number, name, others)), streams, by_day
    )


def unit(sums: Sums, name: str) -> Floats:
    """Picks one component of z."""
    unit = np.zeros(len(sums.names))
    unit[sums.place(name)] = 1.0
    return unit


def ratio(sums: Sums, above: Floats, below: str) -> Linear:
    """Of two sums, the lower one of a component; its influence is that of the delta method."""
    total = sums.of(below)
    value = float(above @ sums.total) / total if total else math.nan
    return Linear(value, (above - value * unit(sums, below)) / (total or math.nan))


def interval(linear: Linear, sums: Sums) -> tuple[float, float]:
    """The 95% interval."""
    from scipy.special import stdtrit  # Student's quantiles; scipy.stats takes a second to load

    reach = float(stdtrit(max(sums.users - 1, 1), 0.975)) * standard_error(linear, sums)
    return linear.value - reach, linear.value + reach


def _estimate(sums: Sums, number: int, name: str, estimator: str, linear: Linear, against: str) -> Estimate:
    weight, squares, largest = sums.of(f"weight:{number}"), sums.squares[number], sums.largest[number]
    low, high = interval(linear, sums)
    return Estimate(
        name, estimator, linear.value, low, high,
        effective_sample=float(weight**2 / squares) if squares else 0.0,
        largest_weight_share=float(largest / weight) if weight else 0.0,
        mean_weight=weight / sums.of("rounds"),
        decisions=int(sums.of("rounds")),
        against=against,
    )  # fmt: skip


def _stream(sums: Sums, stream: str) -> StreamValue:
    mean = ratio(sums, unit(sums, f"{stream}_reward"), f"{stream}_rounds")
    return StreamValue(stream, int(sums.of(f"{stream}_rounds")), mean.value, *interval(mean, sums))
