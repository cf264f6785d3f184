"""Features of a month and the champion -> predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.declared.catalogue import declared_for
from pozytywka_spark.features.guards.feature_names import check_hash, check_order
from pozytywka_spark.features.lake_catalogue import LakeCatalogue, built_catalogue
from pozytywka_spark.features.top_groups import group_names
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.event_days import span_of_features
from pozytywka_spark.lake.shards import DataFile, Written
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.lake.whole_month import ChosenMonth, choose_month
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.models.target import check_label
from pozytywka_spark.moderation.blocked import Blocked, blocked_from
from pozytywka_spark.months import next_month
from pozytywka_spark.names import TOP_GROUP
from pozytywka_spark.reports.notebook import card
from pozytywka_spark.schemas import GENRE_GROUPS, PREDICTIONS
from pozytywka_spark.scoring.content import digest_files
from pozytywka_spark.scoring.month_work import (
    Alike,
    CountDeciles,
    ExplainUsers,
    RankUsers,
    WritePredictions,
    deciles_of,
    write_scores,
)
from pozytywka_spark.scoring.reasons import words_of
from pozytywka_spark.scoring.selection import Rule
from pozytywka_spark.tracking.registry import load_model
from pozytywka_spark.tracking.store import connect

FORMAT = 5


@dataclass(frozen=True)
class ScoringReport:
    """What was scored: a row a decile, and whether the same was there before.

    `complete`: the data cover the whole month; `note` says what a person should know of the month's choice.
    """

    month: date
    complete: bool
    note: str
    rows: int
    model_name: str
    model_version: int
    model_kind: str
    label: str
    deciles: Sequence[Mapping[str, Any]]
    path: str
    unchanged: bool

    def _repr_html_(self) -> str:
        model = f"{self.model_name} version {self.model_version} ({self.model_kind})"
        lines = [self.note, f"{self.rows:,} users' predictions in {self.path}"]
        return card(
            f"{self.month:%Y-%m} scored by {model}", {"tenths of users, highest first": self.deciles}, lines
        )


def score(spark: SparkSession, settings: Settings, lake: Lake, month: date | None = None) -> ScoringReport:
    """Score all free users of `month` (default: the last complete one with features) with the champion.

    Replaces exactly the partition of that month and that model version in `predictions`; the same
    features and the same model leave it alone. Raises `DataError` if there is nothing to score,
    `TrackingError` if no champion is registered, `GuardError` if its features aren't today's, or its label
    isn't the one that the settings ask for.
    """
    chosen_month = read_month(settings, lake, month)
    model = load_model(connect(settings))
    check_label(model, settings.label)
    catalogue = built_catalogue(settings, lake)
    check_order(model.features, catalogue.order)
    check_hash(model.catalogue_hash, catalogue.hash)
    groups = _groups_said(lake, catalogue)
    columns = ["user_id", "month", *catalogue.order, *([TOP_GROUP] if groups else [])]
    partition: Partition = {"month": chosen_month.month, "model_version": model.version}
    with lake.tasks() as tasks:
        shards = lake.shards("features", tasks, [{"month": chosen_month.month}], columns)
        features = [file for shard in shards for file in shard.files]
        # offers go out at the cut-off: whoever is blocked then gets none
        blocked = blocked_from(lake, tasks, next_month(chosen_month.month))
        content = digest_files(tasks, features, columns)
        scoring_id = _scoring_id(model, settings, content, chosen_month, blocked, groups)
        there = _counted(lake, tasks, partition)
        unchanged = {line["scoring_id"] for line in there} == {scoring_id}
        if not unchanged:
            written = _write(tasks, features, chosen_month, model, settings, scoring_id, blocked, groups)
            lake.replace_partitions(written, PREDICTIONS, [partition])
            there = _counted(lake, tasks, partition)
    deciles = deciles_of(there)
    return ScoringReport(
        month=chosen_month.month,
        complete=chosen_month.complete,
        note=chosen_month.note,
        rows=sum(row["users"] for row in deciles),
        model_name=model.name,
        model_version=model.version,
        model_kind=model.kind_in_words,
        label=model.label,
        deciles=deciles,
        path=lake.path(PREDICTIONS.name),
        unchanged=unchanged,
    )


def read_month(settings: Settings, lake: Lake, month: date | None) -> ChosenMonth:
    """`month`, or the last complete one with features. Raises `DataError` if there are no features of it."""
    if not lake.exists("features"):
        raise DataError(f"table features is not in {lake.root}: run the features job first")
    months = months_in(lake, "features")
    if not months:
        raise DataError("table features is empty: no user without premium has an event in any month")
    chosen_month = choose_month(months, span_of_features(settings, lake), month, "scored")
    if chosen_month.month not in months:
        raise DataError(
            f"no user to score in {chosen_month.month:%Y-%m}: table features has months {months[0]:%Y-%m} "
            f"to {months[-1]:%Y-%m}"
        )
    return chosen_month


def months_in(lake: Lake, table: str) -> list[date]:
    """The months that a table by month has rows of."""
    return sorted(lake.rows(table, ["month"]).column("month").unique().to_pylist())


def _write(
    tasks: Tasks,
    features: Sequence[DataFile],
    chosen_month: ChosenMonth,
    model: ServingModel,
    settings: Settings,
    scoring_id: str,
    blocked: Blocked,
    groups: Mapping[int, str],
) -> tuple[Written, ...]:
    alike: dict[str, Alike] = {
        "model_name": model.name,
        "scoring_id": scoring_id,
        "scored_at": datetime.now(UTC),
        "label": model.label,
        "horizon_days": model.horizon,
        "complete": chosen_month.complete,
    }
    words = words_of(model.features, declared_for(settings))
    return write_scores(
        tasks,
        features,
        ExplainUsers(model, words, settings.scoring.reasons, groups),
        RankUsers(model.calibrator, Rule(**settings.scoring.policy.model_dump()), blocked),
        WritePredictions(chosen_month.month, model.version, alike),
    )


def _groups_said(lake: Lake, catalogue: LakeCatalogue) -> Mapping[int, str]:
    """Names of groups of genres by code, if the model is given features of them."""
    return group_names(lake) if GENRE_GROUPS.name in catalogue.tables else {}


def _scoring_id(
    model: ServingModel,
    settings: Settings,
    content: str,
    chosen_month: ChosenMonth,
    blocked: Blocked,
    groups: Mapping[int, str],
) -> str:
    """Names everything that decides a partition's rows, so that they needn't be made twice."""
    inputs = [FORMAT, model.name, model.version, model.run_id, deciding(settings, "predictions"), content]
    inputs.append(chosen_month.complete)
    if blocked.key:  # a lake without moderation is scored as it always was
        inputs.append(blocked.key)
    if groups:
        inputs.append(sorted(groups.items()))
    return fingerprint_of(inputs)


def _counted(lake: Lake, tasks: Tasks, partition: Partition) -> Sequence[Mapping[str, Any]]:
    """What `CountDeciles` tells of a partition of `predictions`, as it is now."""
    if not lake.exists(PREDICTIONS.name):
        return ()
    columns = ["decile", "probability", "selected", "scoring_id"]
    shards = lake.shards(PREDICTIONS.name, tasks, [partition], columns)
    files = [file for shard in shards for file in shard.files]
    counted = tasks.run(files, CountDeciles(), weight=lambda file: file.size, named=lambda file: file.place)
    return counted.results
