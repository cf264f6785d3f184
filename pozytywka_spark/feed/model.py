"""The model that pages are made with: a registered version, plain files in MLflow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.ranking import Ranker
from pozytywka_spark.feed.weights import Weight, Weights
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.plain_models import load_files, named
from pozytywka_spark.tracking.store import Tracking, connect

NAME = "pozytywka-feed"
WEIGHTS, MEASURED = "weights.json", "measured.json"


@dataclass(frozen=True)
class Model:
    """A version and what it does. `weights`: of the heads, in their order."""

    name: str
    version: str
    run_id: str
    ranker: Ranker
    weights: Array


def connected(settings: Settings) -> Tracking:
    """The store, for the feed's model."""
    return named(connect(settings), NAME)


def champion(settings: Settings) -> Model:
    """Raises `TrackingError` if there is none, `GuardError` if its features aren't today's."""
    tracking = connected(settings)
    version = registry.aliased(tracking, registry.CHAMPION)
    if version is None:
        raise TrackingError(f"no model {NAME}@champion is registered at {tracking.uri}: run feed train first")
    return load(tracking, version)


def load(tracking: Tracking, version: registry.Version) -> Model:
    """That version's. Raises `GuardError` if its features aren't today's."""
    from pozytywka_spark.feed.model_files import ranker_of

    files = load_files(tracking, version.number)
    weights = weights_of_file(files[WEIGHTS])
    return Model(NAME, str(version.number), version.training_run, ranker_of(files), weights.values)


def weights_file(weights: Weights) -> bytes:
    """As JSON."""
    return json.dumps(asdict(weights), indent=1).encode()


def weights_of_file(content: bytes) -> Weights:
    """Back from JSON."""
    read = json.loads(content)
    return Weights(
        tuple(Weight(**one) for one in read["weights"]), read["why"], read["answers"], read["people"]
    )


def weight_rows(weights: Weights, version: str) -> Sequence[Mapping[str, object]]:
    """Rows of the table `feed_weights`."""
    return [{**asdict(one), "model_version": version} for one in weights.weights]
