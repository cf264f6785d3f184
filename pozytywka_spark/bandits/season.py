"""What `bandits season` lists: which genre of a slot's arms rises when."""

from __future__ import annotations

from typing import Any

from pozytywka_spark.bandits import seasonal
from pozytywka_spark.bandits.genres import genres_of
from pozytywka_spark.bandits.learn import read_sums
from pozytywka_spark.bandits.slots import slot_of
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import BANDIT_DAYS

_DIGITS = 3


def season(settings: Settings, lake: Lake, slot: str) -> list[dict[str, Any]]:
    """Rows of `seasonal.season` of the slot's sums; none if no genre rises.

    Raises `DataError` if the slot has no sums, or no arm has a genre; `UsageError` if there is no such slot.
    """
    slot_of(settings, slot)
    sums = read_sums(lake, slot).to_pandas() if lake.exists(BANDIT_DAYS.name) else None
    if sums is None or sums.empty:
        raise DataError(f"slot {slot}: no sums; expected those of some days, make them with bandits sum")
    genres = genres_of(lake, sorted(sums["arm"].unique()))
    if not genres:
        raise DataError(f"slot {slot}: none of its arms has a genre; expected ids or names of artists")
    rows = seasonal.season(sums, genres).round(_DIGITS)
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.itertuples(index=False)]
