"""The features as they are declared, for people to read: starts no Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pozytywka_spark.config import Settings
from pozytywka_spark.features.declared.catalogue import CATALOGUE, catalogue_hash, catalogue_of
from pozytywka_spark.features.page.catalogue_page import INTRODUCTION, catalogue_rows
from pozytywka_spark.reports.notebook import card


@dataclass(frozen=True)
class Catalogue:
    """Grain feature, in the order in which models see them; `rows` say name, meaning, unit, type, window."""

    rows: tuple[Mapping[str, object], ...]
    hash: str

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        return iter(self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(str(row["feature"]) for row in self.rows)

    def _repr_html_(self) -> str:
        """The whole catalogue, for a notebook."""
        return card(f"{len(self)} features, hash {self.hash[:12]}", {"": self.rows}, [INTRODUCTION])


def catalogue(settings: Settings | None = None) -> Catalogue:
    """The catalogue; with `settings` also the entries of `features.extra`."""
    features = CATALOGUE if settings is None else catalogue_of(settings)
    return Catalogue(tuple(catalogue_rows(features)), catalogue_hash(settings, features))
