"""Rings of unseen worlds are found, and nobody else is taken for one."""

import pytest
from sklearn.metrics import average_precision_score

from pozytywka_spark.config import Synthetic
from tests.worlds.ring_scores import ring_scores


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [101, 102])
def test_rings_under_camouflage_and_nobody_else(seed: int) -> None:
    fraud = {"rings": 3, "accounts": 12, "camouflage": 0.7, "fans": 60, "sleepers": 10}
    found = ring_scores(Synthetic.model_validate({"users": 1500, "months": 8, "seed": seed, "fraud": fraud}))
    share = found.in_a_ring.groupby(found.kind).mean()
    assert share["ring"] >= 0.95
    assert share["plain"] <= 0.005
    assert share["fan"] <= 0.3
    assert share["sleeper"] == 0
    assert average_precision_score(found.kind == "ring", found.score) >= 0.9
