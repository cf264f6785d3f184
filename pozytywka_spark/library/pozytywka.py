"""A Pozytywka in the hand: its tables, its stages and its model as methods, thin over the stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.lake.recorded import record_settings
from pozytywka_spark.library.catalogue import Catalogue, catalogue
from pozytywka_spark.library.months import Month, Months, month_of, months_of
from pozytywka_spark.library.table import LakeTable
from pozytywka_spark.names import NOTEBOOKS
from pozytywka_spark.reports.notebook import card

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pozytywka_spark.features.stage import FeaturesReport
    from pozytywka_spark.ingest.stage import IngestReport
    from pozytywka_spark.lake.api import Lake
    from pozytywka_spark.library.experiment import Experiment
    from pozytywka_spark.library.model import Model
    from pozytywka_spark.monitoring.stage import MonitoringReport
    from pozytywka_spark.scoring.stage import ScoringReport
    from pozytywka_spark.simulation.stage import SimulationReport
    from pozytywka_spark.training.stage import TrainingReport


class Pozytywka:
    """A lake, its settings and what can be done with both; made by `pozytywka_spark.open`.

    Stages raise what they document, all of it `PozytywkaError`s of one line. What they return is a frozen
    dataclass, which a notebook shows as tables.
    """

    def __init__(self, settings: Settings, spark: SparkSession | None = None) -> None:
        self.settings = settings
        self._given = spark

    @cached_property
    def spark(self) -> SparkSession:
        """The session, started by the first use that needs one. Raises `UsageError` for one that won't do."""
        from pozytywka_spark.spark.foreign import use_session
        from pozytywka_spark.spark.session_on_demand import session_on_demand

        if self._given is not None:
            return use_session(self._given, self.settings)
        return session_on_demand(self.settings, NOTEBOOKS)

    @cached_property
    def lake(self) -> Lake:
        """The lake. Raises `LakeError` as `lake.open_lake` does."""
        from pozytywka_spark.lake import open_lake

        return open_lake(self.settings, self.spark)

    def table(
        self, name: str, *, months: Months | None = None, columns: Sequence[str] | None = None
    ) -> LakeTable:
        """A table of the lake: "events", "features", "predictions" …

        `months` as "2023-02", "2023-01..2023-03", dates, or several of these; of `columns` only those.
        """
        only = None if columns is None else tuple(columns)
        return LakeTable(self.lake, name, None if months is None else tuple(months_of(months)), only)

    def features(self, *, months: Months | None = None, columns: Sequence[str] | None = None) -> LakeTable:
        """The table `features`: a row a user and month, of users who hadn't bought before its end."""
        return self.table("features", months=months, columns=columns)

    def catalogue(self) -> Catalogue:
        """What the features mean, those of `features.extra` too; starts no Spark."""
        return catalogue(self.settings)

    def ingest(self) -> IngestReport:
        """Take in what is new in the delivery at `raw.path`; without one the embedded Pozytywka's is made."""
        from pozytywka_spark.ingest.stage import ingest
        from pozytywka_spark.synthetic.world import make_embedded_world

        make_embedded_world(self.spark, self.settings)
        report = ingest(self.spark, self.settings, self.lake)
        record_settings(self.settings)
        return report

    def build_features(self, *, months: Months | None = None, full: bool = False) -> FeaturesReport:
        """Build features and labels of the months whose inputs changed.

        Of the months from the first to the last of `months` only, if given; of all with `full`.
        """
        from pozytywka_spark.features.stage import build_features

        each = None if months is None else months_of(months)
        asked = (each[0], each[-1]) if each else None
        report = build_features(self.spark, self.settings, self.lake, months=asked, full=full)
        record_settings(self.settings)
        return report

    def train(self, *, force: bool = False) -> TrainingReport:
        """Train, measure and register; what was trained before on the same isn't again, unless by `force`."""
        from pozytywka_spark.training.stage import train

        return train(self.spark, self.settings, self.lake, force=force)

    def score(self, month: Month | None = None) -> ScoringReport:
        """Score the free users of `month` (default: the last complete one) with the champion."""
        from pozytywka_spark.scoring.stage import score

        return score(self.spark, self.settings, self.lake, _month(month))

    def monitor(self, month: Month | None = None, *, reference: Months | None = None) -> MonitoringReport:
        """Compare `month` (default: the last complete one) with what the champion knows; writes the page."""
        from pozytywka_spark.monitoring.stage import monitor
        from pozytywka_spark.reports.files import write_page

        each = None if reference is None else months_of(reference)
        span = (each[0], each[-1]) if each else None
        report = monitor(self.spark, self.settings, self.lake, _month(month), span)
        return replace(report, page_file=str(write_page(self.settings, "monitoring.html", report.page)))

    def simulate(self, month: Month | None = None, *, segment: str | None = None) -> SimulationReport:
        """Search what the platform could change for groups of users, what it would bring; writes the page."""
        from pozytywka_spark.reports.files import write_page
        from pozytywka_spark.simulation.stage import simulate

        report = simulate(self.spark, self.settings, self.lake, _month(month), segment)
        name = f"simulation-{report.segment_by}.html"
        return replace(report, page_file=str(write_page(self.settings, name, report.page)))

    def model(self, version: int | None = None) -> Model:
        """The champion, or the version of that number. Raises `TrackingError` if there is none."""
        from pozytywka_spark.library.model import Model
        from pozytywka_spark.tracking.registry import load_model, load_version
        from pozytywka_spark.tracking.store import connect

        tracking = connect(self.settings)
        return Model(load_model(tracking) if version is None else load_version(tracking, version))

    def experiment(self, name: str) -> Experiment:
        """The experiment of that name, which needn't have begun."""
        from pozytywka_spark.library.experiment import Experiment

        return Experiment(self, name)

    def __repr__(self) -> str:
        return f"Pozytywka(lake {self.settings.lake.root}, engine {self.settings.lake.engine})"

    def _repr_html_(self) -> str:
        settings = self.settings
        rows = [
            {"what": "delivery", "where": settings.raw_path},
            {"what": "lake", "where": settings.lake.root},
            {"what": "models", "where": settings.mlflow.tracking_uri},
        ]
        return card("Pozytywka", {"": rows}, [f"label {settings.label.name}, engine {settings.lake.engine}"])


def _month(month: Month | None) -> date | None:
    return None if month is None else month_of(month)
