"""Settings of made worlds in which people pick by taste."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from pozytywka_spark.config.base import Section


class Taste(Section):
    """Hidden vectors of people and artists that steer what is picked; nobody has taste unless `on`."""

    on: bool = Field(False, description="people pick tracks by taste, repeat them, and answer surveys")
    factors: int = Field(4, ge=1, le=64, description="of the hidden vectors")
    strength: float = Field(7.0, ge=0, le=30, description="of an artist's likeness, on the log of a pick")
    fame: float = Field(0.5, ge=0, le=2, description="spread of how well known artists and tracks are")
    repeats: float = Field(
        0.6, gt=0, lt=1, description="mean chance that a play comes back from earlier ones"
    )
    never_like: float = Field(0.25, ge=0, le=1, description="share of people who never like a track")
    fresh: float = Field(0.02, ge=0, le=1, description="releases a month, as a share of played_tracks")
    fresh_boost: float = Field(
        8.0, ge=0, le=100, description="how much more a track is picked as it comes out"
    )
    fresh_weeks: float = Field(3.0, gt=0, le=52, description="after which half of that is left")
    surveys: int = Field(4000, ge=0, le=100_000, description="answers whether a track was worth one's time")
    survey_weights: tuple[float, float, float, float] = Field(
        (1.0, -1.0, 1.5, 0.7),
        description="of finish, skip, like and again (in the 28 days before) in an answer",
    )
    cut_off: date | None = Field(
        None, description="whose next 28 days have true chances told (default: start of the last month)"
    )
    told: int = Field(300, ge=10, le=5000, description="tracks of each person whose true chances are told")
    paths: int = Field(64, ge=8, le=4096, description="simulated futures behind each true chance")
