"""A log as lines, its slot, and what became of it: for tests of take-in, sums and the job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

ARMS = ("plain", "trial", "heavy")
START = datetime(2024, 1, 1, tzinfo=UTC)
SLOT = {
    "kind": "recovering_softmax",
    "reward": "logged",
    "window_hours": 24,
    "arms": {arm: {} for arm in ARMS},
}


def slots(**changed: Any) -> str:
    """`--set` of one slot `prompt`."""
    return "bandits.slots=" + json.dumps({"prompt": {**SLOT, **changed}})


def lines(
    count: int, days: int, seed: int = 1, *, effect: float = 0.5, first: int = 0, **said: Any
) -> list[dict[str, Any]]:
    """Uniform decisions, days after each other; `trial` brings more; `heavy` isn't for everybody."""
    rng = np.random.default_rng(seed)
    rows = []
    for place in range(count):
        eligible = list(ARMS if rng.random() < 0.6 else ARMS[:2])
        chosen = eligible[int(rng.integers(len(eligible)))]
        at = START + timedelta(days=first + days * place // count, seconds=int(rng.integers(86_400)))
        chance = 0.2 * (1 + effect * (chosen == "trial"))
        rows.append(
            {
                "decision_id": f"{seed}-{first}-{place}",
                "slot": "prompt",
                "user_id": int(rng.integers(1, max(count // 8, 2))),
                "decided_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "group": "north" if rng.random() < 0.5 else "south",
                "eligible": eligible,
                "chosen": chosen,
                "probability": 1 / len(eligible),
                "probabilities": [1 / len(eligible)] * len(eligible),
                "days_since": None,
                "policy": "uniform",
                "stream": "explore",
                "reward": float(rng.random() < chance),
                **said,
            }
        )
    return rows


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """The rows as JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
