"""Sums of cells as the rows of a regression: what is fitted for the reward model, and how far it is off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.bandits.offpolicy.blocks import SEEN_BUCKETS, Floats, Names


class Design:
    """Cells as rows of a sparse matrix: a one each for arm, group, bucket, arm and group, arm and bucket."""

    def __init__(self, cells: pl.DataFrame, names: Names) -> None:
        from scipy.sparse import csr_matrix

        self._arms, self._groups = len(names.arms), len(names.groups)
        arm, group = (
            cells.get_column(name).cast(pl.Enum(known)).to_physical().to_numpy().astype(np.intp)
            for name, known in (("arm", names.arms), ("group", names.groups))
        )
        seen = cells.get_column("seen").to_numpy()
        crossed = self._arms * self._groups, self._arms * SEEN_BUCKETS
        widths = np.array([self._arms, self._groups, SEEN_BUCKETS, *crossed])
        self._ends = np.cumsum(widths)
        parts = (arm, group, seen, arm * self._groups + group, arm * SEEN_BUCKETS + seen)
        columns = np.stack(parts, axis=1) + (self._ends - widths)
        begins = np.arange(0, columns.size + 1, columns.shape[1])
        shape = cells.height, int(self._ends[-1])
        self._matrix = csr_matrix((np.ones(columns.size), columns.ravel(), begins), shape=shape)
        self._arm, self._group, self._seen = arm, group, seen
        self._rounds = cells.get_column("rounds").to_numpy()
        self._mean = cells.get_column("reward").to_numpy() / self._rounds

    def fitted(self, rows: npt.NDArray[np.bool_], penalty: float) -> tuple[Floats, Floats]:
        """What a reward is by group and arm, and what is added by arm and bucket; from some of the cells."""
        if not rows.any():  # nothing to learn from: no control, and the estimate is snips
            return np.zeros((self._groups, self._arms)), np.zeros((self._arms, SEEN_BUCKETS))
        from sklearn.linear_model import Ridge

        model = Ridge(alpha=penalty, solver="sparse_cg", tol=1e-6)
        model.fit(self._matrix[rows], self._mean[rows], sample_weight=self._rounds[rows])
        arm, group, seen, arm_group, arm_seen = np.split(model.coef_, self._ends[:-1])
        by_group = arm[:, None] + group[None, :] + arm_group.reshape(self._arms, self._groups)
        by_days = seen[None, :] + arm_seen.reshape(self._arms, SEEN_BUCKETS)
        return (by_group + float(model.intercept_)).T, by_days

    def error(self, rows: npt.NDArray[np.bool_], by_group: Floats, by_days: Floats) -> float:
        """The squared error of a fit on some of the cells, each as often as it has decisions."""
        arm = self._arm[rows]
        fitted = by_group[self._group[rows], arm] + by_days[arm, self._seen[rows]]
        return float(np.sum(self._rounds[rows] * (self._mean[rows] - fitted) ** 2))
