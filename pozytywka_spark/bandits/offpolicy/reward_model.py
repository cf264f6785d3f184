"""What an arm brings, by group and how long ago the user saw it: fitted on other users than it is asked of.

Users are cut into folds by a stated hash; a decision is valued by the model of its user's fold, which was
fitted on all other folds. The model is a ridge regression on the sums of cells (scikit-learn), with a term
for arm, group, bucket of days and each arm with either: what a cell has beyond its parts counts as much as
its decisions warrant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.bandits.offpolicy.blocks import SEEN_BUCKETS, Block, Floats, Names
from pozytywka_spark.bandits.offpolicy.cell_design import Design
from pozytywka_spark.hashing.dice import dice

FOLDS = 5
CELL = ("fold", "arm", "group", "seen")
_SEED = 261_702
_PENALTIES = (30.0, 300.0, 3_000.0, 30_000.0)  # in decisions: a cell of as many is drawn half to its parts
_CELLS = pl.Schema(
    {
        "fold": pl.Int64(),
        "arm": pl.String(),
        "group": pl.String(),
        "seen": pl.Int64(),
        "rounds": pl.Float64(),
        "reward": pl.Float64(),
    }
)


def fold_of(users: pl.Series) -> npt.NDArray[np.intp]:
    """Each user's fold, from 0 on."""
    thrown = dice(users.to_frame("user_id"), _SEED, ("user_id",)).to_numpy()
    folds: npt.NDArray[np.intp] = (thrown % np.uint64(FOLDS)).astype(np.intp)
    return folds


def cells_of(blocks: Iterable[Block], names: Names) -> pl.DataFrame:
    """Sums of decisions by fold, chosen arm, group and bucket of its days: `rounds`, `reward`."""
    shape = (FOLDS, len(names.arms), len(names.groups), SEEN_BUCKETS)
    rounds, reward = np.zeros(int(np.prod(shape))), np.zeros(int(np.prod(shape)))
    for block in blocks:
        place = np.ravel_multi_index(
            (
                fold_of(block.rows.get_column("user_id")),
                block.of_chosen(block.arms).astype(np.intp),
                block.group.astype(np.intp),
                block.of_chosen(block.seen),
            ),
            shape,
        )
        rounds += np.bincount(place, minlength=len(rounds))
        reward += np.bincount(place, block.rows.get_column("reward").to_numpy(), minlength=len(reward))
    used = np.flatnonzero(rounds)
    fold, arm, group, seen = np.unravel_index(used, shape)
    columns = {
        "fold": fold,
        "arm": pl.Series(names.arms, dtype=pl.String).gather(arm),
        "group": pl.Series(names.groups, dtype=pl.String).gather(group),
        "seen": seen,
        "rounds": rounds[used],
        "reward": reward[used],
    }
    return pl.DataFrame(columns, schema=_CELLS)


@dataclass(frozen=True)
class RewardModel:
    """An expected reward is `by_group` of fold, group and arm plus `by_days` of fold, arm and bucket."""

    names: Names
    by_group: Floats
    by_days: Floats

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """As rows: `fold`, `group`, `arm`, `value`; and `fold`, `arm`, `seen`, `value`."""
        arms = pl.Series(self.names.arms, dtype=pl.String)
        groups = pl.Series(self.names.groups, dtype=pl.String)
        fold, group, arm = (axis.ravel() for axis in np.indices(self.by_group.shape))
        by_group = pl.DataFrame(
            {
                "fold": fold,
                "group": groups.gather(group),
                "arm": arms.gather(arm),
                "value": self.by_group.ravel(),
            }
        )
        fold, arm, seen = (axis.ravel() for axis in np.indices(self.by_days.shape))
        by_days = pl.DataFrame(
            {"fold": fold, "arm": arms.gather(arm), "seen": seen, "value": self.by_days.ravel()}
        )
        return by_group, by_days

    @classmethod
    def of_frames(cls, by_group: pl.DataFrame, by_days: pl.DataFrame) -> RewardModel:
        """From `frames`."""
        arms = by_group.get_column("arm").unique(maintain_order=True).to_list()
        groups = by_group.get_column("group").unique(maintain_order=True).to_list()
        return cls(
            Names(tuple(arms), tuple(groups)),
            by_group.get_column("value").to_numpy().reshape(FOLDS, len(groups), len(arms)),
            by_days.get_column("value").to_numpy().reshape(FOLDS, len(arms), SEEN_BUCKETS),
        )

    def laid_out(self, names: Names) -> RewardModel:
        """The same for other names; an arm or group that it never met has the mean of those that it did."""
        arms = [_place(self.names.arms, arm) for arm in names.arms]
        groups = [_place(self.names.groups, group) for group in names.groups]
        by_group = _with_mean(_with_mean(self.by_group, 2), 1)[:, groups][:, :, arms]
        return RewardModel(names, by_group, _with_mean(self.by_days, 1)[:, arms])

    def expected(self, block: Block) -> Floats:
        """The reward of each eligible arm of each decision."""
        _, groups, arms = self.by_group.shape
        fold = fold_of(block.rows.get_column("user_id"))[:, None]
        place = block.arms.astype(np.intp)
        values: Floats = self.by_group.ravel()[(fold * groups + block.group[:, None]) * arms + place]
        values += self.by_days.ravel()[(fold * arms + place) * SEEN_BUCKETS + block.seen]
        return values


def _place(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _with_mean(values: Floats, axis: int) -> Floats:
    return np.concatenate([values, values.mean(axis=axis, keepdims=True)], axis=axis)


def fit(cells: pl.DataFrame) -> RewardModel:
    """A model of each fold, from the sums of the others; `cells` may have a cell several times."""
    cells = cells.group_by(CELL).agg(pl.col("rounds").sum(), pl.col("reward").sum()).sort(CELL)
    names = Names(
        tuple(cells.get_column("arm").unique().sort().to_list()),
        tuple(cells.get_column("group").unique().sort().to_list()),
    )
    fold = cells.get_column("fold").to_numpy()
    design = Design(cells, names)
    penalty = _best_penalty(design, fold)
    fitted = [design.fitted(fold != one, penalty) for one in range(FOLDS)]
    by_group, by_days = (np.array(each) for each in zip(*fitted, strict=True))
    return RewardModel(names, by_group, by_days)


def _best_penalty(design: Design, fold: npt.NDArray[np.int64]) -> float:
    """The one of least error on the first fold when fitted on the others."""
    held_out = fold == 0
    if not held_out.any() or held_out.all():
        return _PENALTIES[-1]
    errors = [design.error(held_out, *design.fitted(~held_out, penalty)) for penalty in _PENALTIES]
    return _PENALTIES[int(np.argmin(errors))]
