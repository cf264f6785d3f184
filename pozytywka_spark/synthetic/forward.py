"""Forward simulation: many paths of what may come after a cut-off, under the world's own law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pozytywka_spark.synthetic import changes, hazard
from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.hazard import Memory
from pozytywka_spark.synthetic.plan import DAY_MS, Plan, Rng


@dataclass(frozen=True)
class PathStarts:
    """One entry a row: where a path starts, and how far it goes."""

    month: Array  # the month that ends at the cut-off
    until_ms: Array
    active: Array  # whether that month had a session
    memory: Memory
    memory_ms: Array  # the time that the memory is of
    treated: Array  # by the experiment


@dataclass(frozen=True)
class Traits:
    """One entry a path: how its user behaves."""

    extra_sessions: Array
    advert: Array
    skip: Array
    like: Array
    favourite: Array
    popularity: Array


@dataclass(frozen=True)
class _Ahead:
    """One entry a session to come, by path and time."""

    path: Array
    number: Array  # within the path, from 0
    start_ms: Array
    month: Array


def loads_ahead(
    plan: Plan,
    rng: Rng,
    outlook: PathStarts,
    traits: Callable[[Array], Traits],
    bought: Callable[[Array, Array], Array],
    paths: int,
) -> tuple[Array, Array]:
    """Each row's chance to buy and its standard error.

    `traits(row)` gives those of one path for each entry of `row`; `bought(load, row)` the chance to
    have bought after the summed load of a path. Two strata: the month after the cut-off is active,
    or it isn't; their weights are exact. The second one is simulated only for rows whose horizon
    reaches into a later month, for else its load is zero.
    """
    rows = np.arange(len(outlook.month))
    wakes = np.where(outlook.active, plan.behaviour.stay, plan.behaviour.comeback)
    mean, variance = np.zeros(len(rows)), np.zeros(len(rows))
    next_end = plan.month_starts_ms(outlook.month.max(initial=0) + 3)[outlook.month + 2]
    for first_active, weight, simulated in (
        (True, wakes, rows),
        (False, 1 - wakes, rows[outlook.until_ms > next_end]),
    ):
        row = np.repeat(simulated, paths)
        load = _loads(plan, rng, outlook, traits(row), row, first_active)
        chance = bought(load, row).reshape(len(simulated), paths)
        mean[simulated] += weight[simulated] * chance.mean(axis=1)
        variance[simulated] += weight[simulated] ** 2 * chance.var(axis=1, ddof=1) / paths
    return mean, np.sqrt(variance)


def _loads(
    plan: Plan, rng: Rng, outlook: PathStarts, traits: Traits, row: Array, first_active: bool
) -> Array:
    """The summed load of each path up to its horizon, but for the level and the taste."""
    ahead = _sessions_ahead(plan, rng, outlook, traits, row, first_active)
    path = ahead.path
    low, high, most = plan.behaviour.plays
    plays = 1 + np.floor(most * rng.beta(low, high, len(path))).astype(np.int64)
    treated = outlook.treated[row[path]]
    factor = changes.advert_factor(plan, treated, ahead.month)
    adverts = rng.binomial(plays, changes.advert_chance(traits.advert[path], factor))
    to_the_end = rng.binomial(plays - adverts, 1 - traits.skip[path])
    content = Memory(
        adverts=adverts.astype(float),
        likes=rng.binomial(plays, traits.like[path]).astype(float),
        plays=plays.astype(float),
        favourites=rng.binomial(plays, traits.favourite[path]).astype(float),
        popularity=plays * traits.popularity[path],
    )
    weight = hazard.session_weight(adverts, to_the_end)
    added = changes.log_hazard(plan, treated, ahead.month)
    month_of_year = (plan.world.start.month - 1 + ahead.month) % 12 + 1
    memory, memory_ms = outlook.memory.take(row), outlook.memory_ms[row]
    load = np.zeros(len(row))
    by_number = np.argsort(ahead.number, kind="stable")
    for at in np.split(by_number, np.cumsum(np.bincount(ahead.number))[:-1]):
        who = path[at]
        now = memory.take(who).faded(hazard.days_between(memory_ms[who], ahead.start_ms[at]))
        load[who] += np.exp(hazard.log_hazard(now, month_of_year[at]) + added[at]) * weight[at]
        now.add(np.arange(len(at)), content.take(at))
        memory.put(who, now)
        memory_ms[who] = ahead.start_ms[at]
    return load


def _sessions_ahead(
    plan: Plan, rng: Rng, outlook: PathStarts, traits: Traits, row: Array, first_active: bool
) -> _Ahead:
    """Sessions that start between the cut-off and the horizon's end."""
    starts = plan.month_starts_ms(int(outlook.month.max(initial=0)) + 16)
    none = np.zeros(0, dtype=np.int64)
    paths, months, times = [none], [none], [none]
    active = np.zeros(len(row), dtype=bool)
    month = outlook.month[row]
    open_paths = np.arange(len(row))
    for step in range(1, 14):
        open_paths = open_paths[starts[month[open_paths] + step] < outlook.until_ms[row[open_paths]]]
        if not len(open_paths):
            break
        if step == 1:
            active[:] = first_active
        else:
            chance = np.where(active[open_paths], plan.behaviour.stay, plan.behaviour.comeback)
            active[open_paths] = rng.random(len(open_paths)) < chance
        awake = open_paths[active[open_paths]]
        sessions = np.repeat(awake, 1 + rng.poisson(traits.extra_sessions[awake]))
        begins, ends = starts[month[sessions] + step], starts[month[sessions] + step + 1]
        time = begins + (rng.random(len(sessions)) * (ends - begins)).astype(np.int64)
        inside = time < outlook.until_ms[row[sessions]]
        paths.append(sessions[inside])
        months.append((month[sessions] + step)[inside])
        times.append(time[inside])
    path, of_month, start = (np.concatenate(each) for each in (paths, months, times))
    order = np.argsort(path * (400 * DAY_MS) + start - outlook.until_ms[row[path]], kind="stable")
    path = path[order]
    per_path = np.bincount(path, minlength=len(row))
    number = np.arange(len(path)) - np.repeat(np.cumsum(per_path) - per_path, per_path)
    return _Ahead(path, number, start[order], of_month[order])
