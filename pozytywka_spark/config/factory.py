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
