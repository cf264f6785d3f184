"""The catalogue: every feature declared once, in the order in which models see them; its hash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.analysts import ANALYSTS
from pozytywka_spark.features.behaviour import BEHAVIOUR
from pozytywka_spark.features.entry import Feature, Measure
from pozytywka_spark.features.trends import TRENDS

CATALOGUE_VERSION = 1
CATALOGUE: tuple[Feature, ...] = (*ANALYSTS, *BEHAVIOUR, *TRENDS)


def measures_of(features: Iterable[Feature]) -> tuple[Measure, ...]:
    """The measures that `features` need, each once, in order of first use."""
    return tuple({measure.name: measure for feature in features for measure in feature.measures}.values())


def feature_order(
    settings: Settings | None = None, features: Sequence[Feature] = CATALOGUE
) -> tuple[str, ...]:
    """Names of the features a model is given, in order: the catalogue without `features.drop`.

    Raises `UsageError` if `features.drop` names what isn't in the catalogue.
    """
    dropped = set(settings.features.drop) if settings else set()
    names = tuple(feature.name for feature in features)
    unknown = sorted(dropped - set(names))
    if unknown:
        raise UsageError(f"features.drop: no such feature: {', '.join(unknown)}; see features --catalogue")
    return tuple(name for name in names if name not in dropped)


def catalogue_hash(settings: Settings | None = None, features: Sequence[Feature] = CATALOGUE) -> str:
    """SHA-256 of what the model's features are: names in order, their expressions and their measures'.

    It changes with any change of arithmetic, not with a better wording of a meaning. Needs a
    running classic session, whose text of an expression is what is hashed.
    """
    order = feature_order(settings, features)
    chosen = [feature for feature in features if feature.name in order]
    content = {
        "version": CATALOGUE_VERSION,
        "features": [[feature.name, _text(feature.expression())] for feature in chosen],
        "measures": [
            [measure.name, measure.level, _text(measure.aggregate())] for measure in measures_of(chosen)
        ],
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _text(expression: object) -> str:
    """Spark's text of an expression; it numbers the variables of lambdas anew each time."""
    return re.sub(r"\b([xyz])_\d+\b", r"\1", repr(expression))
