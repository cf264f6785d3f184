"""Settings of the simulation of what the platform could change."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import Section, decides
from pozytywka_spark.names import SUBGROUPS, TOP_GROUP, UNGROUPED

_SEGMENTS = (UNGROUPED, *SUBGROUPS, TOP_GROUP)


class Costs(Section):
    """What changes cost, in the currency of `scoring.policy.value_of_sale`."""

    section_decides = decides("simulation")

    advert_income: float = Field(
        0.01,
        ge=0,
        description="earned by one advert heard",
        json_schema_extra=decides("simulation", "forecast"),
    )
    favourite_play: float = Field(0.002, ge=0, description="of moving one play into a favourite genre")
    popularity_point: float = Field(0.02, ge=0, description="of a point of mean popularity, a user and month")
    sound: float = Field(0.05, ge=0, description="of one standard deviation of sound, a user and month")


class Simulation(Section):
    """The search for changes that the platform could make, for one segment of users at a time."""

    section_decides = decides("simulation")

    segment: str = Field("activity", pattern=f"^({'|'.join(_SEGMENTS)})$", description="groups of users")
    rows: int = Field(400, ge=20, le=20_000, description="users of a segment that changes are tried on")
    neighbours: int = Field(1500, ge=50, le=50_000, description="users who say what has been seen")
    min_users: int = Field(50, ge=10, description="a segment with fewer is left out, and said so")
    population: int = Field(48, ge=8, le=1000)
    generations: int = Field(30, ge=1, le=1000)
    low_quantile: float = Field(0.1, ge=0, lt=0.5, description="of users: a segment's mean may go down to it")
    high_quantile: float = Field(0.9, gt=0.5, le=1, description="of users: it may go up to it")
    min_support: float = Field(0.9, gt=0, le=1, description="changed users who must resemble seen ones")
    near: float = Field(0.95, gt=0.5, lt=1, description="seen users who count as resembling others")
    bootstrap: int = Field(16, ge=4, le=200, description="models refitted on users drawn anew")
    bootstrap_rows: int = Field(20_000, ge=200, description="training rows behind each of them")
    costs: Costs = Costs()
    seed: int = 7
