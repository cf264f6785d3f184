"""Settings of the home feed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from pozytywka_spark.config.base import NOTHING, Section, decides
from pozytywka_spark.names import HEADS

Source = Literal[
    "unread",
    "stirred",
    "own",
    "artist",
    "genre",
    "neighbour",
    "popular",
    "popular_city",
    "new",
    "random",
    "taste",
]


class Feed(Section):
    """What a page is made of."""

    section_decides = decides("feed")

    candidates: int = Field(1000, ge=50, le=5000, description="tracks collected for a user, at most")
    light: int = Field(500, ge=50, le=5000, description="of them that the light model keeps")
    page: int = Field(50, ge=1, le=500, description="places of a page")
    repeats: Literal["allow", "drop"] = Field("allow", description="tracks the user has played before")
    arrange: bool = Field(True, description="false leaves the order of the value")
    spread: float = Field(0.1, ge=0, le=1, description="how much likeness to earlier places costs")
    sink: int = Field(
        20, ge=0, le=500, description="places down for each time a track was passed over lately"
    )
    new_artists: int = Field(1, ge=0, le=10, description="of the first 10 places, by artists new to the user")
    explore: float = Field(0.05, ge=0, le=0.5, description="share of places drawn from the light model's")
    min_recall: float = Field(
        0.95, ge=0, le=1, description="share of the full ranker's 50 that the light model keeps, at least"
    )
    horizon_days: int = Field(28, ge=1, le=90, description="after the cut-off, that chances are about")
    weights: dict[str, float] = Field(
        {"finish": 1.0, "skip": -1.0, "like": 2.0, "again": 1.0},
        description="of the chances in the value, while surveys are too few; a head left out weighs nothing",
    )
    min_answers: int = Field(500, ge=1, description="of surveys, for weights of their own")
    min_people: int = Field(100, ge=1, description="who answered, for weights of their own")
    block_list: str | None = Field(
        None, description="file of track ids, one a line, that no page shows", json_schema_extra=NOTHING
    )
    promoted: str | None = Field(
        None, description="file of track ids, one a line, that somebody pays for", json_schema_extra=NOTHING
    )
    farmed_plays: int = Field(
        10,
        ge=1,
        description="in 30 days by an account that farms, at least: with fewer a track is little known",
    )
    caps: dict[Source, Annotated[int, Field(ge=0, le=5000)]] = Field(
        {},
        description="tracks of a user by source, at most, where not as many as usual "
        "(`pozytywka_spark/feed/inventory/collect.py`); 0 leaves a source out",
    )
    ridge: float = Field(250.0, gt=0, description="of the linear item model")
    linear_tracks: int = Field(
        4000,
        ge=1,
        le=20_000,
        description="of the linear item model, the most played: 12 bytes a pair",
    )
    rounds: int = Field(80, ge=1, le=2000, description="trees of the heads")
    tastes_users: int = Field(
        20_000, ge=100, description="whom tastes are learnt from, about: drawn by a hash of their number"
    )

    @field_validator("weights")
    @classmethod
    def _of_heads(cls, weights: dict[str, float]) -> dict[str, float]:
        if unknown := sorted(set(weights) - set(HEADS)):
            raise ValueError(f"no such heads: {', '.join(unknown)}; there are {', '.join(HEADS)}")
        return weights
