"""Communities of a weighted graph that come out nearly the same from nearly the same counts.

One run of Leiden (Traag, Waltman, van Eck 2019) maximises modularity, and many partitions that differ much
have nearly its maximum: of two bootstrap samples of 27,524 artists two single runs agree by an adjusted Rand
index of 0.68 to 0.79. So it is run on several samples of the counts, each edge's weight drawn from a Poisson
of it, and once more on the same edges weighted by how many of the samples put both ends together (consensus
clustering, Lancichinetti and Fortunato 2012): 0.79 to 0.87 with 40 samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pozytywka_spark.extras.communities import leiden

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
UNKNOWN = -1  # the community before of who wasn't there
_SAY_OF_BEFORE = 0.5  # the weight of communities before beside that of all samples together


@dataclass(frozen=True)
class Graph:
    """`nodes` numbered from 0; `edges` (a row two nodes) and their `weights`, whole numbers above 0."""

    nodes: int
    edges: Ints
    weights: Ints

    def part(self, members: Ints) -> Graph:
        """The graph of some nodes (ascending), numbered in their order."""
        place = np.full(self.nodes, -1, np.int64)
        place[members] = np.arange(len(members))
        edges = place[self.edges]
        inside = (edges >= 0).all(axis=1)
        return Graph(len(members), edges[inside], self.weights[inside])


@dataclass(frozen=True)
class Search:
    """`resolution` of the modularity, samples (`rounds`), the `seed` of both."""

    resolution: float
    rounds: int
    seed: int


def communities(graph: Graph, search: Search, before: Ints | None = None) -> Ints:
    """The community of each node, numbered from 0 in the order of their first nodes.

    `before`: communities as they were, `UNKNOWN` for new nodes. They have a say as so many samples more, and
    the search begins with them: what is as good either way stays as it was.
    """
    if not len(graph.edges):
        return np.arange(graph.nodes)
    import igraph  # of an extra

    # an edge that a sample hasn't drawn stays, with weight 0: the network is built once
    network = igraph.Graph(n=graph.nodes, edges=graph.edges)
    together = np.zeros(len(graph.edges))
    if before is not None:
        one, other = before[graph.edges[:, 0]], before[graph.edges[:, 1]]
        together += _SAY_OF_BEFORE * search.rounds * ((one == other) & (one != UNKNOWN))
    drawn = np.random.default_rng(search.seed)
    for number in range(search.rounds):
        weights = drawn.poisson(graph.weights).astype(np.float64)
        labels = leiden(network, weights, search.seed + number, resolution=search.resolution)
        together += labels[graph.edges[:, 0]] == labels[graph.edges[:, 1]]
    start = None if before is None else _each_new_alone(before)
    mean = together / search.rounds
    return _in_order(leiden(network, mean, search.seed, resolution=search.resolution, start=start))


def _each_new_alone(before: Ints) -> Ints:
    alone = before.max(initial=0) + 1 + np.arange(len(before))
    return np.unique(np.where(before == UNKNOWN, alone, before), return_inverse=True)[1].astype(np.int64)


def _in_order(labels: Ints) -> Ints:
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)
