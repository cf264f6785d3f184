"""Counts of values per bin, for all features in one aggregation, on both sides: reference and month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

Floats = npt.NDArray[np.float64]

FINE = 50  # bins of a fiftieth of the reference each, for Kolmogorov-Smirnov
COARSE = 10  # tenths, made of five fine bins each, for PSI and Jensen-Shannon
_EXACT = 1_000_000  # accuracy of percentile_approx beyond the rows it is given, so that it is exact
PLACE, VALUE = "place", "value"


@dataclass(frozen=True)
class Counts:
    """Of one subject on one side: known values per fine bin, and nulls."""

    bins: Floats = field(default_factory=lambda: np.zeros(FINE))
    nulls: float = 0.0

    @property
    def known(self) -> float:
        """Values that aren't null."""
        return float(self.bins.sum())

    @property
    def rows(self) -> float:
        """All values."""
        return self.known + self.nulls

    @property
    def tenths(self) -> Floats:
        """Known values per coarse bin."""
        return np.asarray(self.bins.reshape(COARSE, -1).sum(axis=1))


def as_cells(rows: DataFrame, names: Sequence[str], first: int = 0) -> DataFrame:
    """Grain: row and name. user_id, month, place int (of the name, from `first`), value; NaN as null."""
    values = [F.nullif(F.col(name).cast("double"), F.lit(float("nan"))) for name in names]
    exploded = F.posexplode(F.array(*values)).alias(PLACE, VALUE)
    cells = rows.select("user_id", "month", exploded)
    return cells.withColumn(PLACE, F.col(PLACE) + F.lit(first)) if first else cells


def edges_of(cells: DataFrame) -> DataFrame:
    """Grain: place. `e1` … the upper edges of all fine bins but the last: quantiles of the known values.

    Where many values are equal, edges repeat and the bins between them stay empty on both sides.
    """
    shares = [step / FINE for step in range(1, FINE)]
    edges = cells.groupBy(PLACE).agg(F.percentile_approx(VALUE, shares, _EXACT).alias("edges"))
    return edges.select(PLACE, *(F.get("edges", F.lit(k)).alias(f"e{k + 1}") for k in range(FINE - 1)))


def count_cells(cells: DataFrame, edges: DataFrame, month: date) -> DataFrame:
    """Grain: side (`here`: is it `month`?), place and bin (0 …, null for nulls). `rows` bigint.

    A value's bin is the number of edges below it: plain comparisons, which Spark compiles, no search in
    an array. A place without any known reference value has no edges, and all its values bin 0.
    """
    joined = cells.join(F.broadcast(edges), PLACE, "left")
    return (
        joined.groupBy((F.col("month") == F.lit(month)).alias("here"), PLACE, _bin().alias("bin"))
        .agg(F.count(F.lit(1)).alias("rows"))
    )  # fmt: skip


def _bin() -> Column:
    below = F.lit(0)
    for k in range(1, FINE):
        below = below + F.coalesce((F.col(VALUE) > F.col(f"e{k}")).cast("int"), F.lit(0))
    return F.when(F.col(VALUE).isNotNull(), below)


def by_subject(counted: DataFrame, subjects: Sequence[str]) -> dict[str, tuple[Counts, Counts]]:
    """Reference and month of each subject. What comes here is features x bins, whatever the rows."""
    found: dict[tuple[int, bool], tuple[Floats, float]] = {}
    for row in counted.collect():
        bins, nulls = found.get((row[PLACE], row["here"]), (np.zeros(FINE), 0.0))
        if row["bin"] is None:
            nulls += row["rows"]
        else:
            bins[row["bin"]] += row["rows"]
        found[row[PLACE], row["here"]] = (bins, nulls)
    return {
        name: (_counts(found, place, False), _counts(found, place, True))
        for place, name in enumerate(subjects)
    }


def _counts(found: Mapping[tuple[int, bool], tuple[Floats, float]], place: int, here: bool) -> Counts:
    return Counts(*found[place, here]) if (place, here) in found else Counts()
