"""What serves: a model with everything that scoring needs to share with its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pozytywka_spark.errors import TrackingError
from pozytywka_spark.training.calibration import Calibrator, from_plain

FORMAT = 2


@dataclass(frozen=True)
class ServingModel:
    """A booster cut to its best iteration, and the state fitted with it.

    `booster` is native UBJ; `trained_until` is the last month (YYYY-MM) that fitting has seen, in train
    or validation; `label` is the column of the table labels that it predicts.
    """

    booster: bytes
    features: tuple[str, ...]
    catalogue_hash: str
    trees: int
    label: str
    horizon_days: int
    base_rate: float
    trained_until: str = ""
    calibrator: Calibrator = field(default_factory=Calibrator)
    name: str = ""
    version: int = 0
    run_id: str = ""

    @property
    def horizon(self) -> int | None:
        """Days after the cut-off that the label looks at; None for `buys_ever`, which has no such bound."""
        return None if self.label == "buys_ever" else self.horizon_days

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
        trained_until=str(metadata["trained_until"]),
        calibrator=from_plain(metadata["calibrator"]),
        name=name,
        version=version,
        run_id=run_id,
    )
