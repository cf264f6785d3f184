"""What every model of one series offers."""

from __future__ import annotations

from typing import Any, Protocol

from pozytywka_spark.forecasting.past import Past, Values


class Model(Protocol):
    """Begins once, by searching what suits the series, then is carried from origin to origin."""

    def suits(self, past: Past) -> bool:
        """Whether this past is long enough and of the kind that the model is for."""

    def begin(self, past: Past) -> Any:
        """What is searched once, on the earliest past: orders, parameters. Of any type, the model's own."""

    def ahead(self, begun: Any, past: Past) -> Values:
        """Means of the `past.horizon` steps that follow; `past` begins where the earliest one began."""
