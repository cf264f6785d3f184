"""The files of a registered model -> what scores pairs."""

from __future__ import annotations

from collections.abc import Mapping

from pozytywka_spark.feed.ranking import Ranker


def ranker_of(files: Mapping[str, bytes]) -> Ranker:
    """Raises `GuardError` if the features it was trained on aren't today's."""
    raise NotImplementedError
