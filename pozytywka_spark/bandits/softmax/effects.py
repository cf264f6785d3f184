"""Effects of arms by hierarchical empirical Bayes, with the penalty of novelty lost, from what was compared.

    e_ag = m + θ_a + δ_ag,    θ_a ~ N(0, arms²),    δ_ag ~ N(0, groups²),    γ ~ N(.017, .01²)

and the half-life by a lognormal prior around 15 days. All but the two spreads and the half-life is linear,
so the posterior of effects and γ is exact; spreads and half-life come from the marginal likelihood over a
grid, each with a wide prior around the published numbers, which is what decides where data are few. Only
differences between arms can be learnt from differences: effects have mean 0 in a group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.bandits.softmax.cells import Floats, divided
from pozytywka_spark.bandits.softmax.compared import CENTRES, Compared

GAMMA, HALF_LIFE = 0.017, 15.0  # published, and where the priors are centred
GAMMA_SPREAD = 0.01
HALF_LIFE_SPREAD = 0.5  # of its logarithm
EFFECT_SPREAD = 0.02  # of arms, and of arms in a group
_FIXED = 1e-9  # spread of what is given
_HALF_LIVES = HALF_LIFE * np.exp(HALF_LIFE_SPREAD * np.linspace(-3, 2.5, 12))
_SPREADS = EFFECT_SPREAD * np.exp(np.linspace(-2, 1.5, 10))


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


@dataclass(frozen=True)
class _Normal:
    """Normal equations: by group × arm, then γ."""

    matrix: Floats
    right: Floats
    arms: int
    groups: int

    def posterior(self, arms_spread: float, groups_spread: float, gamma: tuple[float, float]) -> _Posterior:
        """With priors of effects and of γ (mean and spread)."""
        size = self.arms * self.groups
        prior, log_determinant = _prior(self.arms, self.groups, arms_spread, groups_spread)
        matrix, right = self.matrix.copy(), self.right.copy()
        matrix[:size, :size] += prior
        matrix[size, size] += 1 / gamma[1] ** 2
        right[size] += gamma[0] / gamma[1] ** 2
        root = np.linalg.cholesky(matrix)
        whitened = np.linalg.solve(root, right)
        evidence = whitened @ whitened / 2 - np.log(np.diag(root)).sum() - log_determinant / 2
        return _Posterior(root, whitened, float(evidence))


@dataclass(frozen=True)
class _Posterior:
    root: Floats
    whitened: Floats
    evidence: float

    def mean_and_covariance(self) -> tuple[Floats, Floats]:
        inverse = np.linalg.inv(self.root)
        mean: Floats = inverse.T @ self.whitened
        covariance: Floats = inverse.T @ inverse
        return mean, covariance


def estimate_effects(said: Compared, gamma: float | None, half_life_days: float | None) -> Effects:
    """The effects; `gamma` and `half_life_days` are estimated with them unless they are given."""
    of_gamma = (GAMMA, GAMMA_SPREAD) if gamma is None else (gamma, _FIXED)
    half_lives = _HALF_LIVES if half_life_days is None else np.array([half_life_days])
    best, half_life, equations = -np.inf, HALF_LIFE, None
    for candidate in half_lives:
        tried = _normal(said, float(candidate))
        evidence = tried.posterior(EFFECT_SPREAD, EFFECT_SPREAD, of_gamma).evidence
        evidence -= (np.log(candidate / HALF_LIFE) / HALF_LIFE_SPREAD) ** 2 / 2
        if evidence > best:
            best, half_life, equations = evidence, float(candidate), tried
    assert equations is not None
    arms_spread, groups_spread = _spreads(equations, of_gamma)
    mean, covariance = equations.posterior(arms_spread, groups_spread, of_gamma).mean_and_covariance()
    return _effects(equations, mean, covariance, half_life, arms_spread, groups_spread)


def _spreads(equations: _Normal, of_gamma: tuple[float, float]) -> tuple[float, float]:
    """Posterior means of the logarithms of both."""
    pairs = [(arms, groups) for arms in _SPREADS for groups in _SPREADS]
    log_pairs = np.log(pairs)
    evidence = np.array([equations.posterior(*pair, of_gamma).evidence for pair in pairs])
    evidence -= (log_pairs - np.log(EFFECT_SPREAD)) ** 2 @ np.full(2, 0.5)
    weights = np.exp(evidence - evidence.max())
    arms, groups = np.exp(weights @ log_pairs / weights.sum())
    return float(arms), float(groups)


def _normal(said: Compared, half_life: float) -> _Normal:
    """The normal equations, novelty fading at `half_life`."""
    _, groups, arms, _ = said.design.shape
    size = arms * groups
    fresh = 0.5 ** (CENTRES / half_life)
    of_shown = divided((said.shown * fresh).sum(3), said.shown.sum(3))  # day × arm × group
    shares = np.eye(arms) - said.design
    of_others = np.einsum("dgab,dbg->dag", shares, of_shown)
    by_gamma = of_others[..., None] - fresh
    matrix, right = np.zeros((size + 1, size + 1)), np.zeros(size + 1)
    weight = said.precision
    of_arm, of_difference, of_gamma = (
        array.sum(3).transpose(0, 2, 1) for array in (weight, weight * said.difference, weight * by_gamma)
    )
    blocks = np.einsum("dgai,dga,dgaj->gij", said.design, of_arm, said.design, optimize=True)
    for group in range(groups):
        own = slice(group * arms, (group + 1) * arms)
        design = said.design[:, group]
        matrix[own, own] = blocks[group]
        right[own] = np.einsum("dai,da->i", design, of_difference[:, group])
        matrix[own, size] = matrix[size, own] = np.einsum("dai,da->i", design, of_gamma[:, group])
    matrix[size, size] = (weight * by_gamma**2).sum()
    right[size] = (weight * by_gamma * said.difference).sum()
    return _Normal(matrix, right, arms, groups)


def _prior(arms: int, groups: int, arms_spread: float, groups_spread: float) -> tuple[Floats, float]:
    """The precision of effects (group × arm), and the logarithm of their covariance's determinant."""
    own, shared = groups_spread**2, arms_spread**2
    between = (np.eye(groups) - shared / (own + groups * shared)) / own
    log_determinant = arms * ((groups - 1) * np.log(own) + np.log(own + groups * shared))
    return np.kron(between, np.eye(arms)), float(log_determinant)


