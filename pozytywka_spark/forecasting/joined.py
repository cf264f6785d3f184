"""How many users joined in each month: of a city, what is known of it at an origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.past import Joined
from pozytywka_spark.forecasting.series_names import SEPARATOR

CITY = 1  # place of it in a series' name


@dataclass(frozen=True)
class JoinedByCity:
    """Users whose first event lies in a month, of complete months from the lake's first on, none left out.

    `first`: that month, counted since 1970; `counts` by city as series' names have it, `all` among them.
    """

    first: int
    counts: dict[str, tuple[float, ...]]

    def of_series(self, name: str) -> Joined | None:
        """Those of the city that `name` is of; None where it is of none that is known."""
        parts = name.split(SEPARATOR)
        counts = self.counts.get(parts[CITY]) if len(parts) > CITY else None
        return None if counts is None else Joined(self.first, np.array(counts))


def joined_of(monthly: pl.DataFrame) -> JoinedByCity | None:
    """From rows of new users (city as in series' names, month, value); None where there are none."""
    if not monthly.height:
        return None
    numbered = monthly.select(
        "city", "value", at=(pl.col("month").dt.year() - 1970) * 12 + pl.col("month").dt.month() - 1
    )
    rows = [(str(city), float(value), int(at)) for city, value, at in numbered.rows()]
    first, end = min(at for *_, at in rows), max(at for *_, at in rows) + 1
    counts = {city: np.zeros(end - first) for city, *_ in rows}
    for city, value, at in rows:
        counts[city][at - first] += value
    return JoinedByCity(first, {city: tuple(each.tolist()) for city, each in sorted(counts.items())})
