"""The densest group of accounts and tracks, by peeling in few passes.

Density is the weight of a group's edges by its number of nodes, as FRAUDAR's (Hooi et al., KDD 2016), with
tracks that many play weighing less, so that camouflage can't hide a group: plays of ordinary tracks add
hardly any weight to any group. Nodes are peeled off in batches (Bahmani, Kumar, Vassilvitskii, VLDB 2012):
each pass removes all whose weight is at most 2 (1 + ε) times the density... which leaves at most a share of
1 / (1 + ε) of them, so that there are at most log n / log(1 + ε) passes; the densest group that was seen has
at least 1 / (2 (1 + ε)) of the greatest density of all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

EPSILON = 0.1
_MANY = 5.0  # FRAUDAR's constant: the weight of an edge of a track with d accounts is divided by ln(d + 5)


def edge_weights(track: Array, weight: Array) -> Array:
    """The weights of edges as told in the density: less where many accounts meet at a track."""
    degree = np.bincount(track)[track]
    result: Array = weight / np.log(degree + _MANY)
    return result


def densest(account: Array, track: Array, weight: Array) -> tuple[Array, Array]:
    """Which accounts and which tracks belong to the densest group; edges are numbered from 0 on each side."""
    accounts, tracks = int(account.max(initial=-1)) + 1, int(track.max(initial=-1)) + 1
    node = np.concatenate([account, accounts + track])
    alive = np.zeros(accounts + tracks, dtype=bool)
    alive[node] = True
    edge = np.ones(len(account), dtype=bool)
    best, best_density = alive.copy(), -1.0
    while edge.any():
        load = np.bincount(node, np.tile(weight * edge, 2), minlength=len(alive))
        density = float(weight[edge].sum() / alive.sum())
        if density > best_density:
            best, best_density = alive.copy(), density
        alive &= load > 2 * (1 + EPSILON) * density
        edge &= alive[account] & alive[accounts + track]
    return best[:accounts], best[accounts:]
