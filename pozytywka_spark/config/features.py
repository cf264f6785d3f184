"""Settings of labels, features and guards."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section, decides


class Label(Section):
    """What is predicted."""

    section_decides = decides("tables", "model")

    name: Literal["buys_within_horizon", "buys_ever"] = "buys_within_horizon"
    horizon_days: int = Field(30, ge=1, le=366)
    allow_censored: bool = Field(
        False, description="must be true to train on buys_ever", json_schema_extra=NOTHING
    )

    @property
    def horizon_column(self) -> str:
        """The label column whose horizon this is: `buys_within_30_days` by default."""
        return f"buys_within_{self.horizon_days}_days"

    @property
    def column(self) -> str:
        """The label column that is trained on."""
        return "buys_ever" if self.name == "buys_ever" else self.horizon_column


class Features(Section):
    """What is built of users' months, and what of it models see."""

    section_decides = NOTHING  # the page of `features --report` is made anew each time

    drop: tuple[str, ...] = Field(
        (),
        description="features of the catalogue that models are not given",
        json_schema_extra=decides("model"),
    )
    take: tuple[str, ...] = Field(
        (),
        description="features that models are given although they aren't by default",
        json_schema_extra=decides("model"),
    )
    extra: tuple[str, ...] = Field(
        (),
        description="modules with a tuple FEATURES of entries of your own, as my_package.my_features",
        json_schema_extra=decides("tables", "model"),
    )
    report_rows: int = Field(50_000, ge=100, description="rows that correlation and histograms look at")
    redundant_above: float = Field(0.98, gt=0, le=1, description="Spearman correlation of a redundant group")


class Guards(Section):
    """How hard the guards look."""

    section_decides = decides("tables")

    perturbation: bool = Field(True, description="false skips the rebuild with the future removed")
    perturbation_events: int = Field(
        20_000_000, ge=0, description="up to so many events of the months built, all users are rebuilt"
    )
    perturbation_users: int = Field(2_000, ge=1, description="users that are rebuilt where there are more")
    suspicion_rows: int = Field(20_000, ge=100, description="labelled rows that single features are tried on")
    seed: int = Field(7, json_schema_extra=decides("tables", "report"))
    max_single_auc: float = Field(0.95, gt=0.5, le=1, description="a feature this good alone is a leak")
