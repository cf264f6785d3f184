"""Everything that is known before the first model is fitted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset import provenance
from pozytywka_spark.dataset.rows import training_rows, whole_months
from pozytywka_spark.dataset.splits import MonthCount, plan_split, rolling_folds
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.label_column import columns_with_label
from pozytywka_spark.features.lake_catalogue import built_catalogue
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.months import TimeSplit
from pozytywka_spark.names import TRAIN

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


FEATURES, LABELS = "features", "labels"


@dataclass(frozen=True)
class Pinned:
    """The tables that a training reads, as they are or were: `versions` by name; no row is read for it.

    `committed`: when those of features and labels were, empty where the log has forgotten it. `complete`:
    labels say whether the data cover their month. `catalogue`: the hash of what the features in `order` are.
    """

    order: tuple[str, ...]
    catalogue: str
    versions: Mapping[str, int]
    committed: Mapping[str, str]
    complete: bool


@dataclass(frozen=True)
class Planned:
    """The split of the mature months. `left_out` are mature months that the data don't cover."""

    pinned: Pinned
    counts: tuple[MonthCount, ...]
    left_out: tuple[MonthCount, ...]
    split: TimeSplit
    folds: tuple[TimeSplit, ...]


@dataclass(frozen=True)
class Prepared:
    """Guarded rows' sizes and what the model will have come from.

    `inputs` names all that decides the model and what is measured of it; `untuned` what decides the model
    before any search for parameters; `by_version` is as `inputs`, but names rows by their tables' versions.
    `share` of the users are in the table that questions are put to.
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
    share: float = 1.0
    by_version: str | None = None

    @property
    def base_rate(self) -> float:
        """Share of positives on the train side."""
        rows, positives = self.sizes[TRAIN]
        return positives / rows


def pin(settings: Settings, lake: Lake, versions: Mapping[str, int] | None = None) -> Pinned:
    """The present versions of all that a training comes from, or the given ones of features and labels.

    Raises `DataError` for a missing table, label or feature, `LakeError` for a version that is gone.
    """
    built = (versions or {}).get(FEATURES)
    features, catalogue = _columns(lake, FEATURES, built), built_catalogue(settings, lake, built)
    advice = f": run the features job with label.horizon_days={settings.label.horizon_days}"
    version, order = (versions or {}).get(LABELS), catalogue.order
    labels = columns_with_label(lake, settings.label.column, advice, version=version)
    missing = [name for name in order if name not in features]
    if missing:
        raise DataError(
            f"table features lacks {len(missing)} of {len(order)} features, such as {missing[0]}: "
            "build the features again with this catalogue"
        )
    pinned_versions = (
        dict(versions) if versions is not None else provenance.table_versions(lake, catalogue.tables)
    )
    committed = {name: _committed(lake, name, pinned_versions[name]) for name in (FEATURES, LABELS)}
    return Pinned(order, catalogue.hash, pinned_versions, committed, "complete" in labels)


def plan_months(
    pinned: Pinned, counts: Sequence[MonthCount], left_out: Sequence[MonthCount], settings: Settings
) -> Planned:
    """The split of these months. Raises `DataError` for one that can't be trained on."""
    split = plan_split(counts, settings)
    folds = tuple(rolling_folds(counts, split, settings))
    return Planned(pinned, tuple(counts), tuple(left_out), split, folds)


def name_inputs(plan: Planned, content: str, settings: Settings, share: float = 1.0) -> Prepared:
    """What a training of rows with this digest is made of."""
    catalogue, order = plan.pinned.catalogue, plan.pinned.order
    without = settings.model_copy(update={"tuning": settings.tuning.model_copy(update={"enabled": False})})
    return Prepared(
        order=order,
        catalogue=catalogue,
        counts=plan.counts,
        left_out=plan.left_out,
        split=plan.split,
        folds=plan.folds,
        sizes=sizes_of(plan),
        inputs=provenance.fingerprint(settings, order, catalogue, content),
        untuned=provenance.fingerprint(without, order, catalogue, content, ("model",)),
        versions=plan.pinned.versions,
        share=share,
        by_version=by_version(plan.pinned, settings),
    )


def by_version(pinned: Pinned, settings: Settings) -> str | None:
    """A digest of all that decides what a training makes, its rows by the versions of features and labels.

    The time of a version's commit tells it from that of another lake, or of one that was made again; None
    where the log has forgotten it.
    """
    if not all(pinned.committed.values()):
        return None
    content = json.dumps(
        [sorted(pinned.committed.items()), [pinned.versions[name] for name in (FEATURES, LABELS)]]
    )
    return provenance.fingerprint(settings, pinned.order, pinned.catalogue, content)


def sizes_of(plan: Planned) -> dict[str, tuple[int, int]]:
    """Rows and positives of each side."""
    sizes = {}
    for side, months in plan.split.sides.items():
        mine = [count for count in plan.counts if count.month in months]
        sizes[side] = (sum(count.rows for count in mine), sum(count.positives for count in mine))
    return sizes


def share_in_memory(plan: Planned, settings: Settings) -> float:
    """Which share of the users has about `training.rows_in_memory` rows; 1 if all are no more."""
    rows = sum(rows for rows, _ in sizes_of(plan).values())
    return min(1.0, settings.training.rows_in_memory / max(1, rows))


def spark_rows(pinned: Pinned, split: TimeSplit, settings: Settings, lake: Lake) -> DataFrame:
    """All the rows as a frame of Spark, as `rows.training_rows`: for trees that grow across executors."""
    features, labels = (lake.read(name, version=pinned.versions[name]) for name in (FEATURES, LABELS))
    whole = whole_months(labels, settings)
    return training_rows(features, whole, pinned.order, settings.label.column, split)


def whole_only(pinned: Pinned, settings: Settings) -> bool:
    """Whether months that the data don't cover are left out; labels of an older release don't say."""
    return pinned.complete and not settings.training.incomplete_months


def _columns(lake: Lake, table: str, version: int | None) -> list[str]:
    schema = lake.schema(table, version=version)
    if schema is None:
        raise DataError(f"table {table} is not in {lake.root}: run the features job first")
    return schema.names


def _committed(lake: Lake, table: str, version: int) -> str:
    return next((each.time.isoformat() for each in lake.history(table) if each.version == version), "")
