"""Settings of monitoring."""

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
