"""With which probability a policy would choose each eligible arm: `decide.probabilities` of many rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pozytywka_spark.bandits.offpolicy.blocks import Block, Floats, Names
from pozytywka_spark.bandits.policy import SOFTMAX, UNIFORM, Policy
from pozytywka_spark.errors import DataError


class Target:
    """A policy beside the names of a log. Raises `DataError` as `decide` does, for a group without values.

    Arms that the policy doesn't know are out of its choice: it would have been asked without them.
    """

    def __init__(self, policy: Policy, names: Names) -> None:
        self._policy = policy
        self._arms = len(names.arms)
        self._knows = np.array([not policy.arms or arm in policy.places for arm in names.arms], np.bool_)
        self._values = np.zeros(0)
        if policy.kind != UNIFORM:
            of_groups = [policy.of_group(group) for group in names.groups]
            self._values = np.array(
                [[values.get(arm, 0.0) for arm in names.arms] for values in of_groups], np.float64
            ).ravel()

    def probabilities(self, block: Block) -> Floats:
        """Of each decision's eligible arms, in their order; each decision's add up to 1."""
        known = np.ones((1, 1), np.bool_) if self._knows.all() else self._knows[block.arms]
        count = known.sum(axis=1, keepdims=True) if len(known) > 1 else np.array([[block.arms.shape[1]]])
        if not count.all():
            raise DataError(
                f"slot {self._policy.slot or '-'}: a decision has no arm that the policy knows; "
                "expected a log of the slot that the policy is for"
            )
        uniform: Floats = np.broadcast_to(known / count, block.arms.shape)
        if self._policy.kind == UNIFORM:
            return uniform
        weights = self._weights(block, known)
        total = weights.sum(axis=1, keepdims=True)
        nothing = total == 0.0  # a table has none of these arms: uniform
        weights /= np.where(nothing, 1.0, total)
        weights *= 1.0 - self._policy.explore
        weights += self._policy.explore * uniform
        return np.where(nothing, uniform, weights) if nothing.any() else weights

    def _weights(self, block: Block, known: npt.NDArray[np.bool_]) -> Floats:
        policy = self._policy
        values = self._values[block.group[:, None].astype(np.intp) * self._arms + block.arms]
        if policy.kind != SOFTMAX:
            return np.where(known, values, 0.0)
        if policy.gamma:
            values -= policy.gamma * np.exp2(block.days / -policy.half_life_days)
        if not known.all():
            values = np.where(known, values, -np.inf)
        values -= values.max(axis=1, keepdims=True)
        values /= policy.temperature
        weights: Floats = np.exp(values, out=values)
        return weights
