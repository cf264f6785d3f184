"""The heads: one booster of trees with a leaf value a head, and the calibration of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pozytywka_spark.errors import GuardError
from pozytywka_spark.feed.heads.calibration import MANY_PLAYS, OWN_RATE, Calibration, OwnRate
from pozytywka_spark.feed.heads.features import NAMES, features_hash
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.names import HEADS

BOOSTER, HEADS_FILE = "heads.ubj", "heads.json"


@dataclass(frozen=True)
class Heads:
    """`trained`: the heads that had examples; the others' chances are 0."""

    booster: bytes
    trained: tuple[str, ...]
    calibrations: Mapping[str, Calibration]
    features: str  # their hash

    @cached_property
    def _loaded(self) -> Any:
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(self.booster))
        return booster

    def margins(self, features: Array) -> Array:
        """Pairs × trained heads: log odds before calibration; `features`: features × pairs."""
        if self.features != features_hash():
            raise GuardError(
                "feed model: its features aren't those of this release, or in another order: train it anew"
            )
        rows = np.ascontiguousarray(features.T)
        margin: Array = self._loaded.inplace_predict(rows, predict_type="margin")
        return margin.reshape(len(rows), len(self.trained))

    def chances(self, features: Array) -> Array:
        """Pairs × `HEADS` (float32)."""
        found = np.zeros((features.shape[1], len(HEADS)), dtype=np.float32)
        if not features.shape[1]:
            return found
        margins = self.margins(features)
        for column, head in enumerate(self.trained):
            own = own_rate(features, head)
            found[:, HEADS.index(head)] = self.calibrations[head].apply(margins[:, column], own)
        return found

    def files(self) -> dict[str, bytes]:
        """As plain files."""
        plain = {
            "trained": list(self.trained),
            "features": self.features,
            "names": list(NAMES),
            "calibrations": {head: asdict(each) for head, each in self.calibrations.items()},
        }
        return {BOOSTER: self.booster, HEADS_FILE: json.dumps(plain, indent=1).encode()}


def own_rate(features: Array, head: str) -> OwnRate:
    """Of each pair's user, of a head."""
    rate, plays = features[NAMES.index(OWN_RATE[head])], features[NAMES.index("user_plays")]
    never = (features[NAMES.index("user_likes")] == 0) & (plays >= MANY_PLAYS) & (head == "like")
    return OwnRate(rate, never, plays == 0)


def from_files(files: Mapping[str, bytes]) -> Heads:
    """What `Heads.files` gave."""
    plain = json.loads(files[HEADS_FILE])
    calibrations = {
        head: Calibration(each["slope"], each["intercept"], tuple(each["edges"]), tuple(each["factor"]))
        for head, each in plain["calibrations"].items()
    }
    return Heads(files[BOOSTER], tuple(plain["trained"]), calibrations, plain["features"])
