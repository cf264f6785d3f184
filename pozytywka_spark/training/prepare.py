"""Everything that is known before the first model is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.catalogue import catalogue_hash, feature_order
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.training import provenance
from pozytywka_spark.training.rows import (
    check_training_rows,
    content_hash,
    count_months,
    training_rows,
    whole_months,
)
from pozytywka_spark.training.splits import TRAIN, MonthCount, TimeSplit, plan_split, rolling_folds


@dataclass(frozen=True)
class Planned:
    """The split of the mature months, and the rows on its sides, not yet computed.

    `left_out` are mature months that the data don't cover.
    """

    order: tuple[str, ...]
    counts: tuple[MonthCount, ...]
    left_out: tuple[MonthCount, ...]
    split: TimeSplit
    rows: DataFrame


@dataclass(frozen=True)
class Prepared:
    """Guarded rows' sizes and what the model will have come from.

    `inputs` names all that decides the model and what is measured of it; `untuned` what decides the model
    before any search for parameters.
    """

    order: tuple[str, ...]
    catalogue: str
    counts: tuple[MonthCount, ...]
    left_out: tuple[MonthCount, ...]
    split: TimeSplit
    folds: tuple[TimeSplit, ...]
    sizes: Mapping[str, tuple[int, int]]
    inputs: str
    untuned: str
    versions: Mapping[str, int]

    @property
    def base_rate(self) -> float:
        """Share of positives on the train side."""
        rows, positives = self.sizes[TRAIN]
        return positives / rows


def read_rows(settings: Settings, lake: Lake, versions: Mapping[str, int] | None = None) -> Planned:
    """Plan the split of the tables features and labels, of the given Delta versions if any.

    Raises `DataError` for a missing table or label, or a split that can't be trained on.
    """
    pinned = versions or {}
    features, labels = (_read(lake, name, pinned.get(name)) for name in ("features", "labels"))
    label = settings.label.column
    if label not in labels.columns:
        raise DataError(
            f"table labels has no {label}: "
            f"run the features job with label.horizon_days={settings.label.horizon_days}"
        )
    whole = whole_months(labels, settings)
    counts = count_months(whole, label)
    taken = {count.month for count in counts}
    left_out = [count for count in count_months(labels, label) if count.month not in taken]
    split = plan_split(counts, settings)
    order = feature_order(settings)
    rows = training_rows(features, whole, order, label, split)
    return Planned(order, tuple(counts), tuple(left_out), split, rows)


def prepare(planned: Planned, rows: DataFrame, settings: Settings, lake: Lake) -> Prepared:
    """Check the rows (cached by now) and name all that decides the model. Raises `GuardError`."""
    catalogue, content = catalogue_hash(settings), content_hash(rows)
    without = settings.model_copy(update={"tuning": settings.tuning.model_copy(update={"enabled": False})})
    return Prepared(
        order=planned.order,
        catalogue=catalogue,
        counts=planned.counts,
        left_out=planned.left_out,
        split=planned.split,
        folds=tuple(rolling_folds(planned.counts, planned.split, settings)),
        sizes=check_training_rows(rows, planned.counts, planned.split),
        inputs=provenance.fingerprint(settings, planned.order, catalogue, content),
        untuned=provenance.fingerprint(without, planned.order, catalogue, content, ("model",)),
        versions=provenance.table_versions(lake),
    )


def _read(lake: Lake, table: str, version: int | None) -> DataFrame:
    if not lake.exists(table):
        raise DataError(f"table {table} is not in {lake.root}: run the features job first")
    return lake.read(table, version=version)
