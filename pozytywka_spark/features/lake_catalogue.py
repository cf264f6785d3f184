"""The catalogue of a lake: entries that need a table which not every lake has are there where it has it."""

from __future__ import annotations

from dataclasses import dataclass

from pozytywka_spark.config import Settings
from pozytywka_spark.features.declared.catalogue import (
    catalogue_hash,
    catalogue_of,
    declared_for,
    feature_order,
    tables_needed,
)
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.lake.api import Lake


@dataclass(frozen=True)
class LakeCatalogue:
    """All entries that the table of features has, in its order; `order`: names of those that models are
    given, `hash` of what they are.
    """

    entries: tuple[Feature, ...]
    order: tuple[str, ...]
    hash: str

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables beside those that every lake has which the models' features come from."""
        return tables_needed(feature for feature in self.entries if feature.name in self.order)


def entries_to_build(settings: Settings, lake: Lake) -> tuple[Feature, ...]:
    """The entries whose tables the lake has now: what a build makes. Raises `UsageError`, see `extra`."""
    there = [table for table in tables_needed(declared_for(settings)) if lake.exists(table)]
    return catalogue_of(settings, there)


def built_catalogue(settings: Settings, lake: Lake, version: int | None = None) -> LakeCatalogue:
    """The entries that the table of features has, in its latest version or another: what a reader meets.

    A table that came to the lake after the last build changes nothing until the next one. Without a table of
    features: the entries that every lake has. Raises `UsageError`, see `extra`.
    """
    schema = lake.schema("features", version=version)
    columns = set(schema.names) if schema is not None else set()
    entries = tuple(each for each in declared_for(settings) if not each.needs or each.name in columns)
    return LakeCatalogue(entries, feature_order(settings, entries), catalogue_hash(settings, entries))
