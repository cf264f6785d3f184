"""Rings beside outlier detectors: how many of made rings' accounts are found, and how precisely.

    python -m tests.bench.bench_rings [USERS] [SEED ...]

Each world has rings under camouflage, fans of one artist and sleepers; no other cheats. The detectors are
PyOD's, at their defaults, on figures of an account's whole life; ours is the highest score of any month.
"""

from __future__ import annotations

import sys
import time

import pandas as pd
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from sklearn.metrics import average_precision_score

from pozytywka_spark.config import Synthetic
from tests.worlds.ring_scores import ring_scores

SEEDS = (201, 202, 203)
CAMOUFLAGE = (0.05, 0.4, 0.7)
DETECTORS = {
    "IForest": lambda: IForest(random_state=1),
    "ECOD": ECOD,
    "HBOS": HBOS,
    "COPOD": COPOD,
    "KNN": KNN,
}


def main() -> None:
    """A line a world, then the worst of each figure."""
    numbers = [int(text) for text in sys.argv[1:]]
    users = numbers[0] if numbers else 5000
    rows = [measured(users, seed, share) for seed in numbers[1:] or SEEDS for share in CAMOUFLAGE]
    table = pd.DataFrame(rows)
    print(table.round(4).to_string(index=False))


def measured(users: int, seed: int, camouflage: float) -> dict[str, float]:
    """One world."""
    fraud = {"rings": users // 2500, "accounts": 20, "camouflage": camouflage, "fans": users // 25,
             "sleepers": users // 100}  # fmt: skip
    start = time.perf_counter()
    found = ring_scores(Synthetic.model_validate({"users": users, "seed": seed, "fraud": fraud}))
    share = found.in_a_ring.groupby(found.kind).mean()
    truth = found.kind == "ring"
    figures = (found.figures - found.figures.mean()) / found.figures.std()
    others = {
        name: average_precision_score(truth, make().fit(figures.to_numpy()).decision_scores_)
        for name, make in DETECTORS.items()
    }
    ours = average_precision_score(truth, found.score)
    return {
        "seed": seed, "camouflage": camouflage, "average precision": ours, **others,
        "times the best": ours / max(others.values()),
        **{f"{kind} in a ring": share[kind] for kind in ("ring", "plain", "fan", "sleeper")},
        "seconds": time.perf_counter() - start,
    }  # fmt: skip


if __name__ == "__main__":
    main()
