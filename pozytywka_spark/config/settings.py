"""All settings of a job in one place, and which of them go together."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pozytywka_spark.config.bandits import Bandits
from pozytywka_spark.config.base import NOTHING, Section
from pozytywka_spark.config.evaluation import Evaluation
from pozytywka_spark.config.experiments import Experiments
from pozytywka_spark.config.factory import Factory
from pozytywka_spark.config.features import Features, Guards, Label
from pozytywka_spark.config.featurestore import Featurestore
from pozytywka_spark.config.feed import Feed
from pozytywka_spark.config.feedback import Feedback
from pozytywka_spark.config.forecast import Forecast
from pozytywka_spark.config.fraud import Fraud
from pozytywka_spark.config.ingest import Data, Ingest, Raw
from pozytywka_spark.config.lake import S3, LakeSettings
from pozytywka_spark.config.moderation import Moderation
from pozytywka_spark.config.monitoring import Monitoring
from pozytywka_spark.config.orchestration import Monthly
from pozytywka_spark.config.promotion import Gate
from pozytywka_spark.config.scoring import Scoring
from pozytywka_spark.config.simulation import Simulation
from pozytywka_spark.config.spark import Spark
from pozytywka_spark.config.synthetic import Synthetic
from pozytywka_spark.config.topics import Topics
from pozytywka_spark.config.tracking import Mlflow
from pozytywka_spark.config.training import Calibration, Split, Training, Tuning


class Settings(Section):
    """All settings of a job, resolved."""

    env: Literal["local", "cluster"] = Field(json_schema_extra=NOTHING)
    home: str = Field(
        min_length=1,
        description="folder for everything that has no place of its own",
        json_schema_extra=NOTHING,
    )
    raw: Raw = Raw()
    ingest: Ingest = Ingest()
    data: Data = Data()
    lake: LakeSettings
    s3: S3 = S3()
    spark: Spark = Spark()
    label: Label = Label()
    features: Features = Features()
    guards: Guards = Guards()
    split: Split = Split()
    training: Training = Training()
    tuning: Tuning = Tuning()
    evaluation: Evaluation = Evaluation()
    calibration: Calibration = Calibration()
    gate: Gate = Gate()
    scoring: Scoring = Scoring()
    experiments: Experiments = Experiments()
    monitoring: Monitoring = Monitoring()
    simulation: Simulation = Simulation()
    fraud: Fraud = Fraud()
    moderation: Moderation = Moderation()
    factory: Factory = Factory()
    bandits: Bandits = Bandits()
    feed: Feed = Feed()
    featurestore: Featurestore = Featurestore()
    forecast: Forecast = Forecast()
    topics: Topics = Topics()
    feedback: Feedback = Feedback()
    monthly: Monthly = Monthly()
    mlflow: Mlflow
    synthetic: Synthetic = Synthetic()

    @model_validator(mode="after")
    def _combinations(self) -> Settings:
        if self.label.name == "buys_ever" and not self.label.allow_censored:
            raise ValueError(
                "label.name=buys_ever is censored by the end of the data: "
                "set label.allow_censored=true to train on it, or use buys_within_horizon"
            )
        if self.tuning.trials is None and self.tuning.minutes is None:
            raise ValueError("tuning.trials and tuning.minutes are both unset: set one, or it never ends")
        needed = self.gate.fewest_replicates
        if self.training.prefer_simple and self.evaluation.bootstrap < needed:
            raise ValueError(
                f"training.prefer_simple=true decides by bootstrap replicates: evaluation.bootstrap must be "
                f"at least {needed} for gate.confidence={self.gate.confidence:g}"
            )
        return self

    @property
    def raw_path(self) -> str:
        """The delivery to read: `raw.path`, else the embedded one's place."""
        return self.raw.path or f"{self.home}/raw"

    def resolved(self) -> dict[str, Any]:
        """Plain values of all settings, as logged with every run."""
        return self.model_dump(mode="json")
