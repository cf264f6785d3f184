"""The catalogue as tasks are sent it: expressions, ready made, in the order of the declaration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.features.declared.declaration import Feature, measures_of
from pozytywka_spark.features.declared.values import Level, sum_name


@dataclass(frozen=True)
class Named:
    """A measure or a feature: its name, how it is made, and the level that a measure aggregates."""

    name: str
    made: pl.Expr
    level: Level | None = None


@dataclass(frozen=True)
class CataloguePlan:
    """All that is to be computed. `sums`: measures that trailing windows add up, and over how many months."""

    measures: tuple[Named, ...]
    sums: tuple[tuple[str, int], ...]
    features: tuple[Named, ...]

    @property
    def columns(self) -> int:
        """Columns of a user's month while it is made: measures, sums and features."""
        return len(self.measures) + len(self.sums) + len(self.features)

    @property
    def grouped(self) -> bool:
        """Whether groups or languages of tracks are needed."""
        return bool(self.at("group", "language"))

    def at(self, *levels: Level) -> list[Named]:
        """The measures of these levels."""
        return [each for each in self.measures if each.level in levels]


def plan_of(features: Sequence[Feature]) -> CataloguePlan:
    """What `features` need, each measure and each sum once, in order of first use."""
    measures = measures_of(features)
    sums = {
        (measure.name, feature.months): None
        for feature in features
        if feature.months > 1
        for measure in feature.measures
    }
    return CataloguePlan(
        tuple(Named(each.name, each.aggregate().cast(pl.Int64), each.level) for each in measures),
        tuple(sums),
        tuple(Named(each.name, each.expression().cast(pl.Float64)) for each in features),
    )


def sum_columns(plan: CataloguePlan) -> list[str]:
    """Names of the sums' columns."""
    return [sum_name(name, months) for name, months in plan.sums]
