"""The model as loaded for scoring: predictor, calibrator, feature order, label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pozytywka_spark.errors import TrackingError
from pozytywka_spark.models.booster import Predictor, Trees
from pozytywka_spark.models.calibration import Calibrator, from_plain
from pozytywka_spark.models.names import IN_WORDS, XGBOOST
from pozytywka_spark.models.predictors import from_content

FORMAT = 3
_OF_TREES_ONLY = 2  # the format before: the same without `kind`, for there was one


@dataclass(frozen=True)
class ServingModel:
    """A predictor, of trees or logistic regression, and the state fitted with it.

    `trained_until` is the last month (YYYY-MM) that fitting has seen, in train or validation; `label` is the
    column of the table labels that it predicts.
    """

    predictor: Predictor
    features: tuple[str, ...]
    catalogue_hash: str
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

    @property
    def kind(self) -> str:
        """The kind of its predictor."""
        return self.predictor.kind

    @property
    def kind_in_words(self) -> str:
        """What a person calls that."""
        return IN_WORDS[self.kind]

    def metadata(self) -> dict[str, Any]:
        """Plain values that stand beside the predictor's file in the registry."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        plain = {key: value for key, value in values.items() if key not in _ELSEWHERE}
        content = {"format": FORMAT, "kind": self.kind, **plain, "features": list(self.features)}
        content["calibrator"] = asdict(self.calibrator)
        if isinstance(self.predictor, Trees):
            content |= {"trees": self.predictor.trees, "iteration_range": [0, self.predictor.trees]}
        return content


_ELSEWHERE = ("predictor", "name", "version", "run_id")


def kind_of(metadata: Mapping[str, Any]) -> str:
    """Which kind of file stands beside that metadata."""
    return str(metadata.get("kind", XGBOOST))


def from_metadata(
    metadata: Mapping[str, Any], content: bytes, *, name: str, version: int, run_id: str
) -> ServingModel:
    """The model of `metadata` and the predictor's file. Raises `TrackingError` if it isn't one of ours."""
    if metadata.get("format") not in (_OF_TREES_ONLY, FORMAT):
        raise TrackingError(
            f"model {name} version {version} was not written by this project's train job "
            f"(format {metadata.get('format')}, expected {FORMAT}): train again"
        )
    return ServingModel(
        predictor=from_content(kind_of(metadata), content, int(metadata.get("trees", 0))),
        features=tuple(metadata["features"]),
        catalogue_hash=str(metadata["catalogue_hash"]),
        label=str(metadata["label"]),
        horizon_days=int(metadata["horizon_days"]),
        base_rate=float(metadata["base_rate"]),
        trained_until=str(metadata["trained_until"]),
        calibrator=from_plain(metadata["calibrator"]),
        name=name,
        version=version,
        run_id=run_id,
    )
