"""The inputs of a monitoring: months, model, and the fingerprint of all that decides its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pozytywka_spark.config import Monitoring, Settings, deciding
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.features.declared.catalogue import declared_for
from pozytywka_spark.features.guards.feature_names import check_hash, check_order
from pozytywka_spark.features.lake_catalogue import built_catalogue
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.data_span import DataSpan
from pozytywka_spark.lake.event_days import span_of_features
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.lake.whole_month import ChosenMonth, choose_month
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.models.target import label_columns
from pozytywka_spark.monitoring.month_work import MonthPart, parts_of_month
from pozytywka_spark.scoring.content import digest_files
from pozytywka_spark.scoring.stage import months_in

FORMAT = 3


@dataclass(frozen=True)
class Inputs:
    """A month and the months it is compared with.

    `history` counts the months of data up to the first of the reference, that one included.
    """

    chosen: ChosenMonth
    reference: tuple[date, ...]
    history: int

    @property
    def month(self) -> date:
        """The month."""
        return self.chosen.month

    @property
    def span(self) -> str:
        """The reference months in words."""
        first, last = (f"{month:%Y-%m}" for month in (self.reference[0], self.reference[-1]))
        return first if first == last else f"{first}..{last}"


def read_inputs(
    settings: Settings,
    lake: Lake,
    model: ServingModel,
    month: date | None,
    reference: tuple[date, date] | None,
) -> Inputs:
    """The month (default: the last complete one) and its reference (default: by settings).

    Raises `DataError` for a missing table, month or reference, `UsageError` for a reference that holds
    the month itself, `GuardError` if the model's features aren't today's.
    """
    catalogue = built_catalogue(settings, lake)
    check_order(model.features, catalogue.order)
    check_hash(model.catalogue_hash, catalogue.hash)
    unknown = sorted(set(settings.monitoring.exempt) - {feature.name for feature in declared_for(settings)})
    if unknown:
        raise UsageError(
            f"monitoring.exempt: no such feature: {', '.join(unknown)}; see features --catalogue"
        )
    available = _months(lake)
    span = span_of_features(settings, lake)
    chosen_month = choose_month(available, span, month, "monitored")
    if chosen_month.month not in available:
        raise DataError(
            f"no user to monitor in {chosen_month.month:%Y-%m}: table features has months "
            f"{available[0]:%Y-%m} to {available[-1]:%Y-%m}"
        )
    months = (
        _default(available, chosen_month.month, model.trained_until, settings.monitoring, span)
        if reference is None
        else _asked(available, chosen_month.month, *reference)
    )
    return Inputs(chosen_month, months, available.index(months[0]) + 1)


def read_parts(lake: Lake, tasks: Tasks, model: ServingModel, months: Sequence[date]) -> list[MonthPart]:
    """Features and labels of those months. Raises `DataError` without the label that the model predicts.

    It is the model's own, whatever the settings name today.
    """
    label_columns(lake, model)
    partitions: list[Partition] = [{"month": month} for month in months]
    columns = {"features": ["user_id", "month", *model.features], "labels": labels_of(model)}
    features, labels = (
        {
            shard.partition["month"]: shard.files
            for shard in lake.shards(name, tasks, partitions, columns[name])
        }
        for name in ("features", "labels")
    )
    return [
        part
        for month in months
        for part in parts_of_month(month, features.get(month, ()), labels.get(month, ()))
    ]


def labels_of(model: ServingModel) -> list[str]:
    """The columns of the table labels that say what a model should have predicted."""
    return ["user_id", "month", "mature", model.label]


def content_of(tasks: Tasks, parts: Sequence[MonthPart], model: ServingModel) -> tuple[str, str]:
    """Digests of all rows that are looked at, of features and of labels."""
    features = [file for part in parts for file in part.features]
    labels = {file.place: file for part in parts for file in part.labels}
    return (
        digest_files(tasks, features, ["user_id", "month", *model.features]),
        digest_files(tasks, list(labels.values()), labels_of(model)),
    )


def monitoring_id(inputs: Inputs, model: ServingModel, settings: Settings, content: tuple[str, str]) -> str:
    """Names everything that decides a month's rows, so that they needn't be made twice."""
    decisive = [
        FORMAT, model.name, model.version, model.run_id, inputs.month.isoformat(), inputs.span,
        deciding(settings, "monitoring"), *content, inputs.chosen.complete,
    ]  # fmt: skip
    return fingerprint_of(decisive)


def _months(lake: Lake) -> list[date]:
    if not lake.exists("features"):
        raise DataError(f"table features is not in {lake.root}: run the features job first")
    months = months_in(lake, "features")
    if not months:
        raise DataError("table features is empty: no user without premium has an event in any month")
    return months


def _asked(available: Sequence[date], month: date, first: date, last: date) -> tuple[date, ...]:
    """The months of `--reference`."""
    months = tuple(each for each in available if first <= each <= last)
    span = f"{first:%Y-%m}..{last:%Y-%m}"
    if month in months:
        raise UsageError(f"--reference {span} holds the month {month:%Y-%m} itself: end it before")
    if not months:
        raise DataError(
            f"--reference {span}: table features has months "
            f"{available[0]:%Y-%m} to {available[-1]:%Y-%m} only"
        )
    return months


def _default(
    months: Sequence[date], month: date, trained_until: str, settings: Monitoring, span: DataSpan
) -> tuple[date, ...]:
    """The last months that the model was fitted on, without incomplete ones and the data's first ones if
    others remain.

    In the first nobody has a history: every artist is new, and all trailing windows are short.
    """
    fitted = [each for each in months if each < month and f"{each:%Y-%m}" <= trained_until]
    if not fitted:
        raise DataError(
            f"no reference months: the champion was fitted until {trained_until} and none of its months "
            f"lies before {month:%Y-%m}; name some with --reference YYYY-MM..YYYY-MM"
        )
    whole = [each for each in fitted if span.is_complete(each)] or fitted
    grown = [each for each in whole if each not in months[: settings.warmup_months]]
    return tuple((grown or whole)[-settings.reference_months :])
