"""Frozen typed settings; see `load_settings` for where they come from."""

from pozytywka_spark.config.decisive import deciding
from pozytywka_spark.config.evaluation import Evaluation
from pozytywka_spark.config.experiments import Experiments, Uplift
from pozytywka_spark.config.features import Features, Guards, Label
from pozytywka_spark.config.ingest import Data, Ingest, Raw
from pozytywka_spark.config.lake import S3, LakeSettings
from pozytywka_spark.config.load import ENVIRONMENTS, conf_folder, load_settings, settings_of
from pozytywka_spark.config.monitoring import Monitoring
from pozytywka_spark.config.orchestration import Monthly
from pozytywka_spark.config.promotion import Gate
from pozytywka_spark.config.rhythm import Rhythm
from pozytywka_spark.config.scoring import Policy, Scoring
from pozytywka_spark.config.settings import Settings
from pozytywka_spark.config.simulation import Costs, Simulation
from pozytywka_spark.config.spark import Spark
from pozytywka_spark.config.synthetic import Dirt, Drift, Fraud, Synthetic, SyntheticExperiment
from pozytywka_spark.config.taste import Taste
from pozytywka_spark.config.tracking import Mlflow
from pozytywka_spark.config.training import Calibration, Split, Training, Tuning

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
    "Rhythm",
    "Scoring",
    "Settings",
    "Simulation",
    "Spark",
    "Split",
    "Synthetic",
    "SyntheticExperiment",
    "Taste",
    "Training",
    "Tuning",
    "Uplift",
    "conf_folder",
    "deciding",
    "load_settings",
    "settings_of",
]
