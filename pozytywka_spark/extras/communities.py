"""Communities of a network by Leiden, as igraph of the extra `topics` has it, the same each time.

Traag, Waltman, van Eck, "From Louvain to Leiden: guaranteeing well-connected communities" (2019).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import igraph

UNTIL_NOTHING_MOVES = -1


def leiden(
    network: igraph.Graph,
    weights: npt.NDArray[np.float64],
    seed: int,
    *,
    resolution: float = 1.0,
    iterations: int = UNTIL_NOTHING_MOVES,
    start: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.int64]:
    """The number of each node's community, of the greatest modularity that was found.

    `weights` of the network's edges; `resolution`: higher makes more, smaller ones; `start`: communities to
    begin with, each node alone if unset.
    """
    import igraph

    igraph.set_random_number_generator(random.Random(seed))  # noqa: S311 to be repeatable, not secret
    try:
        found = network.community_leiden(
            objective_function="modularity",
            weights=weights.tolist(),
            resolution=resolution,
            n_iterations=iterations,
            initial_membership=None if start is None else start.tolist(),
        )
    finally:
        igraph.set_random_number_generator(random)
    return np.asarray(found.membership, np.int64)
