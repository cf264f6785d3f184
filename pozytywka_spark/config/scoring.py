"""Settings of scoring and of who gets an offer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Policy(Section):
    """Which scored users are selected for an offer; no kind selects nobody."""

    section_decides = decides("report", "predictions")

    kind: Literal["none", "budget", "precision", "value"] = "none"
    budget_users: int = Field(1000, ge=1, description="budget: so many users, best scores first")
    precision: float = Field(0.2, gt=0, le=1, description="precision: expected share of buyers to keep")
    value_of_sale: float = Field(
        20.0,
        gt=0,
        description="value: what a purchase brings, in any currency",
        json_schema_extra=decides("report", "predictions", "simulation", "forecast"),
    )
    cost_of_contact: float = Field(1.0, ge=0, description="value: what an offer costs, in the same currency")


class Scoring(Section):
    """What is written of each user."""

    section_decides = decides("predictions")

    reasons: int = Field(5, ge=0, le=50, description="strongest reasons kept for each user; 0: none")
    policy: Policy = Policy()
