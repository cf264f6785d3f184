"""The search for the Pareto front of a segment: most purchases, least cost, nearest to today."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from pozytywka_spark.simulation.levers import Floats
from pozytywka_spark.simulation.segment import Outcome, Segment

HALVINGS = 5


@dataclass(frozen=True)
class Front:
    """Settings that no other beats in all three objectives, today's first; `outcome` has a row of each."""

    settings: Floats
    outcome: Outcome


def search(segment: Segment, seed: int) -> Front:
    """NSGA-II (Deb et al. 2002, by pymoo) under the guard of resemblance.

    The same segment and seed give the same front, on whatever machine and beside whatever else runs.
    """
    settings, reach = segment.simulation, lever_ranges(segment)
    if not (reach[:, 1] > reach[:, 0]).any():
        return front_of(segment, segment.none[None, :])
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.mutation import Mutation
    from pymoo.core.problem import Problem
    from pymoo.operators.crossover.ux import UX
    from pymoo.optimize import minimize

    tried = [segment.none[None, :]]
    rng = np.random.default_rng(seed)

    class Changes(Problem):  # type: ignore[misc]  # pymoo's base class is untyped
        def _evaluate(self, x: Floats, out: dict[str, Floats], *_: object, **__: object) -> None:
            outcome = segment.evaluate(x)
            tried.append(x[outcome.support >= settings.min_support])
            out["F"] = objectives(outcome)
            out["G"] = settings.min_support - outcome.support[:, None]

    class Turn(Mutation):  # type: ignore[misc]  # as above
        def _do(self, problem: object, x: Floats, **_: object) -> Floats:
            return with_levers(segment, reach, x, rng)

    algorithm = NSGA2(
        pop_size=settings.population,
        sampling=first_population(segment, reach, settings.population, rng),
        crossover=UX(),  # children take each lever from one parent: changes stay sparse
        mutation=Turn(),
    )
    problem = Changes(n_var=len(reach), n_obj=3, n_ieq_constr=1, xl=reach[:, 0], xu=reach[:, 1])
    minimize(problem, algorithm, ("n_gen", settings.generations), seed=seed, verbose=False)
    # of all that was tried: a population has room for its last generation only
    return front_of(segment, np.concatenate(tried))


def lever_ranges(segment: Segment) -> Floats:
    """How far each lever can go alone, each way, before the guard forbids it; found by halving.

    Together they can hardly go farther: the search needn't look there.
    """
    reach = segment.bounds.copy()
    for lever in range(len(reach)):
        for side in (0, 1):
            settings, far = segment.none.copy(), segment.bounds[lever, side] - segment.none[lever]
            allowed, forbidden = 0.0, 1.0
            for pull in [1.0] + [0.0] * HALVINGS:
                share = pull or (allowed + forbidden) / 2
                settings[lever] = segment.none[lever] + share * far
                if segment.support(settings) >= segment.simulation.min_support:
                    allowed = share
                else:
                    forbidden = share
                if allowed == 1.0:
                    break
            reach[lever, side] = segment.none[lever] + allowed * far
    return reach


def with_levers(segment: Segment, reach: Floats, settings: Floats, rng: np.random.Generator) -> Floats:
    """Each row with a lever or a few turned: back to none, to anywhere, or a little farther or less far.

    Moves too small to matter are taken back here, so that no two rows differ by them alone.
    """
    low, high, none = reach[:, 0], reach[:, 1], segment.none
    shape = settings.shape
    turned = rng.random(shape) < 1.5 / shape[1]
    way = rng.random(shape)
    anywhere = rng.uniform(low, high, shape)
    scaled = none + (settings - none) * rng.uniform(0.6, 1.5, shape)
    moved = np.where(way < 0.3, none, np.where(way < 0.55, anywhere, scaled))
    levers = np.clip(np.where(turned, moved, settings), low, high)
    return np.array([segment.snap(each) for each in levers])


def objectives(outcome: Outcome) -> Floats:
    """What is minimised, a row each: purchases (negative), cost, distance."""
    return np.column_stack([-outcome.probability, outcome.cost, outcome.distance])


def first_population(segment: Segment, reach: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Today, each lever alone as far as it can go and half as far if there is room, then drawn ones."""
    alone = []
    for pull in (1.0, 0.5):
        for bound in reach.T:
            for lever in np.flatnonzero(bound != segment.none):
                settings = segment.none.copy()
                settings[lever] += pull * (bound[lever] - settings[lever])
                alone.append(settings)
    first = np.vstack([segment.none, *alone[: size - 1 - size // 4]])
    population = np.vstack([first, drawn_settings(segment, reach, size, rng)])[:size]
    return np.array([segment.snap(each) for each in population])


def drawn_settings(segment: Segment, bounds: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Settings drawn between the bounds, of few levers or of many, each row pulled towards today.

    Far from today most are unlike anything seen: without the pull few would be allowed.
    """
    low, high = bounds[:, 0], bounds[:, 1]
    drawn = rng.uniform(low, high, (size, len(low)))
    used = rng.random((size, len(low))) < rng.uniform(0.1, 1.0, (size, 1))
    pull = rng.uniform(0.0, 1.0, (size, 1))
    return np.asarray(np.where(used, segment.none + pull * (drawn - segment.none), segment.none))


def front_of(segment: Segment, settings: Floats) -> Front:
    """The allowed, undominated ones among `settings` and today, by growing distance; today is the first."""
    tried = np.unique(np.vstack([segment.none, settings]), axis=0)
    outcome = segment.evaluate(tried)
    allowed = outcome.support >= segment.simulation.min_support
    values = objectives(outcome)
    rivals = values[allowed]
    members = [
        place
        for place in np.flatnonzero(allowed)
        if not ((rivals <= values[place]).all(axis=1) & (rivals < values[place]).any(axis=1)).any()
    ]
    members.sort(key=lambda place: (outcome.distance[place], *tried[place]))
    best = np.array(members)
    return Front(tried[best], Outcome(**{name: value[best] for name, value in vars(outcome).items()}))


def seed_of(seed: int, segment: str) -> int:
    """A seed of its own for each segment, the same wherever it is searched."""
    return int.from_bytes(hashlib.sha256(f"{seed} {segment}".encode()).digest()[:4], "big")


def hypervolume(values: Floats, ideal: Floats, worst: Floats) -> float:
    """Share of the box between `ideal` and `worst` that points of `objectives` dominate, 0 to 1."""
    from pymoo.indicators.hv import HV

    width = np.where(worst > ideal, worst - ideal, 1.0)
    return float(HV(ref_point=np.ones(3))(np.clip((values - ideal) / width, 0.0, None)))
