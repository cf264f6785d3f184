"""The arithmetic of evaluation over one slice of rows, exact, for many bootstrap replicates at once.

Rows of a group are cut into buckets by score. Each bucket's rows are summed here, given what lies in
the buckets above; every result is a sum over buckets, so that no place ever holds all rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BINS = 10
TOP = (0.01, 0.05, 0.10)
CURVE = tuple(
    np.round(np.concatenate([np.arange(0.005, 0.1, 0.005), np.arange(0.1, 1.0001, 0.02)]), 4).tolist()
)
_CLIP = float(np.finfo(np.float64).eps)  # as scikit-learn's log_loss clips doubles
_CELLS = 4_000_000  # rows x replicates held at once: 32 MB an array
_POISSON = np.cumsum([np.exp(-1.0) / float(np.prod(np.arange(1, k + 1))) for k in range(12)])


def user_weights(user_id: npt.NDArray[np.int64], seed: int, first: int, count: int) -> Floats:
    """Weights of `count` bootstrap replicates from number `first` on, one row a replicate.

    Replicate 0 is all ones. A user's rows share one weight, Poisson with mean 1, a function of the seed, the
    replicate and the user alone: the same in whatever partition a row lies and for every model, so that
    replicates pair up (the Poisson bootstrap of clusters; Chamandy et al. 2012).
    """
    users, position = np.unique(user_id, return_inverse=True)
    replicates = np.arange(first, first + count, dtype=np.uint64)[:, None]
    mixed = _mix(
        _mix(users.astype(np.uint64)[None, :]) ^ _mix(replicates + np.uint64(seed) * np.uint64(1_000_003))
    )
    uniform = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    weights = np.searchsorted(_POISSON, uniform, side="right").astype(np.float64)
    if first == 0:
        weights[0] = 1.0
    return np.asarray(weights[:, position], dtype=np.float64)


def replicate_chunks(rows: int, replicates: int) -> list[tuple[int, int]]:
    """(first, count) of replicates that are held in memory together."""
    size = max(1, _CELLS // max(rows, 1))
    return [(first, min(size, replicates - first)) for first in range(0, replicates, size)]


def totals(label: Floats, weight: Floats) -> dict[str, Floats]:
    """Weight of positives and negatives, a number a replicate."""
    positives = weight @ label
    return {"pos": positives, "neg": weight.sum(axis=1) - positives}


def parts(
    score: Floats, label: Floats, weight: Floats, above: dict[str, Floats], total: dict[str, Floats]
) -> dict[str, Floats]:
    """What a bucket adds to each metric, a row a replicate.

    `above` and `total` are `totals` of the buckets with higher scores and of the whole group. Rows of
    equal score count as one step, whatever their order. Columns of the results: `auc`, `ap`,
    `log_loss`, `brier` one; `top` one per `TOP`; `curve` one per `CURVE` (replicate 0 only);
    `bin_weight`, `bin_label`, `bin_score` one per bin of equal weight, highest scores first.
    """
    order = np.argsort(-score, kind="stable")
    score, label, weight = score[order], label[order], weight[:, order]
    ends = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    cum_pos = np.cumsum(weight * label, axis=1)[:, ends]
    cum_all = np.cumsum(weight, axis=1)[:, ends]
    pos, every = np.diff(cum_pos, prepend=0.0), np.diff(cum_all, prepend=0.0)
    neg = every - pos
    pos_so_far = above["pos"][:, None] + cum_pos
    all_so_far = (above["pos"] + above["neg"])[:, None] + cum_all
    neg_below = total["neg"][:, None] - (all_so_far - pos_so_far)
    precision = np.divide(pos_so_far, all_so_far, out=np.zeros_like(pos_so_far), where=all_so_far > 0)
    size = total["pos"] + total["neg"]
    clipped = np.clip(score, _CLIP, 1 - _CLIP)
    loss = -(label * np.log(clipped) + (1 - label) * np.log1p(-clipped))
    reached = (above["pos"] + above["neg"], cum_all, cum_pos, size)
    return {
        "auc": (pos * (neg_below + neg / 2)).sum(axis=1)[:, None],
        "ap": (pos * precision).sum(axis=1)[:, None],
        "log_loss": (weight @ loss)[:, None],
        "brier": (weight @ np.square(score - label))[:, None],
        "top": _positives_in_top(TOP, *reached),
        "curve": _positives_in_top(CURVE, *(value[:1] for value in reached)),
        **_bins(score[ends], pos, every, all_so_far - every / 2, size),
    }


def _positives_in_top(
    shares: tuple[float, ...], above: Floats, cum_all: Floats, cum_pos: Floats, size: Floats
) -> Floats:
    """Positives of this bucket among the top share of all rows; rows tied at its edge count pro rata."""
    found = np.empty((len(size), len(shares)))
    for replicate in range(len(size)):
        wanted = np.array(shares) * size[replicate] - above[replicate]
        x = np.concatenate([[0.0], cum_all[replicate]])
        y = np.concatenate([[0.0], cum_pos[replicate]])
        found[replicate] = np.interp(np.clip(wanted, 0.0, x[-1]), x, y)
    return found


def _bins(score: Floats, pos: Floats, every: Floats, middle: Floats, size: Floats) -> dict[str, Floats]:
    """Sums per bin of equal weight; rows of equal score lie together in the bin of their middle rank."""
    share = np.divide(middle, size[:, None], out=np.zeros_like(middle), where=size[:, None] > 0)
    cell = np.minimum((share * BINS).astype(np.int64), BINS - 1) + BINS * np.arange(len(size))[:, None]

    def summed(values: Floats) -> Floats:
        flat = np.bincount(cell.ravel(), weights=values.ravel(), minlength=BINS * len(size))
        return np.asarray(flat.reshape(len(size), BINS), dtype=np.float64)

    return {"bin_weight": summed(every), "bin_label": summed(pos), "bin_score": summed(every * score)}


def _mix(value: Any) -> Any:
    """SplitMix64's finaliser: each bit of the input moves about half the bits of the output."""
    with np.errstate(over="ignore"):
        value = (value + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return value ^ (value >> np.uint64(31))
