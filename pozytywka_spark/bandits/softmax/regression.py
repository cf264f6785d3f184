"""The regression of what was compared on effects and γ, with effects of a group drawn around those of arms.

    e_g ~ N(θ, groups²),    θ ~ N(0, arms²),    γ ~ N(mean, spread²)

Given θ and γ the groups have nothing to do with each other: they are eliminated one by one, so that the work
grows with groups as with data, not with their cube.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.bandits.softmax.cells import Floats, divided
from pozytywka_spark.bandits.softmax.compared import CENTRES, Compared


@dataclass(frozen=True)
class Prior:
    """Spreads of effects, and of γ its mean and spread."""

    arms: float
    groups: float
    gamma: float
    gamma_spread: float


@dataclass(frozen=True)
class Posterior:
    """`effects` by group and arm, `covariances` by group; `shared`: θ, then γ, with its covariance.

    `evidence`: the logarithm of how likely the data are, but for a constant of theirs.
    """

    effects: Floats
    covariances: Floats
    shared: Floats
    shared_covariance: Floats
    evidence: float


@dataclass(frozen=True)
class NormalEquations:
    """By group: `blocks` (arm × arm), `right` and `with_gamma` (arm). Of γ: `gamma` and `gamma_right`."""

    blocks: Floats
    right: Floats
    with_gamma: Floats
    gamma: float
    gamma_right: float

    def posterior(self, prior: Prior) -> Posterior:
        """Exact, as all is linear and normal."""
        groups, arms = self.right.shape
        own, shared = prior.groups**2, prior.arms**2
        inner = self.blocks + np.eye(arms) / own
        inverse = np.linalg.inv(inner)
        # of each group to θ and γ
        links = np.concatenate(
            [np.broadcast_to(-np.eye(arms) / own, (groups, arms, arms)), self.with_gamma[:, :, None]], axis=2
        )
        solved = inverse @ links
        outer = np.diag([*np.full(arms, 1 / shared + groups / own), self.gamma + 1 / prior.gamma_spread**2])
        outer = outer - np.einsum("gaz,gay->zy", links, solved)
        right = np.append(np.zeros(arms), self.gamma_right + prior.gamma / prior.gamma_spread**2)
        right = right - np.einsum("gaz,ga->z", solved, self.right)
        covariance = np.linalg.inv(outer)
        mean = covariance @ right
        alone = np.einsum("gab,gb->ga", inverse, self.right)
        determinants = np.linalg.slogdet(inner)[1].sum() + np.linalg.slogdet(outer)[1]
        determinants += arms * (np.log(shared) + groups * np.log(own))
        return Posterior(
            effects=alone - solved @ mean,
            covariances=inverse + solved @ covariance @ solved.transpose(0, 2, 1),
            shared=mean,
            shared_covariance=covariance,
            evidence=float(((self.right * alone).sum() + right @ mean - determinants) / 2),
        )


def normal_equations(said: Compared, half_life_days: float) -> NormalEquations:
    """The normal equations, novelty fading at the half-life."""
    fresh = 0.5 ** (CENTRES / half_life_days)
    of_shown = divided((said.shown * fresh).sum(3), said.shown.sum(3))  # day × arm × group
    shares = np.eye(said.design.shape[3]) - said.design
    by_gamma = np.einsum("dgab,dbg->dag", shares, of_shown)[..., None] - fresh
    weight = said.precision
    of_arm, of_difference, of_gamma = (
        array.sum(3).transpose(0, 2, 1) for array in (weight, weight * said.difference, weight * by_gamma)
    )
    weighted = said.design * of_arm[..., None]
    return NormalEquations(
        blocks=np.einsum("dgai,dgaj->gij", weighted, said.design, optimize=True),
        right=np.einsum("dgai,dga->gi", said.design, of_difference),
        with_gamma=np.einsum("dgai,dga->gi", said.design, of_gamma),
        gamma=float((weight * by_gamma**2).sum()),
        gamma_right=float((weight * by_gamma * said.difference).sum()),
    )
