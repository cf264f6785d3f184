"""Models by name."""

from __future__ import annotations

from pozytywka_spark.forecasting.models.arima import Arima
from pozytywka_spark.forecasting.models.calendar import Calendar
from pozytywka_spark.forecasting.models.counts import Counts
from pozytywka_spark.forecasting.models.ets import Ets
from pozytywka_spark.forecasting.models.growth import Growth, LastYear
from pozytywka_spark.forecasting.models.harmonic import Harmonic
from pozytywka_spark.forecasting.models.model import Model
from pozytywka_spark.forecasting.models.mstl import Mstl
from pozytywka_spark.forecasting.models.naive import LastValue, SeasonalNaive
from pozytywka_spark.forecasting.models.theta import Theta
from pozytywka_spark.forecasting.spec import Spec


def models_of(spec: Spec) -> dict[str, Model]:
    """Those that `spec` names and that forecast a series by itself; the naive ones always, first."""
    every: dict[str, Model] = {
        "growth": Growth(),
        "last_year": LastYear(),
        "harmonic": Harmonic(),
        "theta": Theta(),
        "ets": Ets(),
        "arima": Arima(),
        "mstl": Mstl(every_season=False),
        "mstl_long": Mstl(every_season=True),
        "calendar": Calendar(),
        "counts": Counts(),
    }
    chosen = {name: model for name, model in every.items() if name in spec.models}
    if not spec.count:
        chosen.pop("counts", None)
    return {"seasonal_naive": SeasonalNaive(), "last_value": LastValue(), **chosen}
