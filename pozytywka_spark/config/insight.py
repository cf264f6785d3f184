"""Settings of monitoring and of the simulation of what the platform could change."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Monitoring(Section):
    """When a month is told to be unlike the months that the model learnt from.

    A distance alarms only beyond its threshold here and beyond what chance alone gives at the month's size.
    """

    section_decides = decides("monitoring")

    reference_months: int = Field(6, ge=1, description="months, the last the champion was fitted on")
    psi: float = Field(0.15, gt=0, description="population stability index over ten bins")
    ks: float = Field(0.15, gt=0, lt=1, description="Kolmogorov-Smirnov distance")
    js: float = Field(0.165, gt=0, lt=1, description="Jensen-Shannon distance, base 2, over ten bins")
    nulls: float = Field(0.05, gt=0, lt=1, description="difference of null rates")
    false_alarms: float = Field(0.01, gt=0, lt=1, description="chance of a false alarm, a distance and month")
    max_auc_drop: float = Field(0.05, gt=0, lt=1, description="ROC AUC below that of the champion's test")
    max_purchase_shift: float = Field(
        0.3, gt=0, description="share by which purchases may differ from those expected"
    )
    retrain_features: int = Field(3, ge=1, description="drifted features that ask for a new model")
    warmup_months: int = Field(
        2, ge=0, description="first months of all data that the default reference leaves out if it can"
    )
    exempt: tuple[str, ...] = Field(
        (
            "month_of_year",
            "tenure_days",
            "average_prior_plays",
            "prior_plays_last_3_months",
            "prior_plays_last_6_months",
            "prior_plays_last_12_months",
        ),
        description="features that grow or turn by nature as time goes by: measured, never alarmed",
    )
    edge_rows: int = Field(20_000, ge=100, description="reference rows, chosen by a hash, that set the bins")
    seed: int = 7


class Costs(Section):
    """What changes cost, in the currency of `scoring.policy.value_of_sale`."""

    section_decides = decides("simulation")

    advert_income: float = Field(0.01, ge=0, description="earned by one advert heard")
    favourite_play: float = Field(0.002, ge=0, description="of moving one play into a favourite genre")
    popularity_point: float = Field(0.02, ge=0, description="of a point of mean popularity, a user and month")
    sound: float = Field(0.05, ge=0, description="of one standard deviation of sound, a user and month")


class Simulation(Section):
    """The search for changes that the platform could make, for one segment of users at a time."""

    section_decides = decides("simulation")

    segment: str = Field("activity", pattern=r"^(all|city|tenure|activity)$", description="groups of users")
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
