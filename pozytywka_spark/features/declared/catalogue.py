"""The catalogue: every feature declared once, in the order in which models see them; its hash."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.declared import (
    adverts,
    favourites,
    listening,
    sessions,
    tracks,
    trends,
    variety,
)
from pozytywka_spark.features.declared.declaration import Feature, declaration
from pozytywka_spark.features.declared.extra import extra_features
from pozytywka_spark.features.declared.order import ANALYSTS_NAMES, ORDER
from pozytywka_spark.hashing.fingerprints import LONG, fingerprint_of

CATALOGUE_VERSION = 2  # of the declaration: 1 hashed the text of Spark's expressions
_TOPICS = (adverts, listening, favourites, tracks, sessions, variety, trends)


def in_order(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """As models see them: by `ORDER`, and after those the ones that it doesn't name, as they come."""
    places = {name: place for place, name in enumerate(ORDER)}
    return tuple(sorted(features, key=lambda feature: places.get(feature.name, len(places))))


CATALOGUE = in_order(feature for topic in _TOPICS for feature in topic.FEATURES)
ANALYSTS = tuple(feature for feature in CATALOGUE if feature.name in ANALYSTS_NAMES)


def catalogue_of(settings: Settings) -> tuple[Feature, ...]:
    """The catalogue and, after it, the entries of `features.extra`. Raises `UsageError`, see `extra`."""
    return (*CATALOGUE, *extra_features(settings.features.extra, CATALOGUE))


def feature_order(
    settings: Settings | None = None, features: Sequence[Feature] | None = None
) -> tuple[str, ...]:
    """Names of the features a model is given, in order: all but `features.drop`.

    `features`: unset, the settings' catalogue. Raises `UsageError` if `features.drop` names none of them.
    """
    dropped = set(settings.features.drop) if settings else set()
    names = tuple(feature.name for feature in _or_catalogue(features, settings))
    unknown = sorted(dropped - set(names))
    if unknown:
        raise UsageError(f"features.drop: no such feature: {', '.join(unknown)}; see features --catalogue")
    return tuple(name for name in names if name not in dropped)


def catalogue_hash(settings: Settings | None = None, features: Sequence[Feature] | None = None) -> str:
    """SHA-256 of what the model's features are, as declared: names in order, arithmetic, measures.

    It is our own statement of the arithmetic that counts, with its revision, not an engine's text of an
    expression: neither an upgrade of Spark nor another engine changes it, nor does a better wording of a
    meaning. That values don't change under an unchanged statement is a test's to see.
    """
    declared = _or_catalogue(features, settings)
    order = feature_order(settings, declared)
    modelled = [feature for feature in declared if feature.name in order]
    content = {"version": CATALOGUE_VERSION, "features": [declaration(feature) for feature in modelled]}
    return fingerprint_of(content, LONG)


def _or_catalogue(features: Sequence[Feature] | None, settings: Settings | None) -> Sequence[Feature]:
    if features is not None:
        return features
    return CATALOGUE if settings is None else catalogue_of(settings)
