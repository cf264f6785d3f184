"""Settings of experiments: assignment, measurement, uplift."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pozytywka_spark.config.base import Section, decides

Level = Annotated[float, Field(gt=0, lt=0.5)]
Population = Literal["active", "all", "scored", "selected"]


class Uplift(Section):
    """How persuasion is estimated from the log of an experiment."""

    section_decides = decides("uplift")

    method: Literal["two_model", "transformed"] = Field(
        "two_model", description="a model a group, or one regression on the transformed outcome"
    )
    horizon_days: int = Field(60, ge=1, le=730, description="a purchase counts this long after entry")
    min_purchases: int = Field(100, ge=10, description="fewest purchases a group, on each half of the users")
    max_trees: int = Field(80, ge=1)
    max_depth: int = Field(3, ge=1, le=8)
    learning_rate: float = Field(0.08, gt=0, le=1)
    min_child_weight: float = Field(20.0, ge=0)
    bootstrap: int = Field(400, ge=50, le=5000, description="replicates over users behind each interval")
    seed: int = 7


class Experiments(Section):
    """How users are assigned and groups compared."""

    section_decides = decides("experiment")

    salt: str = Field(
        "pozytywka",
        pattern=r"^[\w.-]+$",
        description="part of every hash; never change it",
        json_schema_extra=decides("experiment", "uplift"),
    )
    population: Population = Field(
        "active", description="who may enter: users of the month before, all, scored, or selected by policy"
    )
    alpha: Level = Field(0.05, description="of every interval; split over treatments in the sequential one")
    srm_alpha: Level = Field(0.001, description="a sample ratio less likely than this stops the reading")
    expected_share: float = Field(
        0.1, gt=0, lt=1, description="premium share at which the sequential band is narrowest; kept at start"
    )
    power: float = Field(0.8, gt=0.5, lt=1)
    pre_months: int = Field(3, ge=1, le=24, description="months before entry behind CUPED and segments")
    cuped_measures: tuple[str, ...] = Field(
        ("plays", "ads", "likes", "skips"), description="columns of user_month, summed over those months"
    )
    multiplicity: Literal["holm", "fdr_bh", "fdr_by"] = Field(
        "holm", description="over all segments and treatments"
    )
    min_segment_users: int = Field(100, ge=10, description="a segment with fewer in a group is not read")
    max_cities: int = Field(20, ge=1, description="the largest cities are segments, the others are one")
    uplift: Uplift = Uplift()
