"""Where a genre belongs by those that it stands beside, and how sure that is."""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.topics.communities import Floats, Graph, Ints

NONE = -1  # the label of who belongs nowhere yet


def attached(graph: Graph, labels: Ints) -> Ints:
    """`labels` with those of nodes that had `NONE` and are linked, maybe through others, to one that had.

    The label that most of its weight goes to, on a tie the lower one; nearer nodes first.
    """
    labels = labels.copy()
    while True:
        best = _best(graph, labels)
        if not best.height:
            return labels
        labels[best.get_column("node").to_numpy()] = best.get_column("label").to_numpy()


def _best(graph: Graph, labels: Ints) -> pl.DataFrame:
    """`node`, `label` of those without one that have labelled neighbours."""
    links = _links(graph, labels).filter(pl.col("mine") == NONE, pl.col("label") != NONE)
    weights = links.group_by("node", "label").agg(pl.col("weight").sum())
    return weights.sort("node", pl.col("weight"), "label", descending=[False, True, False]).unique(
        "node", keep="first", maintain_order=True
    )


def company(graph: Graph, labels: Ints) -> Floats:
    """Of each node, which share of its weight goes to nodes of its label (0 to 1); NaN without links."""
    links = _links(graph, labels)
    shares = (
        links.group_by("node")
        .agg(
            inside=pl.col("weight").filter(pl.col("mine") == pl.col("label")).sum(),
            weight=pl.col("weight").sum(),
        )
        .select("node", share=pl.col("inside") / pl.col("weight"))
    )
    found = np.full(graph.nodes, np.nan)
    found[shares.get_column("node").to_numpy()] = shares.get_column("share").to_numpy()
    return found


def _links(graph: Graph, labels: Ints) -> pl.DataFrame:
    """A row a node and neighbour: `node`, its label (`mine`), the neighbour's (`label`), `weight`."""
    node = np.concatenate([graph.edges[:, 0], graph.edges[:, 1]])
    other = np.concatenate([graph.edges[:, 1], graph.edges[:, 0]])
    weight = np.concatenate([graph.weights, graph.weights])
    return pl.DataFrame({"node": node, "mine": labels[node], "label": labels[other], "weight": weight})
