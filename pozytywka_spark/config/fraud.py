"""Settings of the scan for fraud."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section, decides


class Fraud(Section):
    """What the scan looks at; the rules themselves are a file."""

    section_decides = decides("fraud")

    ring_days: int = Field(60, ge=7, description="days over which accounts that share tracks make a ring")
    rules: str | None = Field(
        None,
        description="the file of rules; unset, rules.yaml of the folder of settings",
        json_schema_extra=NOTHING,
    )
    unknown_share: float = Field(
        0.001, ge=0, le=0.1, description="share of a month's account-days asked for being far from the rest"
    )
    unknown_rows: int = Field(
        500_000, ge=1000, description="account-days that the rest's distributions are taken from, at most"
    )
    random_share: float = Field(0.001, ge=0, le=0.1, description="share of account-days asked at random")
    seed: int = Field(7, ge=0, description="of the days asked at random")
