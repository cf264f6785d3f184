"""Frozen typed settings; see `load_settings` for where they come from."""

from pozytywka_spark.config.data import S3, Data, Features, Guards, Ingest, Label, LakeSettings, Raw, Spark
from pozytywka_spark.config.decisive import deciding
from pozytywka_spark.config.experiments import Experiments, Uplift
from pozytywka_spark.config.insight import Costs, Monitoring, Simulation
from pozytywka_spark.config.load import ENVIRONMENTS, conf_folder, load_settings
from pozytywka_spark.config.model import (
    Calibration,
    Evaluation,
    Gate,
    Mlflow,
    Policy,
    Scoring,
    Split,
    Training,
    Tuning,
)
from pozytywka_spark.config.orchestration import Monthly
from pozytywka_spark.config.settings import Settings
from pozytywka_spark.config.synthetic import Dirt, Drift, Fraud, Synthetic, SyntheticExperiment

__all__ = [
    "ENVIRONMENTS",
    "S3",
    "Calibration",
    "Costs",
    "Data",
    "Dirt",
    "Drift",
    "Evaluation",
    "Experiments",
    "Features",
    "Fraud",
    "Gate",
    "Guards",
    "Ingest",
    "Label",
    "LakeSettings",
    "Mlflow",
    "Monitoring",
    "Monthly",
    "Policy",
    "Raw",
    "Scoring",
    "Settings",
    "Simulation",
    "Spark",
    "Split",
    "Synthetic",
    "SyntheticExperiment",
    "Training",
    "Tuning",
    "Uplift",
    "conf_folder",
    "deciding",
    "load_settings",
]
