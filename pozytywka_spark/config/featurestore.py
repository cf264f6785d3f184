"""Settings of the feature store."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section


class Featurestore(Section):
    """Where values are served from, and what counts as now."""

    section_decides = NOTHING

    address: str | None = Field(
        None, description="lmdb:FOLDER or redis://host:port/db; none: lmdb:<home>/featurestore"
    )
    password_variable: str = Field(
        "POZYTYWKA_REDIS_PASSWORD", min_length=1, description="environment variable of the store's password"
    )
    clock: Literal["data", "wall"] = Field(
        "data", description="what is now: the table's newest cut-off, or the machine's clock"
    )
    delay_hours: float = Field(0.0, ge=0, description="how much later than its cut-off a row becomes known")
    log_share: float = Field(0.0, ge=0, le=1, description="share of the endpoint's answers that are logged")
    refresh_seconds: float = Field(
        10.0, gt=0, description="how often the endpoint looks for another champion"
    )
    float32: tuple[str, ...] = Field(
        (), description="views whose values are stored in 4 bytes each, rounded, in place of 8"
    )
    max_keys: int = Field(500, ge=1, le=100_000, description="of one request")
    max_body: int = Field(1_000_000, ge=1000, description="bytes of one request")
