"""The model that scores: the registry's champion, taken up as it comes, if its features are stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import numpy as np

from pozytywka_spark.errors import PozytywkaError
from pozytywka_spark.featurestore.client import Answer, FeatureClient
from pozytywka_spark.featurestore.codec import Doubles
from pozytywka_spark.featurestore.record import PRESENT, ViewRecord
from pozytywka_spark.featurestore.serve.asking import NOT_NOW, RefusedError
from pozytywka_spark.models.serving_model import ServingModel

VIEW = "user_month"  # whose features models read


@dataclass(frozen=True)
class Registry:
    """Where models come from: the champion's number, None if there is none; and the model of a number."""

    champion: Callable[[], int | None]
    load: Callable[[int], ServingModel]


class Champion:
    """The model in use. `refresh` looks whether there is another; requests never wait for it."""

    def __init__(self, registry: Registry, client: FeatureClient) -> None:
        self._registry, self._client = registry, client
        self._refreshing = Lock()
        self._model: ServingModel | None = None
        self._trouble = "no champion was looked for yet"

    @property
    def version(self) -> int | None:
        """Of the model in use."""
        return self._model.version if self._model else None

    @property
    def trouble(self) -> str:
        """Why no model, or not the registry's, is in use; empty if all is well."""
        return self._trouble

    def refresh(self) -> None:
        """Take up the registry's champion, unless what is stored isn't what it was trained on.

        It is refused then, and the one before it goes on; so it does while the registry doesn't answer.
        """
        with self._refreshing:
            try:
                number = self._registry.champion()
                if number is None:
                    self._model, self._trouble = None, "the registry has no champion"
                    return
                same = self._model is not None and self._model.version == number
                model = self._model if same and self._model else self._registry.load(number)
                trouble = self._misfit(model)
                if not trouble:
                    self._model = model
                self._trouble = trouble
            except PozytywkaError as error:
                self._trouble = str(error)

    def scores(self, keys: list[str], as_of: int | None) -> tuple[ServingModel, Answer, Doubles]:
        """The model, the features' answer, and calibrated probabilities of the rows that are present.

        Raises `RefusedError` where no model can score what is stored.
        """
        model = self._model
        if model is None:
            raise RefusedError(NOT_NOW, f"no model scores: {self._trouble}")
        misfit = unlike(model, self._client.view(VIEW))
        if misfit:
            raise RefusedError(NOT_NOW, misfit)
        answer = self._client.get(VIEW, keys, as_of, model.features)
        there = answer.values[answer.status == PRESENT]
        if not len(there):
            return model, answer, np.empty(0)
        margins = model.predictor.margins(np.ascontiguousarray(there))
        return model, answer, model.calibrator.apply(margins)

    def _misfit(self, model: ServingModel) -> str:
        views = self._client.views()
        if VIEW not in views:
            return f"view {VIEW} isn't stored: run `featurestore materialize`"
        return unlike(model, views[VIEW])


def unlike(model: ServingModel, record: ViewRecord) -> str:
    """Why the model can't score what is stored; empty if it can."""
    name = f"{model.name} version {model.version}"
    absent = _absent(model.features, record.columns)
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        return f"{name} is refused: its feature {absent[0]}{more} isn't stored in view {record.view}"
    if model.catalogue_hash != record.catalogue_hash:
        return (
            f"{name} is refused: it was trained on the catalogue {model.catalogue_hash[:12]}, view "
            f"{record.view} is of {record.catalogue_hash[:12] or 'none'}"
        )
    return ""


@lru_cache(maxsize=8)
def _absent(features: tuple[str, ...], columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(feature for feature in features if feature not in columns)
