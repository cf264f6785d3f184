"""Settings of the month's work."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section, decides


class Monthly(Section):
    """When a month's work trains a new model, and what else is part of it."""

    section_decides = decides("monthly")

    retrain_every_months: int = Field(3, ge=1, description="months from one training to the next at most")
    retrain_on_drift: bool = Field(True, description="train as soon as monitoring advises it")
    fraud: bool = Field(
        False,
        description="scan for fraud, let live models decide and release what is due, before anyone is scored",
        json_schema_extra=NOTHING,
    )
    forecast: bool = Field(
        False,
        description="check days against their forecasts and forecast anew, before anybody trains",
        json_schema_extra=NOTHING,
    )
