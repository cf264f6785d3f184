"""Decisions with known effects, and their sums by brute force."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.bandits.seen import bucket
from pozytywka_spark.schemas.bandits import BANDIT_DAYS

FIRST = date(2023, 5, 1)
Floats = npt.NDArray[np.float64]


def decisions(
    effects: Floats, *, rounds: int, seed: int, days: int = 2, gamma: float = 0.0, uniform: bool = True
) -> list[dict[str, Any]]:
    """Decisions of a slot whose arms' rewards are .3 × (1 + effect - novelty lost); effects: arm × group."""
    random = np.random.default_rng(seed)
    arms, groups = effects.shape
    rows = []
    for index in range(rounds):
        group = int(random.integers(groups))
        eligible = [arm for arm in range(arms) if arm == 0 or random.random() < 0.8]
        likely = np.ones(len(eligible)) if uniform else random.dirichlet(np.ones(len(eligible))) + 0.02
        probabilities = likely / likely.sum()
        place = int(random.choice(len(eligible), p=probabilities))
        since = [None if random.random() < 0.3 else float(random.integers(0, 40)) for _ in eligible]
        arm, shown = eligible[place], since[place]
        lost = gamma * 0.5 ** (shown / 15) if shown is not None else 0.0
        rows.append(
            {
                "day": FIRST + timedelta(index % days),
                "group": f"g{group}",
                "eligible": [f"a{each}" for each in eligible],
                "chosen": f"a{arm}",
                "probabilities": probabilities.tolist(),
                "days_since": since,
                "reward": float(random.random() < 0.3 * (1 + effects[arm, group] - lost)),
            }
        )
    return rows


def brute_sums(rows: list[dict[str, Any]], slot: str = "s", least: float = 0.005) -> pl.DataFrame:
    """`bandit_days` of the decisions, one at a time."""
    sums: dict[tuple[Any, ...], list[float]] = {}
    for row in rows:
        for arm, p, days in zip(row["eligible"], row["probabilities"], row["days_since"], strict=True):
            if min(p, 1 - p) < least:
                continue
            key = (slot, row["day"], arm, row["group"], bucket(days))
            of_cell = sums.setdefault(key, [0.0] * 7)
            chosen = arm == row["chosen"]
            weight = 1 / p if chosen else 1 / (1 - p)
            of_cell[0] += 1
            at = 1 if chosen else 4
            of_cell[at] += weight
            of_cell[at + 1] += weight * row["reward"]
            of_cell[at + 2] += weight**2
    data = [(*key, *of_cell, key[1].replace(day=1)) for key, of_cell in sums.items()]
    names = list(BANDIT_DAYS.columns)
    return pl.DataFrame(data, schema=names, orient="row").with_columns(
        pl.col("rounds").cast(pl.Int64), pl.col("seen").cast(pl.Int32)
    )