def _effects(
    equations: _Normal,
    mean: Floats,
    covariance: Floats,
    half_life: float,
    arms_spread: float,
    groups_spread: float,
) -> Effects:
    arms, groups = equations.arms, equations.groups
    size = arms * groups
    centre = np.eye(arms) - 1 / arms
    scores = centre @ mean[:size].reshape(groups, arms).T
    by_group = covariance[:size, :size].reshape(groups, arms, groups, arms)
    deviations = [np.diag(centre @ by_group[g, :, g] @ centre) ** 0.5 for g in range(groups)]
    # E[θ_a | effects] is a share of their mean over groups
    share = groups * arms_spread**2 / (groups_spread**2 + groups * arms_spread**2)
    spread = groups_spread**2 + (1 - share) * arms_spread**2
    of_mean = by_group.mean((0, 2))
    variance = share**2 * np.diag(centre @ of_mean @ centre) + spread * (1 - 1 / arms)
    return Effects(
        scores=scores,
        deviations=np.array(deviations).T,
        of_arms=share * scores.mean(1),
        of_arms_deviations=variance**0.5,
        gamma=max(float(mean[size]), 0.0),
        gamma_deviation=float(covariance[size, size] ** 0.5),
        half_life_days=half_life,
        arms_spread=arms_spread,
        groups_spread=groups_spread,
    )
