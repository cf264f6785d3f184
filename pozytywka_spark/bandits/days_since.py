"""Days since a user was last shown an arm, worked out from the log. No Spark here.

A table of users and arms says when each was last shown. A user's decisions are taken in turns: all users'
first ones are looked up at once, then entered, then all second ones. Nothing is sorted but the decisions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pozytywka_spark.months import DAY_MICROS

_NEVER = np.iinfo(np.int64).min
Numbers = npt.NDArray[np.int64]


class ShownBefore:
    """When users were last shown the arms of a slot, up to a time that only moves on."""

    def __init__(self) -> None:
        self._users = np.empty(0, dtype=np.int64)
        self._arms: dict[str, int] = {}
        self._at = np.full((0, 0), _NEVER)

    def add(self, rows: pl.DataFrame) -> None:
        """Decisions: `user_id`, `decided_at`, `chosen`."""
        if not rows.height:
            return
        user, arm = self._admitted(rows)
        last = pl.DataFrame({"cell": user * len(self._arms) + arm, "at": _micros(rows)})
        last = last.group_by("cell").agg(pl.col("at").max())
        cell, flat = last.get_column("cell").to_numpy(), self._at.reshape(-1)
        flat[cell] = np.maximum(flat[cell], last.get_column("at").to_numpy())

    def with_days_since(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`rows` (none before those that were added) with `days_since` where it was null as a whole:
        fractional days since the user was last shown each of `eligible`, before `decided_at`; null inside:
        never. The rows are added.
        """
        eligible = rows.get_column("eligible")
        is_open = (rows.get_column("days_since").is_null() & eligible.is_not_null()).to_numpy()
        asked = eligible.filter(pl.Series(is_open))
        named = asked.filter(asked.list.len() > 0).explode()  # of an empty list it would make a null
        user, chosen = self._admitted(rows, named.unique())
        at = _micros(rows)
        sizes = np.zeros(rows.height, dtype=np.int64)
        sizes[is_open] = asked.list.len().to_numpy()
        begin = np.cumsum(sizes) - sizes
        arms = self._coded(named)
        shown = np.full(len(arms), _NEVER)
        for turn in _turns(user, at):
            place = _places(begin[turn], sizes[turn])
            shown[place] = self._at[np.repeat(user[turn], sizes[turn]), arms[place]]
            mine = user[turn], chosen[turn]
            # of the same time and arm there may be several, which are the same
            self._at[mine] = np.maximum(self._at[mine], at[turn])
        gap = np.repeat(at, sizes) - shown
        days = np.where(shown == _NEVER, np.nan, gap / DAY_MICROS)
        return rows.with_columns(_lists(days, sizes, is_open).alias("worked_out")).select(
            pl.coalesce(pl.col(name), "worked_out").alias(name) if name == "days_since" else name
            for name in rows.columns
        )

    def _admitted(self, rows: pl.DataFrame, arms: pl.Series | None = None) -> tuple[Numbers, Numbers]:
        """Which user and which chosen arm of the table each decision has; who isn't in it yet is now."""
        ids = rows.get_column("user_id").to_numpy()
        users = np.union1d(self._users, ids)
        for names in (rows.get_column("chosen").unique(), arms):
            for name in names.sort() if names is not None else ():
                self._arms.setdefault(name, len(self._arms))
        if (len(users), len(self._arms)) != self._at.shape:
            before = self._at
            self._at = np.full((len(users), len(self._arms)), _NEVER)
            self._at[np.searchsorted(users, self._users), : before.shape[1]] = before
            self._users = users
        return np.searchsorted(users, ids), self._coded(rows.get_column("chosen"))

    def _coded(self, names: pl.Series) -> Numbers:
        return names.cast(pl.Enum(list(self._arms))).to_physical().cast(pl.Int64).to_numpy()


def with_days_since(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` of a slot, all there are, with `days_since` where it was null as a whole."""
    numbered = rows.with_columns(pl.col("user_id").rank("dense").cast(pl.Int64))
    return ShownBefore().with_days_since(numbered).with_columns(rows.get_column("user_id"))


def _micros(rows: pl.DataFrame) -> Numbers:
    return rows.get_column("decided_at").dt.epoch("us").to_numpy()


def _turns(user: Numbers, at: Numbers) -> Iterator[Numbers]:
    """Rows by turn: a user's decisions of one time are in one, later ones in a later one."""
    if not len(user):
        return
    order = np.lexsort((at, user))
    is_first = np.diff(user[order], prepend=-1) != 0
    is_later = is_first | (np.diff(at[order], prepend=at[order[0]]) != 0)
    number = np.cumsum(is_later)
    turn = number - number[is_first][np.cumsum(is_first) - 1]
    by_turn = order[np.argsort(turn, kind="stable")]
    yield from np.split(by_turn, np.cumsum(np.bincount(turn))[:-1])


def _places(begin: Numbers, sizes: Numbers) -> Numbers:
    """The numbers of each of some stretches, one stretch after the other."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1]) + np.repeat(begin - ends + sizes, sizes)


def _lists(days: npt.NDArray[np.float64], sizes: Numbers, is_open: npt.NDArray[np.bool_]) -> pl.Series:
    """A list a row; null where it isn't open."""
    offsets = pa.array(np.append(0, np.cumsum(sizes)), mask=np.append(~is_open, False))
    values = pa.array(days, from_pandas=True)
    return pl.Series(pl.from_arrow(pa.LargeListArray.from_arrays(offsets.cast(pa.int64()), values)))
