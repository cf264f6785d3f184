"""Peeling finds a group nearly as dense as the densest there is, and camouflage doesn't hide one."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.fraud.rings.peel import EPSILON, Array, densest, edge_weights


def density(account: Array, track: Array, weight: Array, accounts: Array, tracks: Array) -> float:
    inside = accounts[account] & tracks[track]
    return float(weight[inside].sum() / max(1, accounts.sum() + tracks.sum()))


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1), st.integers(0, 1000))
def test_the_group_is_nearly_the_densest(edges: set[tuple[int, int]], seed: int) -> None:
    account, track = (np.array(side) for side in zip(*sorted(edges), strict=True))
    weight = np.random.default_rng(seed).exponential(1.0, len(account))
    found = densest(account, track, weight)
    best = max(
        density(account, track, weight, np.array(some[:5]), np.array(some[5:]))
        for some in product([False, True], repeat=10)
    )
    accounts, tracks = np.resize(found[0], len(found[0])), found[1]
    assert density(account, track, weight, accounts, tracks) >= best / (2 * (1 + EPSILON)) - 1e-12


def test_a_group_is_found_under_camouflage() -> None:
    """Ten accounts play five tracks; each also plays twenty of a thousand, as three hundred others do."""
    rng = np.random.default_rng(3)
    ring = [(user, track) for user in range(10) for track in range(5)]
    cover = [(user, 5 + int(track)) for user in range(310) for track in rng.choice(1000, 20, replace=False)]
    account, track = (np.array(side) for side in zip(*ring, *cover, strict=True))
    weight = np.where(np.arange(len(account)) < len(ring), 20.0, 1.0)
    accounts, tracks = densest(account, track, edge_weights(track, weight))
    assert np.flatnonzero(accounts).tolist() == list(range(10))
    assert tracks[:5].all()
    assert tracks.sum() < 15


def test_a_track_of_many_weighs_less() -> None:
    weights = edge_weights(np.array([0, 0, 0, 1]), np.ones(4))
    assert weights[0] == 1 / np.log(8)
    assert weights[3] == 1 / np.log(6)


def test_no_edges_make_no_group() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert [len(side) for side in densest(nothing, nothing, nothing.astype(float))] == [0, 0]
