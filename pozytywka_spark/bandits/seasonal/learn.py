"""The policy of a seasonal slot for a day, as a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from pozytywka_spark.bandits.seasonal.probabilities import tables
from pozytywka_spark.bandits.seasonal.series import Array, series_of
from pozytywka_spark.config.bandits import Bandits
from pozytywka_spark.config.settings import Settings

Document = dict[str, object]

_DIGITS = 9


def learn(
    sums: pd.DataFrame,
    slot: str,
    settings: Settings | Bandits,
    *,
    genre_of: Mapping[str, str],
    arms: Sequence[str],
    day: date,
    version: str = "",
) -> Document:
    """The policy for `day` of kind `seasonal`: a table of group × arm; "" is the group of any other user.

    Arguments as `probabilities` has them. `trained_days` are the first and last day of the sums before `day`.
    Raises `DataError` if there is no arm, or one twice.
    """
    bandits = settings.bandits if isinstance(settings, Settings) else settings
    of_anyone, by_group = tables(sums, genre_of, arms, day, bandits)
    days = series_of(sums, list(arms), day).days
    return {
        "format": 1,
        "kind": "seasonal",
        "slot": slot,
        "version": version,
        "arms": list(arms),
        "table": {group: _named(arms, table) for group, table in {**by_group, "": of_anyone}.items()},
        "explore": bandits.explore,
        "salt": slot,
        "trained_days": [str(days[0]), str(days[-1])] if days else None,
        "rules": _rules(bandits, slot, arms),
    }


def _named(arms: Sequence[str], table: Array) -> dict[str, float]:
    rounded = np.round(table, _DIGITS)
    rounded[rounded.argmax()] += 1 - rounded.sum()
    return dict(zip(arms, rounded.tolist(), strict=True))


def _rules(bandits: Bandits, slot: str, arms: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    if slot not in bandits.slots:
        return {}
    described = bandits.slots[slot].arms
    return {
        arm: [rule.model_dump(mode="json") for rule in described[arm].rules]
        for arm in arms
        if arm in described and described[arm].rules
    }
