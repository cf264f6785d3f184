"""Effects of arms by hierarchical empirical Bayes, with the penalty of novelty lost, from what was compared.

Effects of an arm in groups spread around the arm's, arms' around 0, γ around .017 and the half-life's
logarithm around that of 15 days. All but the two spreads and the half-life is linear, so the posterior of
effects and γ is exact; spreads and half-life come from the marginal likelihood over a grid, each with a wide
prior around the published numbers, which is what decides where data are few. Only differences between arms
can be learnt from differences: effects have mean 0 in a group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pozytywka_spark.bandits.softmax.cells import Floats
from pozytywka_spark.bandits.softmax.compared import Compared
from pozytywka_spark.bandits.softmax.regression import NormalEquations, Posterior, Prior, normal_equations

GAMMA, HALF_LIFE = 0.017, 15.0  # published, and where the priors are centred
GAMMA_SPREAD = 0.01
HALF_LIFE_SPREAD = 0.5  # of its logarithm
EFFECT_SPREAD = 0.02  # of arms, and of arms in a group
_FIXED = 1e-7  # spread of what is given
_HALF_LIVES = HALF_LIFE * np.exp(HALF_LIFE_SPREAD * np.linspace(-3, 2.5, 12))
_SPREADS = EFFECT_SPREAD * np.exp(np.linspace(-2, 3, 11))


@dataclass(frozen=True)
class Effects:
    """`scores` and `deviations` (of an arm from the mean of its group): by arm and group; `of_arms`: by arm,
    of a group that wasn't seen. `gamma_deviation`: how sure γ is."""

    scores: Floats
    deviations: Floats
    of_arms: Floats
    of_arms_deviations: Floats
    gamma: float
    gamma_deviation: float
    half_life_days: float
    arms_spread: float
    groups_spread: float


def estimate_effects(said: Compared, gamma: float | None, half_life_days: float | None) -> Effects:
    """The effects; `gamma` and `half_life_days` are estimated with them unless they are given."""
    prior = Prior(EFFECT_SPREAD, EFFECT_SPREAD, GAMMA, GAMMA_SPREAD)
    if gamma is not None:
        prior = replace(prior, gamma=gamma, gamma_spread=_FIXED)
    half_life, equations = _half_life(said, half_life_days, prior)
    prior = _with_spreads(equations, prior)
    return _effects(equations.posterior(prior), prior, half_life)


def _half_life(said: Compared, given: float | None, prior: Prior) -> tuple[float, NormalEquations]:
    """The likeliest, unless it is given, and the equations that go with it."""
    if given is not None:
        return given, normal_equations(said, given)
    likeliest = None
    for half_life in map(float, _HALF_LIVES):
        equations = normal_equations(said, half_life)
        unlikely = (np.log(half_life / HALF_LIFE) / HALF_LIFE_SPREAD) ** 2 / 2
        evidence = equations.posterior(prior).evidence - unlikely
        if likeliest is None or evidence > likeliest[0]:
            likeliest = evidence, half_life, equations
    assert likeliest is not None
    return likeliest[1:]


def _with_spreads(equations: NormalEquations, prior: Prior) -> Prior:
    """With the posterior means of the logarithms of both spreads."""
    pairs = [(float(arms), float(groups)) for arms in _SPREADS for groups in _SPREADS]
    tried = [replace(prior, arms=arms, groups=groups) for arms, groups in pairs]
    evidence = np.array([equations.posterior(each).evidence for each in tried])
    logarithms = np.log(pairs)
    evidence -= ((logarithms - np.log(EFFECT_SPREAD)) ** 2).sum(1) / 2
    weights = np.exp(evidence - evidence.max())
    arms, groups = np.exp(weights @ logarithms / weights.sum())
    return replace(prior, arms=float(arms), groups=float(groups))


def _effects(posterior: Posterior, prior: Prior, half_life: float) -> Effects:
    arms = posterior.effects.shape[1]
    centre = np.eye(arms) - 1 / arms
    variances = np.diagonal(centre @ posterior.covariances @ centre, axis1=1, axis2=2)
    of_arms = centre @ posterior.shared_covariance[:arms, :arms] @ centre
    return Effects(
        scores=centre @ posterior.effects.T,
        deviations=np.sqrt(variances.T),
        of_arms=centre @ posterior.shared[:arms],
        of_arms_deviations=np.sqrt(np.diag(of_arms) + prior.groups**2 * (1 - 1 / arms)),
        gamma=max(float(posterior.shared[arms]), 0.0),
        gamma_deviation=float(posterior.shared_covariance[arms, arms] ** 0.5),
        half_life_days=half_life,
        arms_spread=prior.arms,
        groups_spread=prior.groups,
    )
