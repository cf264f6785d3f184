"""The gate of bandits: whether a challenger takes the champion's place, judged on days neither has seen.

Both are valued on the same decisions, so that what the days were like falls out of their difference. The
challenger is promoted unless the difference lies further below zero than noise would bring it, or a check of
the evaluation fails for either. How far that is, in standard errors: 1.96, of two equal policies the
challenger passes in 97.5 of 100 cases; but where a loss of 2% would pass in more than 5 of 100, so much less
that it doesn't, down to 1.70, at which an equal one still passes in 95.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pozytywka_spark.bandits.offpolicy.estimates import (
    LOG,
    UNIFORM,
    Evaluation,
    against_log,
    compared,
    evaluation_of,
    interval,
    logged,
    standard_error,
    valued,
)
from pozytywka_spark.bandits.offpolicy.evaluate import UNIFORM_POLICY
from pozytywka_spark.bandits.offpolicy.refusals import RefusedError, refuse
from pozytywka_spark.bandits.offpolicy.sums import Sums
from pozytywka_spark.bandits.policy import Policy

CHALLENGER, CHAMPION = "challenger", "champion"
ESTIMATOR = "dr"
LOSS = 0.02  # of the champion's value, that is to be noticed
_NOTICED = 1.645  # standard errors: a loss that lies as far beyond the bound passes in 5 of 100 cases
_BOUNDS = (1.70, 1.96)


@dataclass(frozen=True)
class Verdict:
    """Promote or keep, why in words, and what each was valued at; `difference` of challenger to champion (to
    the log's own policy where there is no champion), with its 95% interval."""

    promote: bool
    reasons: tuple[str, ...]
    difference: float
    low: float
    high: float
    evaluations: Mapping[str, Evaluation]


def weighed(challenger: Policy, champion: Policy | None) -> tuple[Policy, ...]:
    """The policies whose `Sums` `weigh` wants, in this order."""
    return (challenger, UNIFORM_POLICY) if champion is None else (challenger, UNIFORM_POLICY, champion)


def weigh(sums: Sums, challenger: Policy, champion: Policy | None, min_effective: float) -> Verdict:
    """Decide on the holdout's sums of `weighed` policies."""
    contenders = {CHALLENGER: (0, challenger)} | ({CHAMPION: (2, champion)} if champion else {})
    others = {CHALLENGER: [(UNIFORM, 1)] + [(CHAMPION, 2)] * (champion is not None), CHAMPION: [(UNIFORM, 1)]}
    evaluations, failed = {}, []
    for name, (number, policy) in contenders.items():
        assert policy is not None
        evaluations[name] = evaluation_of(sums, number, name, others[name])
        try:
            refuse(sums, number, policy, evaluations[name], min_effective)
        except RefusedError as refused:
            failed.append(str(refused))
    if champion is None:
        against, theirs, difference = f"the {LOG}'s own policy", logged(sums), against_log(sums, 0, ESTIMATOR)
    else:
        against, theirs = f"the {CHAMPION}", valued(sums, 2, ESTIMATOR)
        difference = compared(sums, 0, 2, ESTIMATOR)
    error = standard_error(difference, sums)
    worse = difference.value < -bound(theirs.value, error) * error
    low, high = interval(difference, sums)
    found = f"{difference.value:+.5f} a decision ({low:+.5f} to {high:+.5f})"
    reason = (
        f"{int(sums.of('rounds')):,} decisions of {sums.days[0]} to {sums.days[-1]}: the {CHALLENGER} brings "
        f"{found} beside {against}'s {theirs.value:.5f}, {'worse' if worse else 'not worse'} beyond noise"
    )
    promote = not worse and not failed
    return Verdict(promote, (*failed, reason), difference.value, low, high, evaluations)


def bound(champion: float, error: float) -> float:
    """How many standard errors the challenger may lie below the champion, of that value.

    >>> [round(bound(0.13, share * 0.13), 2) for share in (0.001, 0.0058, 0.02)]
    [1.96, 1.8, 1.7]
    """
    low, high = _BOUNDS
    return min(high, max(low, LOSS * abs(champion) / error - _NOTICED)) if error else high
