"""What serves: a model with everything that scoring needs to share with its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pozytywka_spark.errors import TrackingError

FORMAT = 1


@dataclass(frozen=True)
class ServingModel:
    """A booster cut to its best iteration, and the state fitted with it. `booster` is native UBJ."""

    booster: bytes
    features: tuple[str, ...]
    catalogue_hash: str
    trees: int
    label: str
    horizon_days: int
    base_rate: float
    name: str = ""
    version: int = 0
    run_id: str = ""

    def metadata(self) -> dict[str, Any]:
        """Plain values that stand beside the booster in the registry."""
        known = {key: value for key, value in asdict(self).items() if key not in _ELSEWHERE}
        return {
            "format": FORMAT,
            **known,
            "features": list(self.features),
            "iteration_range": [0, self.trees],
        }


_ELSEWHERE = ("booster", "name", "version", "run_id")


def from_metadata(
    metadata: Mapping[str, Any], booster: bytes, *, name: str, version: int, run_id: str
) -> ServingModel:
    """The model that `metadata` describes. Raises `TrackingError` if it isn't one of ours."""
    if metadata.get("format") != FORMAT:
        raise TrackingError(
            f"model {name} version {version} was not written by this project's train job "
            f"(format {metadata.get('format')}, expected {FORMAT}): train again"
        )
    return ServingModel(
        booster=booster,
        features=tuple(metadata["features"]),
        catalogue_hash=str(metadata["catalogue_hash"]),
        trees=int(metadata["trees"]),
        label=str(metadata["label"]),
        horizon_days=int(metadata["horizon_days"]),
        base_rate=float(metadata["base_rate"]),
        name=name,
        version=version,
        run_id=run_id,
    )
