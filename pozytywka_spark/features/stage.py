"""Silver tables -> user_month, features and labels, guarded; only the months whose inputs have changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.datadays import FEATURES, is_recorded, write_span
from pozytywka_spark.dataspan import DataSpan
from pozytywka_spark.features import store
from pozytywka_spark.features.activity import first_purchases
from pozytywka_spark.features.catalogue import CATALOGUE, catalogue_hash, feature_order
from pozytywka_spark.features.compute import Months, built_features, write_base
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.guarding import run_guards
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.features.inputs import Inputs, choose_months, read_inputs
from pozytywka_spark.features.labels import as_labels, label_counts
from pozytywka_spark.features.old_build import Build
from pozytywka_spark.features.recipe import dimensions_of
from pozytywka_spark.kept import keeping
from pozytywka_spark.lake.api import Lake


@dataclass(frozen=True)
class FeaturesReport:
    """What was built: months, rows of user-months, labels by month, the guards that passed, seconds by step.

    `stale` are months that changed inputs have made outdated and that were not asked for; `span` is where the
    data begin and end.
    """

    rows: int
    features: int
    catalogue_hash: str
    months: Sequence[date]
    stale: Sequence[date]
    labels: Sequence[Mapping[str, Any]]
    guards: Sequence[GuardResult]
    seconds: Mapping[str, float]
    span: DataSpan


def build_features(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    *,
    months: tuple[date, date] | None = None,
    full: bool = False,
    features: Sequence[Feature] = CATALOGUE,
) -> FeaturesReport:
    """Build `user_month`, `features` and `labels` from the silver tables.

    By default of the months whose inputs changed since they were built; of the months between two
    with `months`; of all with `full`. The result is the same as that of a full build, exactly. Every
    table is replaced in one commit, the record of what was built last: an interrupted run is repeated.
    Months outside the data's span have no rows, however many stray events they hold; labels follow the
    span, and are written anew when it has moved. Raises `DataError` if a silver table is missing or without
    events, `GuardError` on leakage, before anything of it reaches `features` or `labels`.
    """
    order = feature_order(settings, features)
    start = time.monotonic()
    # before the rows: were they listed after them, a delivery in between would count as read
    files = lake.files("events") if lake.exists("events") else []
    silver, (built, known) = store.read_silver(lake), store.read_built(lake)
    whole_hash = catalogue_hash(features=features)
    inputs = read_inputs(silver, files, whole_hash, known, settings.data)
    span_known = is_recorded(lake, inputs.span, inputs.by_day, FEATURES)
    chosen = choose_months(inputs.months, built, months, full=full)
    purchases, dimensions = first_purchases(silver["events"]), dimensions_of(silver)
    whole = len(chosen) == len(inputs.months) or not built
    seconds = {"inputs": time.monotonic() - start}
    with keeping() as keep:
        build = Build(
            spark, settings, lake, silver, keep(purchases), dimensions.map(lambda _, df: keep(df)),
            inputs, Months(chosen, whole), features, seconds,
        )  # fmt: skip
        guards = _write_all(build) if chosen else []
        if not chosen and not (span_known and _are_labels_of(settings, lake)):
            _write_labels(build)
    recorded = _recorded(inputs, built, chosen)
    if chosen or {each.month: each for each in inputs.events} != known:
        store.write_builds(spark, lake, inputs.events, recorded)
    if not span_known:
        write_span(lake, inputs.span, inputs.by_day, FEATURES)
    counts = [row.asDict() for row in label_counts(lake.read("labels"), settings.label).collect()]
    return FeaturesReport(
        rows=sum(row["rows"] for row in counts),
        features=len(order),
        catalogue_hash=catalogue_hash(settings, features),
        months=chosen,
        stale=[each.month for each in inputs.months if recorded.get(each.month) != each.inputs],
        labels=counts,
        guards=guards,
        seconds=build.seconds,
        span=inputs.span,
    )


def _recorded(inputs: Inputs, built: Mapping[date, str], chosen: Sequence[date]) -> dict[date, str]:
    """What each month is built from now that the `chosen` ones have been."""
    now = {each.month: each.inputs for each in inputs.months}
    kept = {month: before for month, before in built.items() if month in now}
    return kept | {month: now[month] for month in chosen}


def _write_all(build: Build) -> list[GuardResult]:
    """State and base table, guards, then features and labels."""
    tables = build.tables
    with build.timed("state and user_month"):
        write_base(
            tables, build.silver["events"], build.purchases, build.dimensions, build.span, build.features
        )
    # made once, for the guards and for the table; on disk, for guards need the memory
    with keeping(StorageLevel.DISK_ONLY, now=True) as stored:
        with build.timed("features"):
            made = stored(built_features(tables, build.span, build.features))
        with build.timed("guards"):
            rows = build.lake.read("user_month").where(F.col("month") <= F.lit(build.span.last))
            guards = run_guards(build, made, _labels(build, rows))
        with build.timed("features"):
            tables.write(made, schemas.features_table([feature.name for feature in build.features]))
    with build.timed("labels"):
        _write_labels(build)
    return guards


def _are_labels_of(settings: Settings, lake: Lake) -> bool:
    """Whether the labels have the columns that these settings and this release give them."""
    declared = schemas.labels_table(settings.label.horizon_column)
    return set(declared.columns) <= set(lake.read("labels").columns)


def _labels(build: Build, rows: DataFrame) -> DataFrame:
    return as_labels(rows, build.purchases, build.inputs.span, build.settings.label)


def _write_labels(build: Build) -> None:
    """All months: any purchase or later event may change the labels of earlier ones."""
    table = schemas.labels_table(build.settings.label.horizon_column)
    build.lake.overwrite(table.conform(_labels(build, build.lake.read("user_month"))), table)
