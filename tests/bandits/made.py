"""Policies that the tests of bandits decide by."""

from __future__ import annotations

from typing import Any

from pozytywka_spark.bandits.policy import Policy, parse_policy

ARMS = ("trial", "offline", "quality", "none")
GROUPS = ("warsaw", "gdansk")


def softmax_document(**changed: Any) -> dict[str, Any]:
    """A softmax of four arms and two groups, with the published recency and temperature."""
    scores = {arm: {"": 0.004 * place, "warsaw": -0.003 * place} for place, arm in enumerate(ARMS)}
    document = {
        "format": 1,
        "kind": "recovering_softmax",
        "slot": "premium_prompt",
        "version": "3",
        "arms": list(ARMS),
        "scores": scores,
        "recency": {"gamma": 0.017, "half_life_days": 15.0},
        "temperature": 0.0025,
        "explore": 0.05,
        "salt": "salt",
        "trained_days": ["2023-05-01", "2023-05-15"],
        "rules": {"quality": [{"column": "plays", "op": "ge", "value": 100}]},
    }
    return document | changed


def seasonal_document() -> dict[str, Any]:
    """A table of four arms and two groups."""
    kept = {key: softmax_document()[key] for key in ("format", "slot", "version", "arms", "explore", "salt")}
    table = {
        "": {"trial": 0.1, "offline": 0.2, "quality": 0.7},
        "warsaw": {"trial": 0.5, "offline": 0.25, "quality": 0.25, "none": 0.0},
    }
    return kept | {"kind": "seasonal", "table": table}


def fixed_document() -> dict[str, Any]:
    """No arm for one of the groups but one."""
    return {"kind": "fixed", "probabilities": {"": {"trial": 1.0}, "warsaw": {"offline": 0.6, "none": 0.4}}}


def policies() -> dict[str, Policy]:
    """One of each kind."""
    documents = {
        "softmax": softmax_document(),
        "seasonal": seasonal_document(),
        "fixed": fixed_document() | {"arms": list(ARMS)},
        "uniform": {"kind": "uniform", "arms": list(ARMS), "salt": "s"},
        "uniform of any arms": {"kind": "uniform"},
    }
    return {name: parse_policy(document) for name, document in documents.items()}
