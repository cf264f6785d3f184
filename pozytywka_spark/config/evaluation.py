"""Settings of evaluation."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Evaluation(Section):
    """How models are measured."""

    section_decides = decides("report")

    bootstrap: int = Field(
        200,
        ge=0,
        le=2000,
        description="replicates over users behind each interval",
        json_schema_extra=decides("report", "gate", "monitoring"),
    )
    seed: int = Field(7, json_schema_extra=decides("report", "gate", "monitoring"))
    min_slice_positives: int = Field(
        10,
        ge=1,
        description="a slice with fewer is not judged",
        json_schema_extra=decides("report", "gate"),
    )
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.05, 0.1, 0.2, 0.3), description="probabilities from which on a user would be addressed"
    )
    explained_rows: int = Field(
        20_000,
        ge=100,
        description="test rows behind plots of contributions: they cost more than the fit from here on",
    )
