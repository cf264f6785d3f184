"""The gate of bandits: whether a challenger takes the champion's place, judged on days neither has seen.

Both are valued on the same decisions, so that what the days were like falls out of their difference. The
challenger is promoted unless the 95% interval of the difference lies below zero (a one-sided test of 2.5%: of
two equal policies the challenger passes in 97.5 of 100 cases), or a check of the evaluation fails for either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pozytywka_spark.bandits.offpolicy.estimates import (
    LOG,
    UNIFORM,
    Evaluation,
    evaluation_of,
    logged,
    valued,
)
from pozytywka_spark.bandits.offpolicy.evaluate import UNIFORM_POLICY
from pozytywka_spark.bandits.offpolicy.refusals import RefusedError, refuse
from pozytywka_spark.bandits.offpolicy.sums import Sums
from pozytywka_spark.bandits.policy import Policy

CHALLENGER, CHAMPION = "challenger", "champion"
ESTIMATOR = "dr"


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
        against, theirs = f"the {LOG}'s own policy", logged(sums).value
        difference = evaluations[CHALLENGER].of(ESTIMATOR, LOG)
    else:
        against, theirs = f"the {CHAMPION}", valued(sums, 2, ESTIMATOR).value
        difference = evaluations[CHALLENGER].of(ESTIMATOR, CHAMPION)
    worse = difference.high < 0
    days = f"{sums.days[0]} to {sums.days[-1]}, {difference.decisions:,} decisions"
    reason = (
        f"on {days}, the {CHALLENGER} brings {difference.value:+.5f} a decision beside {against}'s "
        f"{theirs:.5f} ({difference.low:+.5f} to {difference.high:+.5f}): "
        f"{'worse' if worse else 'not worse'} beyond noise"
    )
    return Verdict(
        not worse and not failed,
        (*failed, reason),
        difference.value,
        difference.low,
        difference.high,
        evaluations,
    )
