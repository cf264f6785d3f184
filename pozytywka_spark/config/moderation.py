"""Settings of moderation."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Moderation(Section):
    """What follows from a foul."""

    section_decides = decides("moderation")

    ladder_hours: tuple[int, ...] = Field(
        (0, 24, 168, 720, 2160), min_length=1, description="hours of each step's block; 0 is a warning"
    )
