"""What files about feedback begin with."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest import stage
from pozytywka_spark.ingest.masking import salt
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake


@pytest.fixture
def salt_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(salt.ENVIRONMENT, raising=False)


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))


@pytest.fixture
def lake(spark: SparkSession, settings: Settings) -> Lake:
    return open_lake(settings, spark)
