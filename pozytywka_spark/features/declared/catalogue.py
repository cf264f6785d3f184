"""The catalogue: every feature declared once, in the order in which models see them; its hash.

Some entries need a table that a lake may lack: they are there where it has the table (`lake_catalogue`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.declared import (
    adverts,
    favourites,
    groups,
    listening,
    sessions,
    texts,
    tracks,
    trends,
    variety,
)
from pozytywka_spark.features.declared.declaration import Feature, declaration
from pozytywka_spark.features.declared.extra import extra_features
from pozytywka_spark.features.declared.order import ANALYSTS_NAMES, ORDER
from pozytywka_spark.hashing.fingerprints import LONG, fingerprint_of

CATALOGUE_VERSION = 2  # of the declaration: 1 hashed the text of Spark's expressions
_TOPICS = (adverts, listening, favourites, tracks, sessions, variety, trends, groups, texts)


def in_order(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """As models see them: by `ORDER`, and after those the ones that it doesn't name, as they come."""
    places = {name: place for place, name in enumerate(ORDER)}
    return tuple(sorted(features, key=lambda feature: places.get(feature.name, len(places))))


_DECLARED = in_order(feature for topic in _TOPICS for feature in topic.FEATURES)
CATALOGUE = tuple(feature for feature in _DECLARED if not feature.needs)
OPTIONAL = tuple(feature for feature in _DECLARED if feature.needs)
ANALYSTS = tuple(feature for feature in CATALOGUE if feature.name in ANALYSTS_NAMES)


def catalogue_of(settings: Settings, tables: Collection[str] = ()) -> tuple[Feature, ...]:
    """The entries that every lake has, those whose tables are among `tables`, and those of `features.extra`.

    In this order. Raises `UsageError`, see `extra`.
    """
    return tuple(feature for feature in declared_for(settings) if set(feature.needs) <= set(tables))


def declared_for(settings: Settings) -> tuple[Feature, ...]:
    """All entries that any lake may have, those of `features.extra` after the others."""
    return (*CATALOGUE, *OPTIONAL, *extra_features(settings.features.extra, (*CATALOGUE, *OPTIONAL)))


def tables_needed(features: Iterable[Feature]) -> tuple[str, ...]:
    """The tables that some of these entries need and a lake may lack, in alphabetic order."""
    return tuple(sorted({table for feature in features for table in feature.needs}))


def feature_order(
    settings: Settings | None = None, features: Sequence[Feature] | None = None
) -> tuple[str, ...]:
    """Names of the features a model is given, in order: all but `features.drop`, and but those that aren't
    given by default and that `features.take` doesn't name.

    `features`: unset, the settings' catalogue. Raises `UsageError` if either names what no lake has.
    """
    entries = _or_catalogue(features, settings)
    dropped, taken = _chosen(settings, "drop", entries), _chosen(settings, "take", entries)
    return tuple(
        feature.name
        for feature in entries
        if feature.name not in dropped and (feature.by_default or feature.name in taken)
    )


def catalogue_hash(settings: Settings | None = None, features: Sequence[Feature] | None = None) -> str:
    """SHA-256 of what the model's features are, as declared: names in order, arithmetic, measures.

    It is our own statement of the arithmetic that counts, with its revision, not an engine's text of an
    expression: neither an upgrade of Spark nor another engine changes it, nor does a better wording of a
    meaning. That values don't change under an unchanged statement is a test's to see.
    """
    declared = _or_catalogue(features, settings)
    order = feature_order(settings, declared)
    return declared_hash(feature for feature in declared if feature.name in order)


def declared_hash(features: Iterable[Feature]) -> str:
    """The same of all these entries, whether models are given them or not."""
    content = {"version": CATALOGUE_VERSION, "features": [declaration(feature) for feature in features]}
    return fingerprint_of(content, LONG)


def _chosen(
    settings: Settings | None, setting: Literal["drop", "take"], entries: Sequence[Feature]
) -> frozenset[str]:
    """The features that a setting names: some of these entries, or of what another lake has."""
    named: tuple[str, ...] = getattr(settings.features, setting) if settings else ()
    if not named or settings is None:
        return frozenset()
    unknown = sorted(set(named) - {feature.name for feature in (*declared_for(settings), *entries)})
    if unknown:
        raise UsageError(
            f"features.{setting}: no such feature: {', '.join(unknown)}; see features --catalogue"
        )
    return frozenset(named)


def _or_catalogue(features: Sequence[Feature] | None, settings: Settings | None) -> Sequence[Feature]:
    if features is not None:
        return features
    return CATALOGUE if settings is None else catalogue_of(settings)
