"""One run of the stage: what it reads, which months it builds, where it puts them, what the steps took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.features.compute import Months
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.inputs import Inputs
from pozytywka_spark.features.recipe import Dimensions, Silver
from pozytywka_spark.features.store import LakeTables
from pozytywka_spark.lake.api import Lake


@dataclass(frozen=True)
class Build:
    """One run: what it reads, what it builds and where it puts it."""

    spark: SparkSession
    settings: Settings
    lake: Lake
    silver: Silver
    purchases: DataFrame
    dimensions: Dimensions
    inputs: Inputs
    span: Months
    features: Sequence[Feature]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def tables(self) -> LakeTables:
        """The lake's tables, of which the build replaces its months."""
        return LakeTables(self.lake, self.span)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note the seconds of a step."""
        start = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - start
