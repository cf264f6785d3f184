"""Settings of the scan for fraud."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Fraud(Section):
    """What the scan looks at; the rules themselves are a file."""

    section_decides = decides("fraud")

    ring_days: int = Field(60, ge=7, description="days over which accounts that share tracks make a ring")
