"""Silver tables -> user_month, features and labels, guarded; only the months whose inputs have changed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.features import store
from pozytywka_spark.features.activity import filter_free, first_purchases
from pozytywka_spark.features.catalogue import CATALOGUE, catalogue_hash, feature_order, measures_of
from pozytywka_spark.features.entry import Feature
from pozytywka_spark.features.firsts import firsts_of, merge_firsts
from pozytywka_spark.features.guarding import run_guards
from pozytywka_spark.features.guards import GuardResult
from pozytywka_spark.features.inputs import Inputs, choose_months, read_inputs
from pozytywka_spark.features.labels import as_labels, label_counts
from pozytywka_spark.features.months import month_at, number_of
from pozytywka_spark.features.popularity import track_plays
from pozytywka_spark.features.recipe import Dimensions, Silver, cached, dimensions_of, sides_of
from pozytywka_spark.features.user_month import as_features, as_user_month
from pozytywka_spark.lake.api import Lake

HISTORY_MONTHS = 11  # what the longest trailing window needs before a month


@dataclass(frozen=True)
class FeaturesReport:
    """What was built: months, rows of user-months, labels by month, the guards that passed, seconds by step.

    `stale` are months that changed inputs have made outdated and that were not asked for.
    """

    rows: int
    features: int
    catalogue_hash: str
    months: Sequence[date]
    stale: Sequence[date]
    labels: Sequence[Mapping[str, Any]]
    guards: Sequence[GuardResult]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Build:
    """One run: what it reads, what it builds and where it puts it."""

    spark: SparkSession
    settings: Settings
    lake: Lake
    silver: Silver
    purchases: DataFrame
    dimensions: Dimensions
    inputs: Inputs
    months: Sequence[date]
    whole: bool
    features: Sequence[Feature]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note the seconds of a step."""
        start = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - start


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
    Raises `DataError` if a silver table is missing or without events, `GuardError` on leakage, before
    anything of it reaches `features` or `labels`.
    """
    order = feature_order(settings, features)
    start = time.monotonic()
    silver, built = store.read_silver(lake), store.read_built(lake)
    whole_hash = catalogue_hash(features=features)
    inputs = read_inputs(silver, whole_hash)
    chosen = choose_months(inputs.months, built, months, full=full)
    purchases, dimensions = first_purchases(silver["events"]), dimensions_of(silver)
    whole = len(chosen) == len(inputs.months) or not built
    build = Build(spark, settings, lake, silver, purchases, dimensions, inputs, chosen, whole, features)
    build.seconds["inputs"] = time.monotonic() - start
    with cached(purchases, dimensions.tracks, dimensions.users):
        guards = _write_all(build) if chosen else []
        if not chosen and settings.label.horizon_column not in lake.read("labels").columns:
            _write_labels(build)
    now = {each.month: each.inputs for each in inputs.months}
    recorded = {month: inputs for month, inputs in built.items() if month in now} | {
        month: now[month] for month in chosen
    }
    if chosen:
        store.write_builds(spark, lake, inputs.months, recorded)
    counts = [row.asDict() for row in label_counts(lake.read("labels"), settings.label).collect()]
    return FeaturesReport(
        rows=sum(row["rows"] for row in counts),
        features=len(order),
        catalogue_hash=catalogue_hash(settings, features),
        months=chosen,
        stale=[month for month, inputs in now.items() if recorded.get(month) != inputs],
        labels=counts,
        guards=guards,
        seconds=build.seconds,
    )


def _write_all(build: Build) -> list[GuardResult]:
    """State, base table, guards, then features and labels."""
    with build.timed("first likes, debuts, plays by track"):
        free = _write_state(build)
    with build.timed("user_month"):
        _write_user_month(build, free)
    rows = build.lake.read("user_month")
    with build.timed("guards"):
        guards = run_guards(
            build.settings, build.silver["events"], build.dimensions, build.purchases,
            _labels(build, rows), rows, build.features,
            [each.month for each in build.inputs.months], build.months,
        )  # fmt: skip
    with build.timed("features"):
        table = schemas.features_table([feature.name for feature in build.features])
        made = as_features(_with_history(rows, build.months), build.features)
        wanted = made.where(F.col("month").between(F.lit(build.months[0]), F.lit(build.months[-1])))
        store.write_months(build.lake, wanted, table, build.months, whole=build.whole)
    with build.timed("labels"):
        _write_labels(build)
    return guards


def _write_state(build: Build) -> DataFrame:
    """Write what the months add to the state; the free events of the months."""
    first, last = build.months[0], build.months[-1]
    events = build.silver["events"].where(F.col("event_month").between(F.lit(first), F.lit(last)))
    free = filter_free(events, build.purchases)
    firsts = firsts_of(free, build.dimensions.tracks)
    if not build.whole:
        before = store.read_firsts_before(build.lake, first)
        firsts = merge_firsts(before, firsts).map(lambda name, df: df.where(F.col("month") >= F.lit(first)))
    for name, df in (
        ("first_likes", firsts.likes),
        ("artist_debuts", firsts.artists),
        ("user_debuts", firsts.users),
    ):
        store.write_months(build.lake, df, store.FIRSTS[name], build.months, whole=build.whole)
    store.write_months(build.lake, track_plays(events), schemas.TRACK_PLAYS, build.months, whole=build.whole)
    return free


def _write_user_month(build: Build, free: DataFrame) -> None:
    last = build.months[-1]
    firsts = store.read_firsts_until(build.lake, last)
    plays = build.lake.read("track_plays").where(F.col("month") < F.lit(last))
    sides = sides_of(build.dimensions, plays, firsts, build.months)
    measures = measures_of(build.features)
    table = schemas.user_month_table([measure.name for measure in measures])
    store.write_months(
        build.lake, as_user_month(free, sides, measures), table, build.months, whole=build.whole
    )


def _with_history(rows: DataFrame, months: Sequence[date]) -> DataFrame:
    """Rows of the months and of those that their trailing windows reach."""
    oldest = month_at(number_of(months[0]) - HISTORY_MONTHS)
    return rows.where(F.col("month").between(F.lit(oldest), F.lit(months[-1])))


def _labels(build: Build, rows: DataFrame) -> DataFrame:
    return as_labels(rows, build.purchases, build.inputs.data_end, build.settings.label)


def _write_labels(build: Build) -> None:
    """All months: any purchase or later event may change the labels of earlier ones."""
    table = schemas.labels_table(build.settings.label.horizon_column)
    labels = _labels(build, build.lake.read("user_month"))
    store.write_months(build.lake, labels, table, (), whole=True)
