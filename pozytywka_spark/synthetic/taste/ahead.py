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


@dataclass(frozen=True)
class Families:
    """Counts by path: of families by size, picked anew and out of the past."""

    anew: Array  # paths × sizes
    past: Array  # paths × (stages · sizes): by when in the future the root came


def plays_ahead(
    plan: Plan, rng: Rng, active: Array, extra_sessions: Array, cut_off_ms: int, days: int, paths: int
) -> Array:
    """Users × paths: plays that start within `days` after the cut-off.

    `active`: users × 3, whether the user had a session in the month before the cut-off's month, in that one
    before the cut-off, and ever before it. A session counts where it starts; its plays all do.
    """
    starts = plan.month_starts_ms(plan.world.months + 4)
    until = cut_off_ms + days * DAY_MS
    month = int(np.searchsorted(starts, cut_off_ms, side="right")) - 1
    shape = (len(active), paths)
    awake, joined = np.broadcast_to(active[:, :1], shape), np.broadcast_to(active[:, 2:], shape)
    arrivals = np.append(joining(plan), np.zeros(4))
    to_come = np.cumsum(arrivals[::-1])[::-1]
    plays = np.zeros(shape, dtype=np.int64)
    while starts[month] < until:
        arrives = arrivals[month] / max(to_come[month], 1e-12)
        chance = np.where(joined, np.where(awake, plan.behaviour.stay, plan.behaviour.comeback), arrives)
        awake = rng.random(shape) < chance
        joined = joined | awake
        if starts[month] < cut_off_ms:
            awake = awake | active[:, 1:]
        inside = min(until, starts[month + 1]) - max(cut_off_ms, starts[month])
        share = inside / (starts[month + 1] - starts[month])
        sessions = rng.binomial(1 + rng.poisson(np.broadcast_to(extra_sessions[:, None], shape)), share)
        plays += np.where(awake, _plays_in(plan, rng, sessions), 0)
        month += 1
    return np.minimum(plays, MOST_PLAYS)


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


def families(rng: Rng, plays: Array, before: int, repeats: float, far: Array, skips: float) -> Families:
    """Of one user: `plays` by path, `before` the cut-off, `far` as `past_chances` says (its second).

    `skips`: the chance that a play is skipped, and so not copied, whatever its track.
    """
    paths, most = len(plays), int(plays.max(initial=0))
    root = np.tile(np.arange(most), (paths, 1))  # of each play, the place of its family's root
    old = np.zeros((paths, most), dtype=bool)  # whether that root is out of the past
    skipped = rng.random((paths, most)) < skips
    copies = rng.random((paths, most)) < repeats
    draw, back = rng.random((paths, most)), rng.random((paths, most))
    everyone = np.arange(paths)
    for number in range(most):
        reach = before + number - REST
        if reach <= 0:
            continue
        stage = int(np.searchsorted(STAGES, number, side="right")) - 1
        lag = REST + np.minimum(np.floor((reach + 1.0) ** draw[:, number]), reach).astype(np.int64)
        source = np.maximum(number - lag, 0)
        ahead = copies[:, number] & (lag <= number)
        inside = ahead & ~skipped[everyone, source]
        # what goes back before the cut-off finds a play that wasn't skipped, or something new is picked
        found = _given_past(far[stage], before, number)
        behind = copies[:, number] & ~ahead & (back[:, number] < found)
        root[:, number] = np.where(inside, root[everyone, source], number)
        old[:, number] = np.where(inside, old[everyone, source], behind)
    return _counted(root, old, plays)


def _given_past(far: float, before: int, number: int) -> float:
    """The chance to find a play that wasn't skipped, given that one before the cut-off is aimed at."""
    reach = before + number - REST
    aimed = float(copy_chances(before + number, before).sum()) if reach > 0 else 0.0
    return min(1.0, far / aimed) if aimed > 0 else 0.0


def _counted(root: Array, old: Array, plays: Array) -> Families:
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
    return Families(anew, past)
