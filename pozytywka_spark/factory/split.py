"""A group's cases as training and tested ones: by time, with a gap, no account on both sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from pozytywka_spark.factory.proof.binomial import Whole
from pozytywka_spark.factory.proof.cases import Flags

DAY_MICROS = 86_400_000_000
_LEAST = 0.5  # of the earlier cases must stay for training where accounts go on into the tested time


def witnesses(accounts: pl.Series) -> Whole:
    """Of a column of lists a number for each case; cases that share an account, directly or through others,
    have the same.
    """
    owners = accounts.explode().drop_nulls().to_numpy().astype(np.int64, copy=False)
    cases = len(accounts)
    rows = np.repeat(np.arange(cases), accounts.list.len().to_numpy().astype(np.int64))
    names, place = np.unique(owners, return_inverse=True)
    size = cases + len(names)
    ones = np.ones(len(rows), dtype=np.int8)
    graph = coo_matrix((ones, (rows, cases + place)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][:cases], dtype=np.int64)


def first_of_witnesses(cases: pl.DataFrame) -> pl.DataFrame:
    """Each witness's first case, in their order; `cases` have `accounts`."""
    owner = pl.Series("witness", witnesses(cases.get_column("accounts")))
    return cases.with_columns(owner).unique("witness", keep="first", maintain_order=True)


def split(
    cut_off: Whole, witness: Whole, order: npt.NDArray[np.uint64], share: float, purge_days: int
) -> tuple[Flags, Flags]:
    """Which cases are training, which tested (neither: left out); `cut_off` in microseconds.

    The first `share` of the cases by time are training but for the last `purge_days` of them (a twentieth of
    the whole time at most). Accounts with cases in both are tested, for so are later cases' accounts; where
    that would leave less than half of the training cases, each such account is thrown to a side by its hash.
    """
    none = np.zeros(len(cut_off), np.bool_)
    if len(cut_off) < 2:
        return none, none.copy()
    boundary = np.sort(cut_off)[min(int(len(cut_off) * share), len(cut_off) - 1)]
    gap = min(purge_days * DAY_MICROS, int(cut_off.max() - cut_off.min()) // 20)
    early, late = cut_off < boundary - gap, cut_off >= boundary
    if not early.any():
        early = cut_off < boundary
    if not early.any():  # cases of one moment have no order of time: accounts are thrown
        return _thrown(none | True, none | True, witness, order, share)
    both = np.isin(witness, witness[early]) & np.isin(witness, witness[late])
    training = early & ~both
    if training.sum() >= _LEAST * early.sum():
        return training, late
    return _thrown(early, late, witness, order, share)


def _thrown(
    early: Flags, late: Flags, witness: Whole, order: npt.NDArray[np.uint64], share: float
) -> tuple[Flags, Flags]:
    both = np.isin(witness, witness[early]) & np.isin(witness, witness[late])
    owners, place = np.unique(witness, return_inverse=True)
    lowest = np.full(len(owners), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(lowest, place, order)
    ranks = np.argsort(np.argsort(lowest)) / max(len(owners), 1)
    learns = (ranks < share)[place]
    return early & (~both | learns), late & (~both | ~learns)
