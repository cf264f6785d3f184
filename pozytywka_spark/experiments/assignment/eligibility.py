"""Users who may enter an experiment at a cut-off: those without premium before it."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Data
from pozytywka_spark.errors import DataError
from pozytywka_spark.experiments.assignment.purchases import first_purchases
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_span import DataSpan
from pozytywka_spark.lake.event_days import span_of_events
from pozytywka_spark.months import next_month, previous_month


def next_cut_off(lake: Lake, data: Data | None = None) -> date:
    """The end of the last month that the data reach the end of: the first cut-off at which nothing is known.

    Raises `DataError` if there are no events, or no month is over.
    """
    return cut_off_of(span_of_events(lake, data))


def chosen_cut_off(lake: Lake, data: Data, asked: date | None) -> tuple[date, str]:
    """The cut-off that was asked for, else `next_cut_off`; and what a person should know of the choice."""
    if asked is not None and not lake.exists("events"):
        return asked, ""
    span = span_of_events(lake, data)
    if asked is not None:
        before = previous_month(asked)
        why = f"{before:%Y-%m} is not complete: {span.why_incomplete(before)}"
        return asked, "" if span.is_over(before) else why
    cut_off = cut_off_of(span)
    if span.is_over(span.last):
        return cut_off, ""
    later = next_month(span.last)
    return cut_off, (
        f"{span.last:%Y-%m} has begun: {span.why_incomplete(span.last)}; the cut-off is {cut_off}; "
        f"--at {later:%Y-%m} takes the begun month all the same"
    )


def cut_off_of(span: DataSpan) -> date:
    """`next_cut_off` of a span. Raises `DataError` if no month is over."""
    if span.last_over is None:
        raise DataError(
            f"no month is over: {span.described()}; deliver the rest of the month, or name a cut-off with "
            "--at YYYY-MM"
        )
    return span.last_over


def candidates(lake: Lake, population: str, at: date) -> DataFrame:
    """Grain user: `user_id`, `premium` boolean (bought before `at`, or premium without a purchase on record).

    `active` takes users with an event in the month before the cut-off, `all` every user, `scored` those
    scored for that month by the latest model version, `selected` those its policy selected.
    Raises `DataError` if a table is missing or the month is empty.
    """
    users = members(lake, population, at)
    if users.isEmpty():
        before = previous_month(at)
        raise DataError(
            f"no user to assign at {at}: population '{population}' is empty in {before:%Y-%m}; "
            "choose another --at or --population"
        )
    flags = users.join(premium_before(lake, at), "user_id", "left")
    return flags.select("user_id", F.coalesce("premium", F.lit(False)).alias("premium"))


def members(lake: Lake, population: str, at: date) -> DataFrame:
    """Grain user: `user_id` of the population, premium or not."""
    before = previous_month(at)
    if population == "active":
        return lake.read("events", partitions=[{"event_month": before}]).select("user_id").distinct()
    if population == "all":
        return _table(lake, "users", "ingest").select("user_id").distinct()
    predictions = _table(lake, "predictions", "score").where(F.col("month") == F.lit(before))
    latest = predictions.agg(F.max("model_version").alias("latest"))
    latest_scores = predictions.join(F.broadcast(latest), F.col("model_version") == F.col("latest"), "inner")
    latest_scores = latest_scores.where("selected") if population == "selected" else latest_scores
    return latest_scores.select("user_id").distinct()


def premium_before(lake: Lake, at: date) -> DataFrame:
    """Grain user with premium at the cut-off: `user_id`, `premium` true.

    A user marked premium of whom no purchase is on record bought at a time nobody knows; they are taken to
    have had it all along.
    """
    bought = first_purchases(lake.read("events"))
    users = _table(lake, "users", "ingest").where("premium_user").select("user_id")
    unexplained = users.join(bought, "user_id", "left_anti")
    early = bought.where(F.col("purchased_at") < F.lit(at).cast("timestamp")).select("user_id")
    return early.unionByName(unexplained).distinct().withColumns({"premium": F.lit(True)})


def _table(lake: Lake, name: str, job: str) -> DataFrame:
    if not lake.exists(name):
        raise DataError(f"table {name} is not in {lake.root}: run the {job} job first")
    return lake.read(name)
