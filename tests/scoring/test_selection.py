"""Policies: who is selected, against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.config import Policy
from pozytywka_spark.scoring.selection import Rule, selected


@pytest.fixture(scope="module")
def scored() -> pd.DataFrame:
    probability = np.sort(np.random.default_rng(3).beta(1, 8, 300))[::-1]
    return pd.DataFrame({"rank": np.arange(1, 301), "probability": probability})


def ranks_of(scored: pd.DataFrame, policy: Policy) -> list[int]:
    drawn = scored.sample(frac=1, random_state=1)  # users come in any order
    found = selected(drawn["rank"].to_numpy(), drawn["probability"].to_numpy(), Rule(**policy.model_dump()))
    return sorted(drawn.loc[found, "rank"].tolist())


def test_budget_takes_the_best(scored: pd.DataFrame) -> None:
    assert ranks_of(scored, Policy(kind="budget", budget_users=17)) == list(range(1, 18))


def test_value_takes_whoever_pays(scored: pd.DataFrame) -> None:
    expected = scored.loc[scored["probability"] * 30 > 4, "rank"].tolist()
    assert 0 < len(expected) < 300
    assert ranks_of(scored, Policy(kind="value", value_of_sale=30, cost_of_contact=4)) == expected


def test_precision_takes_as_many_as_keep_it(scored: pd.DataFrame) -> None:
    found = ranks_of(scored, Policy(kind="precision", precision=0.25))
    means = scored["probability"].expanding().mean()
    assert found == list(range(1, len(found) + 1))
    assert means[len(found) - 1] >= 0.25
    assert means[len(found) + 2] < 0.25  # at most a step's users more would break it


@pytest.mark.parametrize(
    "policy",
    [
        Policy(kind="budget", budget_users=17),
        Policy(kind="value", value_of_sale=30, cost_of_contact=4),
        Policy(kind="precision", precision=0.25),
    ],
)
def test_the_rule_chooses_among_those_who_are_not_shut_out(scored: pd.DataFrame, policy: Policy) -> None:
    drawn = scored.sample(frac=1, random_state=1)
    out = (drawn["rank"] % 3 == 1).to_numpy()
    rule = Rule(**policy.model_dump())
    found = selected(drawn["rank"].to_numpy(), drawn["probability"].to_numpy(), rule, out)
    others = drawn[~out]
    closed_up = others["rank"].rank().astype(int).to_numpy()
    expected = selected(closed_up, others["probability"].to_numpy(), rule)
    assert drawn.loc[found, "rank"].tolist() == others.loc[expected, "rank"].tolist()
    assert expected.any()
    assert not found[out].any()


@pytest.mark.parametrize("policy", [Policy(), Policy(kind="precision", precision=1.0)])
def test_nobody(scored: pd.DataFrame, policy: Policy) -> None:
    assert ranks_of(scored, policy) == []
