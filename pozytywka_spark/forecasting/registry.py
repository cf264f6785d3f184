"""Models by name."""

from __future__ import annotations

from pozytywka_spark.forecasting.models.ets import Ets
from pozytywka_spark.forecasting.models.model import Model
from pozytywka_spark.forecasting.models.naive import SeasonalNaive
from pozytywka_spark.forecasting.spec import Spec


def models_of(spec: Spec) -> dict[str, Model]:
    """Those that `spec` names and that forecast a series by itself; the seasonal naive always."""
    every: dict[str, Model] = {"seasonal_naive": SeasonalNaive(), "ets": Ets()}
    return {name: model for name, model in every.items() if name in spec.models or name == "seasonal_naive"}
