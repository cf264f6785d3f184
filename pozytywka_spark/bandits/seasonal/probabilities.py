"""The probabilities of a seasonal slot's arms on a day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import numpy as np
import pandas as pd

from pozytywka_spark.bandits.seasonal.outlook import Outlook, outlooks
from pozytywka_spark.bandits.seasonal.series import Array, series_of
from pozytywka_spark.bandits.seasonal.shares import bounded, draws_for, watched
from pozytywka_spark.config.bandits import Bandits
from pozytywka_spark.config.settings import Settings
from pozytywka_spark.errors import DataError

NO_GENRE = ""


def probabilities(
    sums: pd.DataFrame,
    genre_of: Mapping[str, str],
    arms: Sequence[str],
    day: date,
    settings: Settings | Bandits,
) -> pd.DataFrame:
    """How likely each arm is to be shown on `day`, by group.

    Args:
        sums: columns of `bandit_days`, of one slot; days before `day` are used. Columns used: day, arm,
            group, chosen_weight, chosen_reward, chosen_square, and slot, where it is there.
        genre_of: the genre of each arm; an arm without one is of a genre of its own kind, "".
        arms: what can be shown that day; new ones have no sums yet.
        day: the day that is decided.
        settings: all settings, or their section `bandits`.

    Returns: group, arm, probability; a row for each group of the sums (of the group "" if there are none)
    and arm. Probabilities of a group add up to 1. The same question has the same answer.

    Raises: `DataError` if there is no arm, or one twice.
    """
    _, by_group = tables(sums, genre_of, arms, day, settings)
    return pd.DataFrame(
        {
            "group": np.repeat(list(by_group), len(arms)),
            "arm": list(arms) * len(by_group),
            "probability": np.concatenate(list(by_group.values())),
        }
    )


def tables(
    sums: pd.DataFrame,
    genre_of: Mapping[str, str],
    arms: Sequence[str],
    day: date,
    settings: Settings | Bandits,
) -> tuple[Array, dict[str, Array]]:
    """Probabilities in the order of `arms`: for a user of any group, and by group of the sums."""
    if not arms or len(set(arms)) != len(arms):
        raise DataError(f"a seasonal slot has {len(arms)} arms; expected one at least, each once")
    bandits = settings.bandits if isinstance(settings, Settings) else settings
    day = day.date() if isinstance(day, datetime) else day
    slot = str(sums["slot"].iloc[0]) if "slot" in sums and len(sums) else ""
    series = series_of(sums, list(arms), day)
    how = bandits.seasonal
    drift = None if how.drift == "estimated" else how.drift
    together, by_group = outlooks(series, [genre_of.get(arm) or NO_GENRE for arm in arms], day, drift)

    # of what `decide` draws by, the uniform share besides: what is shown by the table alone has to be summed
    least = min(bandits.min_probability / max(1 - bandits.explore, 0.5), 0.5)

    def table(outlook: Outlook, group: str) -> Array:
        seed = hashlib.sha256(f"{slot}\n{day}\n{group}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(seed[:16], "big"))
        shares = watched(outlook.draws(rng, draws_for(len(arms))), outlook.arms, how.watch)
        return bounded(shares, least, how.floor, how.cap, rng)

    groups = {group: table(outlook, group) for group, outlook in by_group.items()}
    return groups[""] if "" in groups else table(together, ""), groups
