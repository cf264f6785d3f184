"""Settings of the Spark session."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section


class Spark(Section):
    """What the one session builder is told."""

    section_decides = NOTHING

    master: str | None = Field(None, description="unset: local[*] in place, spark-submit's own otherwise")
    driver_memory: str = Field("3g", pattern=r"^\d+[kmgt]$")
    shuffle_partitions: int | None = Field(None, ge=1, description="unset: four per core, at least 8")
    ui: bool = False
    conf: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="any further spark.* key"
    )
