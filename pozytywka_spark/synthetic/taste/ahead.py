"""What may come after a cut-off, whatever the tracks: how many plays, and which of them copy which.

Who is copied doesn't depend on the tracks (see `repeats.py`). So the plays of a future fall into families:
one root, that is picked anew or copies a play from before the cut-off, and all that copy it in turn. Only
counts of families are handed on; the chances of tracks follow from them by formula.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.plan import DAY_MS, Plan, Rng
from pozytywka_spark.synthetic.sessions import joining
from pozytywka_spark.synthetic.taste.repeats import REST, copy_chances

SIZES = 8  # a family of so many plays or more counts as one of so many
STAGES = np.array([0, 6, 16, 40])  # plays after the cut-off, from which on another picture of the past holds
MOST_PLAYS = 400  # of a future
DAYS = 28  # after the cut-off


@dataclass(frozen=True)
class Families:
    """Counts by path: of families by size, picked anew and out of the past."""

    weight: Array  # of each path
    anew: Array  # paths × sizes
    past: Array  # paths × (stages · sizes): by when in the future the root came


def plays_ahead(
    plan: Plan, rng: Rng, active: Array, extra_sessions: Array, cut_off_ms: int, paths: int
) -> tuple[Array, Array]:
    """Plays that start within `DAYS` after the cut-off: users × paths, and the weight of each path.

    `active`: users × 3, whether the user had a session in the month before the cut-off's month, in that one
    before the cut-off, and ever before it. A session counts where it starts; its plays all do.

    No path is quiet all along: weights are exact, and add up to the chance not to be quiet. Where the days
    reach into a second month, a quarter of the paths begin in it.
    """
    starts = plan.month_starts_ms(plan.world.months + 3)
    month = int(np.searchsorted(starts, cut_off_ms, side="right")) - 1
    until = cut_off_ms + DAYS * DAY_MS
    goes_on = bool(starts[month + 1] < until)
    later = paths // 4 if goes_on else 0
    early = np.arange(paths) < paths - later
    first = np.where(active[:, 1], 1.0, _chance(plan, month, active[:, 0], active[:, 2]))
    weight = np.repeat(first[:, None] / (paths - later), paths, axis=1)
    ends = min(until, int(starts[month + 1]))
    plays = early * _plays(plan, rng, extra_sessions, paths, (ends - cut_off_ms) / _length(starts, month))
    if goes_on:
        second = _chance(plan, month + 1, np.zeros(len(active), dtype=bool), active[:, 2])
        weight[:, ~early] = ((1.0 - first) * second / later)[:, None]
        awake = ~early | (rng.random(plays.shape) < plan.behaviour.stay)
        share = (until - int(starts[month + 1])) / _length(starts, month + 1)
        plays += awake * _plays(plan, rng, extra_sessions, paths, share)
    return np.minimum(plays, MOST_PLAYS), weight


def _length(starts: Array, month: int) -> int:
    return int(starts[month + 1] - starts[month])


def _chance(plan: Plan, month: int, awake: Array, joined: Array) -> Array:
    """To be active in a month: whoever hasn't joined may do so in it."""
    arrivals = np.append(joining(plan), np.zeros(4))
    arrives = arrivals[month] / max(float(arrivals[month:].sum()), 1e-12)
    return np.where(joined, np.where(awake, plan.behaviour.stay, plan.behaviour.comeback), arrives)


def _plays(plan: Plan, rng: Rng, extra_sessions: Array, paths: int, share: float) -> Array:
    """Of an active month, those sessions that fall into a share of it."""
    sessions = 1 + rng.poisson(np.repeat(extra_sessions[:, None], paths, axis=1))
    return _plays_in(plan, rng, rng.binomial(sessions, share))


def _plays_in(plan: Plan, rng: Rng, sessions: Array) -> Array:
    low, high, most = plan.behaviour.plays
    each = sessions.ravel()
    length = 1 + np.floor(most * rng.beta(low, high, int(each.sum()))).astype(np.int64)
    of = np.repeat(np.arange(len(each)), each)
    total: Array = np.bincount(of, weights=length, minlength=len(each)).astype(np.int64)
    return total.reshape(sessions.shape)


def past_chances(skipped: Array) -> tuple[Array, Array]:
    """At each stage each past play's chance to be copied, and the chance that a copy is of any of them.

    `skipped`: of the user's plays before the cut-off, in order; those are never copied. Chances are
    stages × plays, given that something before the cut-off is copied; the second is one a stage.
    """
    plays = len(skipped)
    later = np.append(STAGES[1:], STAGES[-1] + 40)
    chance = np.stack([copy_chances(plays + int(at), plays) for at in (STAGES + later) // 2])
    chance *= ~skipped
    total = chance.sum(axis=1)
    return chance / np.maximum(total, 1e-300)[:, None], total


def families(
    rng: Rng, plays: Array, weight: Array, before: int, repeats: float, far: Array, skips: float
) -> Families:
    """Of one user: `plays` and `weight` by path, plays `before` the cut-off, `far` of `past_chances`.

    `skips`: the chance that a play is skipped, and so not copied, whatever its track.
    """
    paths, most = len(plays), int(plays.max(initial=0))
    root = np.tile(np.arange(most), (paths, 1))  # of each play, the place of its family's root
    skipped = rng.random((paths, most)) < skips
    copies = rng.random((paths, most)) < repeats
    draw, back = rng.random((paths, most)), rng.random((paths, most))
    number = np.arange(most)
    reach = np.maximum(before + number - REST, 0)  # 0: nothing to copy yet
    lag = REST + np.minimum(np.floor((reach + 1.0) ** draw), reach).astype(np.int64)
    copies &= reach > 0
    ahead = copies & (lag <= number)
    # what goes back before the cut-off finds a play that wasn't skipped, or something new is picked
    stage = np.searchsorted(STAGES, number, side="right") - 1
    found = np.array([_given_past(far[at], before, place) for place, at in enumerate(stage.tolist())])
    old = copies & ~ahead & (back < found)  # whether the root is out of the past
    source = np.maximum(number - lag, 0)
    inside = ahead & ~np.take_along_axis(skipped, source, axis=1)
    # the root of a copy is that of its source, which comes earlier
    for place in np.flatnonzero(inside.any(axis=0)).tolist():
        who = np.flatnonzero(inside[:, place])
        root[who, place] = root[who, source[who, place]]
        old[who, place] = old[who, source[who, place]]
    return _counted(root, old, plays, weight)


def _given_past(far: float, before: int, number: int) -> float:
    """The chance to find a play that wasn't skipped, given that one before the cut-off is aimed at."""
    reach = before + number - REST
    aimed = float(copy_chances(before + number, before).sum()) if reach > 0 else 0.0
    return min(1.0, far / aimed) if aimed > 0 else 0.0


def _counted(root: Array, old: Array, plays: Array, weight: Array) -> Families:
    paths, most = root.shape
    there = np.arange(most) < plays[:, None]
    size = np.zeros((paths, most), dtype=np.int64)
    path, place = np.nonzero(there)
    np.add.at(size, (path, root[path, place]), 1)
    path, place = np.nonzero(size)
    kind = np.minimum(size[path, place], SIZES) - 1
    stage = np.searchsorted(STAGES, place, side="right") - 1
    out_of_past = old[path, place]
    anew = np.zeros((paths, SIZES))
    past = np.zeros((paths, len(STAGES) * SIZES))
    np.add.at(anew, (path[~out_of_past], kind[~out_of_past]), 1)
    np.add.at(past, (path[out_of_past], stage[out_of_past] * SIZES + kind[out_of_past]), 1)
    return Families(weight, anew, past)
