"""Accounts that share tracks they play far too much -> rings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse import csgraph

from pozytywka_spark.fraud.rings.excess import ACCOUNT, TRACK, surprise
from pozytywka_spark.fraud.rings.peel import Array, densest, edge_weights

ALIKE = 0.5  # less than the cosine between the tracks that two accounts of a ring play far too much
PASSES = 10
PAIRS = 10_000_000  # of accounts that tracks may bring together, at most: the tracks of most accounts don't


@dataclass(frozen=True)
class Least:
    """Of a ring: tracks that accounts share, and accounts."""

    tracks: int = 3
    accounts: int = 2


def rings_among(edges: pl.DataFrame, least: Least) -> pl.DataFrame:
    """Rings among the accounts and tracks of `excess.far_more`.

    Returns a row a ring and account: ring (its smallest account), user_id, score (nats by which its plays of
    the ring's tracks exceed what is explained), tracks (those of them, sorted), by ring and account.
    """
    edges = edges.with_columns(surprise(edges), pl.len().over(ACCOUNT).alias("all_tracks"))
    edges = _core(edges, least)
    found = [ring for group in _linked(edges, least) for ring in _rings_of(group, least)]
    return pl.concat([_EMPTY, *found]).sort("ring", ACCOUNT)


_EMPTY = pl.DataFrame(
    schema={"ring": pl.Int64(), ACCOUNT: pl.Int64(), "score": pl.Float64(), "tracks": pl.List(pl.String())}
)


def _core(edges: pl.DataFrame, least: Least) -> pl.DataFrame:
    """What is left once accounts and tracks of too few edges are gone, in a few passes.

    Nothing that goes could be part of a ring. What more passes would remove is only looked at in vain.
    """
    for _ in range(PASSES):
        left = edges.filter(pl.len().over(TRACK) >= least.accounts)
        left = left.filter(pl.len().over(ACCOUNT) >= least.tracks)
        if left.height == edges.height:
            break
        edges = left
    return edges


def _linked(edges: pl.DataFrame, least: Least) -> list[pl.DataFrame]:
    """Edges by connected component of accounts that are alike."""
    if not edges.height:
        return []
    accounts, account = np.unique(edges.get_column(ACCOUNT).to_numpy(), return_inverse=True)
    track = _numbered(edges, TRACK)
    joins = _may_join(track)[track]
    shape = (len(accounts), int(track.max()) + 1)
    beside = sparse.csr_matrix((joins.astype(np.int32), (account, track)), shape=shape)
    shared = (beside @ beside.T).tocoo()
    played = np.zeros(len(accounts))
    played[account] = edges.get_column("all_tracks").to_numpy()
    cosine = shared.data / np.sqrt(played[shared.row] * played[shared.col])
    alike = (shared.data >= least.tracks) & (cosine > ALIKE)
    links = sparse.csr_matrix(
        (np.ones(int(alike.sum()), dtype=bool), (shared.row[alike], shared.col[alike])),
        shape=(len(accounts), len(accounts)),
    )
    _, component = csgraph.connected_components(links, directed=False)
    return (
        edges.with_columns(pl.Series("component", component[account]))
        .filter(pl.col(ACCOUNT).n_unique().over("component") >= least.accounts)
        .partition_by("component", include_key=False, maintain_order=True)
    )


def _may_join(track: Array) -> Array:
    """Which tracks bring accounts together: those of fewest accounts, as long as the pairs are few enough."""
    degree = np.bincount(track).astype(np.int64)
    order = np.argsort(degree, kind="stable")
    allowed = np.zeros(len(degree), dtype=bool)
    allowed[order[np.cumsum(degree[order] ** 2) <= PAIRS]] = True
    return allowed


def _rings_of(edges: pl.DataFrame, least: Least) -> Iterator[pl.DataFrame]:
    """The densest group of a component, with all accounts that share enough of its tracks; then that of what
    is left without them, as long as there is one."""
    while edges.height:
        track = _numbered(edges, TRACK)
        account = _numbered(edges, ACCOUNT)
        _, tracks = densest(account, track, edge_weights(track, edges.get_column("surprise").to_numpy()))
        members = (
            edges.filter(pl.Series(tracks[track]))
            .sort(ACCOUNT, TRACK)
            .group_by(ACCOUNT, maintain_order=True)
            .agg(pl.col("surprise").sum().alias("score"), pl.col(TRACK).alias("tracks"))
            .filter(pl.col("tracks").list.len() >= least.tracks)
        )
        if members.height < least.accounts:
            return
        yield members.select(pl.col(ACCOUNT).min().alias("ring"), ACCOUNT, "score", "tracks")
        edges = edges.join(members, on=ACCOUNT, how="anti")


def _numbered(edges: pl.DataFrame, column: str) -> Array:
    """The column's values as numbers from 0, in their order."""
    return edges.get_column(column).rank("dense").cast(pl.Int64).to_numpy() - 1
