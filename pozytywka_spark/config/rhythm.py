"""Settings of made worlds that have a week, a year, growth, and days on which things go wrong."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from pozytywka_spark.config.base import Section

EVERYWHERE = "all"


class Rhythm(Section):
    """How the number of sessions goes with time; the same every day unless one of these is set."""

    weekly: float = Field(
        0.0, ge=0, lt=1, description="relative amplitude over the week, highest on Saturday"
    )
    yearly: float = Field(
        0.0, ge=0, lt=1, description="relative amplitude over the year, highest in mid-December"
    )
    growth: float = Field(0.0, gt=-0.95, le=3, description="of the sessions a year, as 0.2")


class Outage(Section):
    """A day on which a share of the sessions that would start doesn't happen, in a city or everywhere."""

    day: date
    city: str = Field(EVERYWHERE, min_length=1)
    share: float = Field(gt=0, le=1)


def _outages(value: object) -> object:
    """`2022-05-03:all:0.6,2022-06-01:Gdynia:0.9`, one after another."""
    if not isinstance(value, str):
        return value
    outages = []
    for text in filter(None, (part.strip() for part in value.split(","))):
        day, _, rest = text.partition(":")
        city, _, share = rest.rpartition(":")
        if not (city and share):
            raise ValueError(f"{text}: expected DAY:CITY:SHARE, such as 2022-05-03:{EVERYWHERE}:0.6")
        outages.append({"day": day, "city": city, "share": share})
    return tuple(outages)


Outages = Annotated[tuple[Outage, ...], BeforeValidator(_outages)]
