"""The files of a registered model -> what scores pairs: light model and heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pozytywka_spark.errors import GuardError
from pozytywka_spark.feed import light
from pozytywka_spark.feed.about import About
from pozytywka_spark.feed.heads import model as heads
from pozytywka_spark.feed.heads.features import features_hash, features_of
from pozytywka_spark.feed.pairs import Array, Pairs
from pozytywka_spark.feed.track_side import Tracks


@dataclass(frozen=True)
class TrainedRanker:
    """Implements `ranking.Ranker`."""

    heads: heads.Heads
    light_model: light.Light

    def light(self, pairs: Pairs, users: About, tracks: Tracks) -> Array:
        """See `ranking.Ranker`."""
        return self.light_model.scores(pairs, users, tracks)

    def chances(self, pairs: Pairs, users: About, tracks: Tracks) -> Array:
        """See `ranking.Ranker`."""
        return self.heads.chances(features_of(pairs, users, tracks))

    def files(self) -> dict[str, bytes]:
        """As plain files."""
        return {**self.heads.files(), **self.light_model.files()}


def ranker_of(files: Mapping[str, bytes]) -> TrainedRanker:
    """Raises `GuardError` if the features it was trained on aren't today's."""
    trained = heads.from_files(files)
    if trained.features != features_hash():
        raise GuardError(
            f"feed model: trained on features {trained.features}, this release has {features_hash()}: "
            "run feed train again"
        )
    return TrainedRanker(trained, light.from_files(files[light.LIGHT_FILE]))
