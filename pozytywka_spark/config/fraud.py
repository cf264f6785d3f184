"""Settings of the scan for fraud."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section, decides


class Fraud(Section):
    """What the scan looks at; the rules themselves are a file."""

    section_decides = decides("fraud")

    ring_days: int = Field(60, ge=7, description="days over which accounts that share tracks make a ring")
    ring_tracks: int = Field(3, ge=2, description="that accounts of a ring share, at least")
    ring_accounts: int = Field(2, ge=2, description="of a ring, at least")
    ring_plays: int = Field(3, ge=2, description="of a track by an account of a ring, at least")
    ring_times: float = Field(3.0, gt=1, description="what popularity and taste explain of them, at least")
    ring_chance: float = Field(1e-4, gt=0, lt=0.5, description="of so many plays without a ring, at most")
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
