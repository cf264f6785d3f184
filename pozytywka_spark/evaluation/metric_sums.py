"""The arithmetic of evaluation over rows, exact, for many bootstrap replicates at once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pozytywka_spark.hashing.dice import mix

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

BINS = 10
TOP = (0.01, 0.05, 0.10)
CURVE = tuple(
    np.round(np.concatenate([np.arange(0.005, 0.1, 0.005), np.arange(0.1, 1.0001, 0.02)]), 4).tolist()
)
_CLIP = float(np.finfo(np.float64).eps)  # as scikit-learn's log_loss clips doubles
_CELLS = 250_000  # rows x replicates worked on at once: what a core's cache holds
_POISSON = np.cumsum([np.exp(-1.0) / float(np.prod(np.arange(1, k + 1))) for k in range(12)])


def user_weights(user_id: npt.NDArray[np.int64], seed: int, first: int, count: int) -> Floats:
    """Weights of `count` bootstrap replicates from number `first` on, one row a replicate.

    Replicate 0 is all ones. A user's rows share one weight, Poisson with mean 1, a function of the seed, the
    replicate and the user alone: the same in whatever partition a row lies and for every model, so that
    replicates pair up (the Poisson bootstrap of clusters; Chamandy et al. 2012).
    """
    users, position = np.unique(user_id, return_inverse=True)
    drawn = weights_of(users, seed, first, count)
    return np.asarray(np.take(drawn, position, axis=1), dtype=np.float64)


def weights_of(users: npt.NDArray[np.int64], seed: int, first: int, count: int) -> Floats:
    """`user_weights` of users who stand once."""
    replicates = np.arange(first, first + count, dtype=np.uint64)[:, None]
    mixed = mix(
        mix(users.astype(np.uint64)[None, :]) ^ mix(replicates + np.uint64(seed) * np.uint64(1_000_003))
    )
    uniform = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    weights: Floats = np.searchsorted(_POISSON, uniform, side="right").astype(np.float64)
    if first == 0:
        weights[0] = 1.0
    return weights


def replicate_chunks(rows: int, first: int, count: int) -> list[tuple[int, int]]:
    """(first, count) of replicates that are held in memory together."""
    size, end = max(1, _CELLS // max(rows, 1)), first + count
    return [(start, min(size, end - start)) for start in range(first, end, size)]


@dataclass(frozen=True)
class Ranked:
    """Rows from the highest score down: `order` are their places before; a step is all rows of one score.

    `last` is the place of each step's last row; `bought` are the steps with any label above 0.
    """

    order: Places
    score: Floats
    label: Floats
    loss: Floats
    error: Floats
    last: Places
    bought: Places


def ranked(score: Floats, label: Floats) -> Ranked:
    """The rows in the order in which `parts` wants their weights."""
    order = np.argsort(-score, kind="stable")
    score, label = score[order], label[order]
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    clipped = np.clip(score, _CLIP, 1 - _CLIP)
    return Ranked(
        order=order,
        score=score,
        label=label,
        loss=-(label * np.log(clipped) + (1 - label) * np.log1p(-clipped)),
        error=np.square(score - label),
        last=last,
        bought=np.flatnonzero(np.add.reduceat(label, np.append(0, last[:-1] + 1)) > 0),
    )


def parts(rows: Ranked, weight: Floats) -> dict[str, Floats]:
    """What each metric is made of, a row a replicate; `weight` has a column a row, in their order.

    Rows of equal score count as one step, whatever their order. Columns of the results: `auc`, `ap`,
    `log_loss`, `brier` one; `top` one per `TOP`; `curve` one per `CURVE` (the first replicate only);
    `bin_weight`, `bin_label`, `bin_score` one per bin of equal weight, highest scores first; of `pos` and
    `neg`, the weight of positives and negatives, none: a number a replicate.
    """
    pos = weight @ rows.label
    size = weight.sum(axis=1)
    cum_pos, cum_all = np.cumsum(weight * rows.label, axis=1), np.cumsum(weight, axis=1)
    if len(rows.last) < len(rows.score):
        cum_pos, cum_all = np.take(cum_pos, rows.last, axis=1), np.take(cum_all, rows.last, axis=1)
    return {
        "pos": pos,
        "neg": size - pos,
        **_ranking(rows.bought, cum_pos, cum_all, size - pos),
        "log_loss": (weight @ rows.loss)[:, None],
        "brier": (weight @ rows.error)[:, None],
        "top": _positives_in_top(TOP, cum_all, cum_pos, size),
        "curve": _positives_in_top(CURVE, cum_all[:1], cum_pos[:1], size[:1]),
        **_bins(rows, weight, cum_all, cum_pos, size),
    }


def _ranking(bought: Places, cum_pos: Floats, cum_all: Floats, negatives: Floats) -> dict[str, Floats]:
    """Areas under the curves: steps without a buyer add nothing to them."""
    pos_so_far, all_so_far = (np.take(value, bought, axis=1) for value in (cum_pos, cum_all))
    pos, every = (
        value - np.where(bought > 0, np.take(whole, np.maximum(bought - 1, 0), axis=1), 0.0)
        for value, whole in ((pos_so_far, cum_pos), (all_so_far, cum_all))
    )
    neg = every - pos
    neg_below = negatives[:, None] - (all_so_far - pos_so_far)
    precision = np.divide(pos_so_far, all_so_far, out=np.zeros_like(pos_so_far), where=all_so_far > 0)
    return {
        "auc": (pos * (neg_below + neg / 2)).sum(axis=1)[:, None],
        "ap": (pos * precision).sum(axis=1)[:, None],
    }


def _positives_in_top(shares: tuple[float, ...], cum_all: Floats, cum_pos: Floats, size: Floats) -> Floats:
    """Positives among the top share of the rows; rows tied at its edge count pro rata."""
    positives = np.empty((len(size), len(shares)))
    for replicate in range(len(size)):
        x = np.concatenate([[0.0], cum_all[replicate]])
        y = np.concatenate([[0.0], cum_pos[replicate]])
        positives[replicate] = np.interp(np.array(shares) * size[replicate], x, y)
    return positives


def _bins(rows: Ranked, weight: Floats, cum_all: Floats, cum_pos: Floats, size: Floats) -> dict[str, Floats]:
    """Sums per bin of equal weight; rows of equal score lie together in the bin of their middle rank."""
    ranks = cum_all.copy()  # of each step: twice its middle rank here; whole numbers, as the weights are
    ranks[:, 1:] += cum_all[:, :-1]
    borders = np.arange(1, BINS) * (2 * size[:, None]) / BINS
    edges = [of_steps.searchsorted(inner) for of_steps, inner in zip(ranks, borders, strict=True)]
    steps = np.pad(edges, ((0, 0), (1, 1)), constant_values=(0, len(rows.last)))

    def between(cumulated: Floats) -> Floats:
        reached = np.where(steps > 0, np.take_along_axis(cumulated, steps - 1, axis=1), 0.0)
        return np.diff(reached, axis=1)

    ends = np.append(0, rows.last + 1)[steps].tolist()  # rows before each edge
    of_bins = [
        [one[start:end].dot(rows.score[start:end]) for start, end in itertools.pairwise(reached)]
        for one, reached in zip(weight, ends, strict=True)
    ]
    return {
        "bin_weight": between(cum_all),
        "bin_label": between(cum_pos),
        "bin_score": np.array(of_bins),
    }
