"""Decides from a policy's JSON alone, in plain Python: what a server calls, and the truth of a policy.

    policy = load_policy("premium_prompt.json")
    decision = decide(
        policy, user_id=7, group="warsaw", eligible=["trial", "offline"], days_since={"trial": 2.5}, key="s-1"
    )

Of a softmax (Yancey and Settles, KDD 2020) each arm has the weight exp((score - gamma * 0.5^(days / half
life)) / temperature), days since the user was last shown it; of a table its probability; of a uniform policy
1. A share `explore` of decisions is drawn uniformly from the eligible arms (stream `explore`), the rest by
weight (stream `policy`). Both are drawn from the SHA-256 of salt, slot, user and key, a line each: its first
eight bytes (big-endian, the upper 53 bits) say which stream, the next eight which arm. Weights are summed and
drawn from in the order of the policy's arms, so that the order of `eligible` changes nothing. The same
question has the same answer, here and in Spark (`plan_work`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from math import exp
from pathlib import Path
from typing import NamedTuple

from pozytywka_spark.bandits.policy import SOFTMAX, UNIFORM, Policy, read_policy
from pozytywka_spark.errors import DataError

EXPLORE, POLICY = "explore", "policy"
BITS = 53  # of a 64-bit number that a float holds whole
DaysSince = Mapping[str, float | None]


class Decision(NamedTuple):
    """What was decided. `probability`: of the arm; `probabilities`: by arm, in the order of `eligible`; both
    are those of the mixture with the uniform share, whatever the stream."""

    arm: str
    probability: float
    probabilities: dict[str, float]
    stream: str


def load_policy(path: str | Path) -> Policy:
    """The policy of a file that `bandits export` wrote. Raises `DataError` if it isn't one."""
    return read_policy(path)


def decide(
    policy: Policy,
    *,
    user_id: int | str,
    group: str | None,
    eligible: Sequence[str] | None = None,
    days_since: DaysSince | None = None,
    key: str,
) -> Decision:
    """One of the eligible arms (none given: all of the policy) for a user.

    `days_since`: days since the user was last shown an arm, with fractions; absent or None: never.
    `key`: what tells this decision from the user's others, such as a session or a day.
    Raises `DataError` if no arm is eligible, the policy doesn't know one, or days are negative.
    """
    arms = _in_order(policy, eligible)
    weights = _weights(policy, group, arms, days_since)
    total = 0.0
    for weight in weights:
        total += weight
    by_arm = _mixture(policy, arms, weights, total)
    digest = sha256(f"{policy.salt}\n{policy.slot}\n{user_id}\n{key}".encode()).digest()
    which_stream = (int.from_bytes(digest[:8], "big") >> 64 - BITS) / 2**BITS
    which_arm = (int.from_bytes(digest[8:16], "big") >> 64 - BITS) / 2**BITS
    if which_stream < policy.explore:
        stream = EXPLORE
        arm = arms[int(which_arm * len(arms))]
    else:
        stream = POLICY
        arm = _drawn(arms, weights, which_arm * total)
    return Decision(arm, by_arm[arm], _as_asked(by_arm, eligible), stream)


def probabilities(
    policy: Policy,
    *,
    group: str | None,
    eligible: Sequence[str] | None = None,
    days_since: DaysSince | None = None,
) -> dict[str, float]:
    """With which probability `decide` chooses each eligible arm; in the order of `eligible`."""
    arms = _in_order(policy, eligible)
    weights = _weights(policy, group, arms, days_since)
    total = 0.0
    for weight in weights:
        total += weight
    return _as_asked(_mixture(policy, arms, weights, total), eligible)


def _in_order(policy: Policy, eligible: Sequence[str] | None) -> Sequence[str]:
    """The eligible arms in the order of the policy's."""
    if eligible is None:
        eligible = policy.arms
    if not eligible:
        raise DataError(
            f"slot {policy.slot or '-'}: no arm is eligible; expected one at least (`none` is one)"
        )
    if not policy.arms:  # a uniform policy of no arms in particular
        arms = sorted(eligible)
    else:
        try:
            arms = sorted(eligible, key=policy.places.__getitem__)
        except KeyError as error:
            raise DataError(
                f"slot {policy.slot or '-'}: the policy doesn't know the arm {error.args[0]!r}; "
                f"expected some of {', '.join(policy.arms[:20])}"
            ) from None
    if len(set(arms)) != len(arms):
        raise DataError(f"slot {policy.slot or '-'}: an arm is eligible twice; expected each once")
    return arms


def _weights(
    policy: Policy, group: str | None, arms: Sequence[str], days_since: DaysSince | None
) -> list[float]:
    """What the arms are drawn by, none negative; if all of a table's are 0, each 1."""
    if policy.kind == UNIFORM:
        return [1.0] * len(arms)
    values = policy.of_group(group)
    if policy.kind != SOFTMAX:
        weights = [values[arm] for arm in arms]
        return weights if any(weights) else [1.0] * len(arms)
    exponents = [values[arm] for arm in arms]
    if days_since and policy.gamma:
        gamma, half_life = policy.gamma, policy.half_life_days
        for place, arm in enumerate(arms):
            days = days_since.get(arm)
            if days is not None:
                if not days >= 0.0:
                    raise DataError(f"arm {arm}: {days} days since it was shown; expected 0 or more, or none")
                exponents[place] -= gamma * 0.5 ** (days / half_life)
    highest, temperature = max(exponents), policy.temperature
    return [exp((exponent - highest) / temperature) for exponent in exponents]


def _mixture(policy: Policy, arms: Sequence[str], weights: list[float], total: float) -> dict[str, float]:
    """Probabilities by arm: the policy's share by weight, the rest uniform."""
    uniform = policy.explore / len(arms)
    share = 1.0 - policy.explore
    return {arm: uniform + share * (weight / total) for arm, weight in zip(arms, weights, strict=True)}


def _drawn(arms: Sequence[str], weights: list[float], below: float) -> str:
    """The first arm with which the weights so far exceed `below`, which is less than their sum."""
    so_far = 0.0
    for arm, weight in zip(arms, weights, strict=True):
        so_far += weight
        if below < so_far:
            return arm
    return arms[-1]


def _as_asked(by_arm: dict[str, float], eligible: Sequence[str] | None) -> dict[str, float]:
    return by_arm if eligible is None else {arm: by_arm[arm] for arm in eligible}
