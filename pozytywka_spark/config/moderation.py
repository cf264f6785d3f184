"""Settings of moderation."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from pozytywka_spark.config.base import Section, decides


class Moderation(Section):
    """What follows from a foul, and from silence."""

    section_decides = decides("moderation")

    ladder_hours: tuple[Annotated[int, Field(ge=0, le=87_600)], ...] = Field(
        (0, 24, 168, 720, 2160), min_length=1, description="hours of each step's block; 0 is a warning"
    )
    silence_days: dict[str, Annotated[int, Field(ge=1, le=3660)]] = Field(
        {}, description="by group: so many days without an answer mean ok, such as the time for chargebacks"
    )

    @field_validator("ladder_hours")
    @classmethod
    def _rising(cls, hours: tuple[int, ...]) -> tuple[int, ...]:
        if list(hours) != sorted(hours):
            raise ValueError("each step's block at least as long as the one before")
        return hours
