"""All series of a measure together, as a Spark task meets them. No Spark here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from pozytywka_spark.forecasting.spec import Spec


@dataclass(frozen=True)
class SettleMeasure:
    """Work on the forecasts and combined errors of a measure's series; `specs` by step and measure."""

    specs: Mapping[tuple[str, str], Spec]

    def __call__(self, step: str, measure: str, rows: pa.Table) -> pa.Table:
        """Rows of `rows.SCHEMA` in and out."""
        return rows
