"""The training rows as arrays: what everything on one machine's memory runs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pozytywka_spark.names import TEST, TRAIN, VALIDATION

SIDES = (TRAIN, VALIDATION, TEST)
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TrainingTable:
    """Grain: user and month of the split, in the order of user_id and month; every array has a row's value.

    `side` is a place in `SIDES`, `label` 0 or 1, `matrix` the features of `order` as 32-bit floats (XGBoost
    holds no wider ones), NaN where null. `city` is a place in `cities`: the user's, "other" beyond the twenty
    with most users, "unknown".
    """

    order: tuple[str, ...]
    user_id: npt.NDArray[np.int64]
    month: npt.NDArray[np.datetime64]
    side: npt.NDArray[np.uint8]
    label: npt.NDArray[np.float64]
    matrix: npt.NDArray[np.float32]
    city: npt.NDArray[np.uint8] | None = None
    cities: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.user_id)

    def of(self, *sides: str) -> TrainingTable:
        """The rows of these sides."""
        return self.where(np.isin(self.side, [SIDES.index(side) for side in sides]))

    def where(self, mask: Mask) -> TrainingTable:
        """The rows that the mask marks, in their order."""
        names = ("user_id", "month", "side", "label", "matrix")
        columns = {name: getattr(self, name)[mask] for name in names}
        return replace(self, **columns, city=None if self.city is None else self.city[mask])

    def sided(self, months: Sequence[Sequence[np.datetime64]]) -> TrainingTable:
        """The rows of other months' sides: of train, validation and test, each a list of months."""
        side = np.full(len(self), len(SIDES), np.uint8)
        for place, mine in enumerate(months):
            side[np.isin(self.month, np.array(mine, "datetime64[D]"))] = place
        on_a_side = side < len(SIDES)
        return replace(self, side=side).where(on_a_side)

    def column(self, name: str) -> npt.NDArray[np.float32]:
        """A feature's values."""
        return self.matrix[:, self.order.index(name)]
