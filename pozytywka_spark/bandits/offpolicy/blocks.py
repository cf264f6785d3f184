"""Decisions as arrays: rows with as many eligible arms each make a matrix, arms and groups are numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.bandits.seen import EDGES
from pozytywka_spark.errors import DataError

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]
Value = TypeVar("Value", bound=np.generic)
NEEDED = ("user_id", "decided_at", "group", "eligible", "chosen", "probability", "days_since", "reward")
_SPELT_OUT = 2_500_000  # eligible arms in lists
_AT_ONCE = 1_000_000  # eligible arms of a block: what is worked out of each is an array of so many numbers
SEEN_BUCKETS = len(EDGES) + 1  # the first is never
_LONG_AGO = 4_096  # days, by which all that was shown was shown
_BUCKET_OF_DAY = np.searchsorted(EDGES, np.arange(_LONG_AGO + 1), side="right").astype(np.intp)
_BUCKET_OF_DAY[_LONG_AGO] = 0


@dataclass(frozen=True)
class Names:
    """What the numbers of `Block` stand for."""

    arms: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Decisions with the same number of eligible arms each.

    `rows`: the decisions, in their order; `group` a number each; `arms`: of each decision its eligible arms,
    in the log's order; `days` since the user was shown each, infinite for never; `chosen`: the chosen arm's
    place among the eligible.
    """

    rows: pl.DataFrame
    group: Codes
    arms: Codes
    days: Floats
    chosen: Numbers

    def of_chosen(self, values: npt.NDArray[Value]) -> npt.NDArray[Value]:
        """Of a value for each eligible arm, that of the chosen one."""
        count, wide = self.arms.shape
        chosen: npt.NDArray[Value] = values.ravel()[np.arange(count) * wide + self.chosen]
        return chosen

    @property
    def seen(self) -> npt.NDArray[np.intp]:
        """The bucket of each eligible arm's days: 0 for never, then those of `seen.EDGES` from 1 on."""
        bucket: npt.NDArray[np.intp] = _BUCKET_OF_DAY[np.minimum(self.days, _LONG_AGO).astype(np.int16)]
        return bucket


def names_of(decisions: pl.DataFrame, known: Names = Names((), ())) -> Names:
    """The arms and groups that are there, after those that are known already."""
    arms = decisions.get_column("eligible").explode().drop_nulls().unique().sort().to_list()
    groups = decisions.get_column("group").fill_null("").unique().sort().to_list()
    return Names(
        known.arms + tuple(arm for arm in arms if arm not in set(known.arms)),
        known.groups + tuple(group for group in groups if group not in set(known.groups)),
    )


def spelt_out(decisions: pl.DataFrame, arms: Sequence[str] | None) -> pl.DataFrame:
    """The rows with no list null: `eligible` null means `arms` and all that these rows chose (None: only the
    chosen one, where no other is asked about), `days_since` null, or without `eligible`, that none was shown.
    """
    is_open = pl.col("eligible").is_null()
    rows = decisions
    if decisions.get_column("eligible").null_count():
        everything = pl.concat_list("chosen")
        if arms is not None:
            chosen = decisions.get_column("chosen").unique().to_list()
            everything = pl.lit(sorted({*arms, *chosen}), pl.List(pl.String))
        days = pl.when(~is_open).then("days_since")
        rows = decisions.with_columns(eligible=pl.col("eligible").fill_null(everything), days_since=days)
    if not rows.get_column("days_since").null_count():
        return rows
    never = pl.lit(None, pl.Float64).repeat_by(pl.col("eligible").list.len())
    return rows.with_columns(days_since=pl.col("days_since").cast(pl.List(pl.Float64)).fill_null(never))


def slices(decisions: pl.DataFrame, arms: int) -> Iterator[pl.DataFrame]:
    """The rows, so many at a time as a task may spell out; `arms`: how many `eligible` null means."""
    widest = decisions.get_column("eligible").list.len().max()
    assert widest is None or isinstance(widest, int)
    if decisions.get_column("eligible").null_count():
        widest = max(widest or 0, arms)
    yield from decisions.iter_slices(max(1, _SPELT_OUT // max(1, widest or 1)))


def blocks(decisions: pl.DataFrame, names: Names) -> Iterator[Block]:
    """All decisions, some at a time. `eligible` and `days_since` are lists of one length, none null.

    Raises `DataError` if a chosen arm isn't among the eligible, or lengths differ.
    """
    lengths = decisions.select(arms=pl.col("eligible").list.len(), days=pl.col("days_since").list.len())
    if not lengths.get_column("arms").equals(lengths.get_column("days")):
        raise DataError("decisions: days_since isn't as long as eligible; expected days of each eligible arm")
    arm, group = pl.Enum(names.arms), pl.Enum(names.groups)
    wide = lengths.get_column("arms")
    for length in wide.unique().sort().to_list():
        mine = decisions if wide.n_unique() == 1 else decisions.filter(wide == length)
        for rows in mine.iter_slices(max(1, _AT_ONCE // max(1, length))):
            yield _block(rows, length, arm, group)


def _block(rows: pl.DataFrame, length: int, arm: pl.Enum, group: pl.Enum) -> Block:
    flat = rows.get_column("eligible").explode().cast(arm).to_physical().to_numpy()
    arms = flat.astype(np.uint32, copy=False).reshape(rows.height, length)
    days = rows.get_column("days_since").explode().cast(pl.Float64)
    chosen = rows.get_column("chosen").cast(arm, strict=False).to_physical().fill_null(len(arm.categories))
    is_chosen = arms == chosen.to_numpy()[:, None]
    if not is_chosen.any(axis=1).all():
        raise DataError("decisions: a chosen arm isn't eligible; expected it among `eligible`")
    return Block(
        rows=rows,
        group=rows.get_column("group").fill_null("").cast(group).to_physical().to_numpy(),
        arms=arms,
        days=days.fill_null(np.inf).to_numpy().reshape(rows.height, length),
        chosen=is_chosen.argmax(axis=1),
    )
