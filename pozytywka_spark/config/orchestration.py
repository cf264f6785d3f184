"""Settings of the month's work."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Monthly(Section):
    """When a month's work trains a new model."""

    section_decides = decides("monthly")

    retrain_every_months: int = Field(3, ge=1, description="months from one training to the next at most")
    retrain_on_drift: bool = Field(True, description="train as soon as monitoring advises it")
