"""Days, and what `bandit_days` would hold of them."""

from datetime import date, timedelta

import pandas as pd


def days_of(first: date, count: int) -> list[date]:
    return [first + timedelta(day) for day in range(count)]


def sums_of(rows: list[tuple[date, str, str, float, float, float]]) -> pd.DataFrame:
    """Rows of day, arm, group, rounds, mean reward and probability, as `bandit_days` has them."""
    return pd.DataFrame(
        [
            {
                "slot": "spotlight", "day": day, "arm": arm, "group": group, "seen": -1,
                "rounds": int(rounds),
                "chosen_weight": rounds / p, "chosen_reward": rounds * mean / p,
                "chosen_square": rounds / p**2,
                "other_weight": 0.0, "other_reward": 0.0, "other_square": 0.0,
            }
            for day, arm, group, rounds, mean, p in rows
        ]
    )  # fmt: skip
