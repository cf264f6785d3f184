"""The search for the Pareto front of a segment: most purchases, least cost, nearest to today."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from pozytywka_spark.simulation.levers import Floats
from pozytywka_spark.simulation.segment import Outcome, Segment


@dataclass(frozen=True)
class Front:
    """Settings that no other beats in all three objectives, today's first; `outcome` has a row of each."""

    settings: Floats
    outcome: Outcome


def search(segment: Segment, seed: int) -> Front:
    """NSGA-II (Deb et al. 2002, by pymoo) under the guard of resemblance.

    The same segment and seed give the same front, on whatever machine and beside whatever else runs.
    """
    if not (segment.bounds[:, 1] > segment.bounds[:, 0]).any():
        return front_of(segment, segment.none[None, :])
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.optimize import minimize

    chosen, low, high = segment.chosen, segment.bounds[:, 0], segment.bounds[:, 1]

    def evaluate(population: Floats, out: dict[str, Floats]) -> None:
        settings = np.array([segment.snap(each) for each in population])
        outcome = segment.evaluate(settings)
        out["F"] = objectives(outcome)
        out["G"] = chosen.min_support - outcome.support[:, None]

    class Changes(Problem):  # type: ignore[misc]  # pymoo's base class is untyped
        def _evaluate(self, x: Floats, out: dict[str, Floats], *_: object, **__: object) -> None:
            evaluate(x, out)

    problem = Changes(n_var=len(low), n_obj=3, n_ieq_constr=1, xl=low, xu=high)
    first = first_population(segment, chosen.population, np.random.default_rng(seed))
    algorithm = NSGA2(pop_size=chosen.population, sampling=first)
    found = minimize(problem, algorithm, ("n_gen", chosen.generations), seed=seed, verbose=False)
    best = np.atleast_2d(found.X) if found.X is not None else segment.none[None, :]
    return front_of(segment, np.array([segment.snap(each) for each in best]))


def objectives(outcome: Outcome) -> Floats:
    """What is minimised, a row each: purchases (negative), cost, distance."""
    return np.column_stack([-outcome.probability, outcome.cost, outcome.distance])


def first_population(segment: Segment, size: int, rng: np.random.Generator) -> Floats:
    """Today, then settings drawn between the bounds; each is pulled towards today by a factor drawn with it.

    Far from today most are unlike anything seen: without the pull few of the first would be allowed.
    """
    low, high = segment.bounds[:, 0], segment.bounds[:, 1]
    drawn = rng.uniform(low, high, (size, len(low)))
    turned = rng.random((size, len(low))) < rng.uniform(0.1, 1.0, (size, 1))  # few levers, or many
    pull = rng.uniform(0.0, 1.0, (size, 1))
    settings = np.where(turned, segment.none + pull * (drawn - segment.none), segment.none)
    settings[0] = segment.none
    return np.asarray(settings)


def front_of(segment: Segment, settings: Floats) -> Front:
    """The allowed, undominated ones among `settings` and today, by growing distance; today is the first."""
    tried = np.unique(np.vstack([segment.none, settings]), axis=0)
    outcome = segment.evaluate(tried)
    allowed = outcome.support >= segment.chosen.min_support
    values = objectives(outcome)
    kept = [
        place
        for place in np.flatnonzero(allowed)
        if not any(
            (values[other] <= values[place]).all() and (values[other] < values[place]).any()
            for other in np.flatnonzero(allowed)
        )
    ]
    kept.sort(key=lambda place: (outcome.distance[place], *tried[place]))
    chosen = np.array(kept)
    return Front(tried[chosen], Outcome(**{name: value[chosen] for name, value in vars(outcome).items()}))


def seed_of(seed: int, segment: str) -> int:
    """A seed of its own for each segment, the same wherever it is searched."""
    return int.from_bytes(hashlib.sha256(f"{seed} {segment}".encode()).digest()[:4], "big")


def hypervolume(values: Floats, ideal: Floats, worst: Floats) -> float:
    """Share of the box between `ideal` and `worst` that points of `objectives` dominate, 0 to 1."""
    from pymoo.indicators.hv import HV

    width = np.where(worst > ideal, worst - ideal, 1.0)
    return float(HV(ref_point=np.ones(3))(np.clip((values - ideal) / width, 0.0, None)))
