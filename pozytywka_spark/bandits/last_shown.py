"""When each of some users was last shown each arm, as a matrix: for a plan, which asks of all at one time.

No Spark here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.months import DAY_MICROS

_NEVER = np.iinfo(np.int64).min
Numbers = npt.NDArray[np.int64]


class LastShown:
    """Of `users` (in order, each once) and `arms`; decisions are added a file after the other."""

    def __init__(self, users: Numbers, arms: Sequence[str]) -> None:
        self._users, self._arms = users, pl.Series(list(arms), dtype=pl.String)
        self._at = np.full((len(users), len(arms)), _NEVER)

    def add(self, rows: pl.DataFrame) -> None:
        """Decisions: `user_id`, `decided_at`, `chosen`; those of other users and arms are passed over."""
        if not rows.height or not len(self._users):
            return
        rows = rows.sort("decided_at")
        users = rows.get_column("user_id").to_numpy()
        place = np.minimum(np.searchsorted(self._users, users), len(self._users) - 1)
        arm = self._coded(rows.get_column("chosen"))
        mine = (self._users[place] == users) & (arm < len(self._arms))
        at = rows.get_column("decided_at").dt.epoch("us").to_numpy()
        # of several of one user and arm the last stays, which is the latest of these rows
        latest = np.full(self._at.shape, _NEVER)
        latest[place[mine], arm[mine]] = at[mine]
        np.maximum(self._at, latest, out=self._at)

    def days_since(self, eligible: pl.Series, at: int) -> pl.Series:
        """A list a user: of each eligible arm the days, with fractions, by the time `at`; null: never."""
        sizes = eligible.list.len().to_numpy().astype(np.int64)
        row = np.repeat(np.arange(len(sizes)), sizes)
        shown = self._at[row, self._coded(eligible.explode())]
        days = np.where(shown == _NEVER, np.nan, (at - shown) / DAY_MICROS)
        flat = pl.DataFrame({"row": row, "days_since": pl.Series(days).fill_nan(None)})
        return flat.group_by("row", maintain_order=True).agg("days_since").get_column("days_since")

    def _coded(self, names: pl.Series) -> Numbers:
        """Which arm each is; beyond all if it is none."""
        codes = names.cast(pl.Enum(self._arms), strict=False).to_physical().cast(pl.Int64)
        return codes.fill_null(len(self._arms)).to_numpy()
