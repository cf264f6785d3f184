"""Why a log can't say what a policy would have brought: one class of error each, naming the figure."""

from __future__ import annotations

import math
from datetime import date

from pozytywka_spark.bandits.offpolicy.estimates import Evaluation, ratio, standard_error, unit
from pozytywka_spark.bandits.offpolicy.sums import Sums
from pozytywka_spark.bandits.policy import Policy
from pozytywka_spark.errors import PozytywkaError

LARGEST_SHARE = 0.05  # of all weight, of one decision
STANDARD_ERRORS = 4.0  # of the mean weight, which is 1 if the log's probabilities are true
NEVER_LOGGED_SHARE = 0.01  # of the policy's decisions, on arms that the log never chose
_ROUNDING = 1e-9


class RefusedError(PozytywkaError):
    """The log can't say it. `evaluation` has the figures all the same, for whoever wants to see why."""

    def __init__(self, words: str, evaluation: Evaluation) -> None:
        super().__init__(words)
        self.evaluation = evaluation


class LearntFromThemError(RefusedError):
    """The policy has learnt from days that it would be judged by."""


class NeverLoggedError(RefusedError):
    """The policy chooses arms that the log never chose."""


class TooFewEffectiveError(RefusedError):
    """Weights are so uneven that the log is worth but few decisions."""


class OneDecisionRulesError(RefusedError):
    """One decision has more of the weight than one may have."""


class MeanWeightOffError(RefusedError):
    """Weights don't have the mean 1, so the log's probabilities aren't those by which it was chosen."""


def refuse(sums: Sums, number: int, policy: Policy, evaluation: Evaluation, min_effective: float) -> None:
    """Raise the first reason why the evaluation can't be believed, if there is one."""
    name, ips = evaluation.policy, evaluation.of("ips")
    if policy.trained_days is not None:
        first, last = (date.fromisoformat(day[:10]) for day in policy.trained_days)
        seen = [day for day in sums.days if first <= day <= last]
        if seen:
            raise LearntFromThemError(
                f"policy {name} learnt from {first} to {last}, of which {len(seen)} are among the days "
                f"{sums.days[0]} to {sums.days[-1]}: evaluate it on days that it hasn't seen",
                evaluation,
            )
    unknown = {arm: mass for arm, mass in sums.mass[number].items() if mass > 0 and not sums.chosen.get(arm)}
    share = math.fsum(unknown.values()) / ips.decisions
    if share > NEVER_LOGGED_SHARE:
        arm = max(sorted(unknown), key=unknown.__getitem__)
        raise NeverLoggedError(
            f"policy {name} gives {share:.1%} of its decisions to arms that the log never chose, such as "
            f"{arm} ({NEVER_LOGGED_SHARE:.0%} at most): nothing is known of what they bring",
            evaluation,
        )
    if not ips.effective_sample >= min_effective:
        raise TooFewEffectiveError(
            f"policy {name}: effective sample {ips.effective_sample:,.0f} of {ips.decisions:,} decisions "
            f"(bandits.min_effective is {min_effective:,.0f}): judge on more days (bandits.holdout_days), "
            "log more, or explore more",
            evaluation,
        )
    if ips.largest_weight_share > LARGEST_SHARE:
        raise OneDecisionRulesError(
            f"policy {name}: one decision has {ips.largest_weight_share:.1%} of all weight "
            f"({LARGEST_SHARE:.0%} at most): log more days, or explore more",
            evaluation,
        )
    weight = ratio(sums, unit(sums, f"weight:{number}"), "rounds")
    error = standard_error(weight, sums)
    off = abs(weight.value - (1.0 - share))  # arms that were never chosen have no weight
    if off > STANDARD_ERRORS * error + _ROUNDING:
        raise MeanWeightOffError(
            f"policy {name}: weights have the mean {weight.value:.4f}, {off / (error or _ROUNDING):,.1f} "
            f"standard errors off 1 ({STANDARD_ERRORS:.0f} at most): the log's probabilities are "
            "not those by which it chose",
            evaluation,
        )
