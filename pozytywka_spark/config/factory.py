"""Settings of the factory of guarded models."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Factory(Section):
    """What a model must prove before it decides alone."""

    section_decides = decides("factory")

    precision: float = Field(0.99, gt=0.5, lt=1, description="share of its decisions that must be right")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="with which that must be proven")
    audit_share: float = Field(0.1, gt=0, lt=1, description="of all cases go to people whatever a model says")
    most_missed: float = Field(
        0.05, gt=0, lt=1, description="share of bad cases that approvals may let through"
    )
    second_looks: int = Field(
        50,
        ge=0,
        description="cases a side that go back to people where they and the model differ, 2.5 times as many "
        "at most of training and of tested ones",
    )
    training_share: float = Field(
        0.5, gt=0.05, lt=0.95, description="share of the time-ordered cases that a model learns from"
    )
    order_share: float = Field(
        0.2, gt=0.05, lt=0.95, description="the same where scores are given: only the tests' order is learnt"
    )
    purge_days: int = Field(7, ge=0, description="days left out before the tested cases, a twentieth at most")
    audit_salt: str = Field("factory-audit", description="which cases are audited follows from it")
    max_rounds: int = Field(80, ge=5, description="trees of a group's model, at most")
    max_cells: int = Field(
        200_000_000,
        ge=1000,
        description="cases times features that one task takes; a larger group's trees grow across executors",
    )
    max_cases: int = Field(
        10_000_000,
        ge=1000,
        description="cases of such a group at most: one task holds their scores and verdicts, 150 bytes each",
    )
