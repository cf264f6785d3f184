"""The catalogue declares everything once."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.analysts import ANALYSTS
from pozytywka_spark.features.catalogue import CATALOGUE, feature_order, measures_of
from pozytywka_spark.features.catalogue_page import as_html, as_markdown, catalogue_rows
from pozytywka_spark.features.columns import real
from pozytywka_spark.features.entry import Feature, Measure
from pozytywka_spark.features.kinds import is_play
from pozytywka_spark.features.recipe import dimensions_of, features_from_events
from pozytywka_spark.features.user_month import as_features
from tests.features.silver import silver_of

EARLY = Measure("early_plays", lambda: F.count_if(is_play() & (F.hour("event_time") < 9)))
EARLY_PLAYS = Feature(
    "early_plays", "plays before 09:00 UTC", "events", "count", "never null", "events", (EARLY,),
    lambda: real(EARLY.column()),
)  # fmt: skip


def test_every_entry_is_complete_and_named_once() -> None:
    assert len({feature.name for feature in CATALOGUE}) == len(CATALOGUE) > 100
    for feature in CATALOGUE:
        assert all(
            (feature.meaning, feature.unit, feature.kind, feature.null, feature.window, feature.source)
        )
    assert feature_order()[:25] == tuple(feature.name for feature in ANALYSTS)


def test_measures_of_one_name_are_one_measure(spark: SparkSession) -> None:
    texts: dict[str, set[str]] = {}
    for feature in CATALOGUE:
        for measure in feature.measures:
            said = f"{measure.level} {measure.arithmetic} {measure.revision} {measure.aggregate()!r}"
            texts.setdefault(measure.name, set()).add(said)
    assert {name: found for name, found in texts.items() if len(found) > 1} == {}


def test_features_are_dropped_by_settings() -> None:
    settings = load_settings("local", ["features.drop=[average_popularity, month_of_year]"])
    assert set(feature_order()) - set(feature_order(settings)) == {"average_popularity", "month_of_year"}
    with pytest.raises(UsageError, match=r"features\.drop: no such feature: nonsense"):
        feature_order(load_settings("local", ["features.drop=[nonsense]"]))


def test_a_new_feature_is_one_entry_and_nothing_else(spark: SparkSession, sample) -> None:
    silver = silver_of(spark, sample)
    features = (ANALYSTS[1], EARLY_PLAYS)
    events = silver["events"]
    months = [row[0] for row in events.select("event_month").distinct().collect()]
    built = features_from_events(events, events, dimensions_of(silver), features, sorted(months))
    assert built.columns == ["user_id", "month", "number_of_tracks", "early_plays"]
    expected = events.where("event_type = 'PLAY' and hour(event_time) < 9 and event_month = '2023-03-01'")
    counts = {row["user_id"]: row["count"] for row in expected.groupBy("user_id").count().collect()}
    rows = built.where("month = '2023-03-01'").collect()
    assert sum(row["early_plays"] for row in rows) > 0
    assert [row["early_plays"] for row in rows] == [counts.get(row["user_id"], 0) for row in rows]


def test_a_missing_month_is_zero_activity_and_a_future_one_is_not_seen(spark: SparkSession) -> None:
    measures = measures_of(CATALOGUE)
    blank = ", ".join(
        f"0L as {measure.name}" for measure in measures if measure.name not in ("plays", "skips")
    )
    rows = spark.createDataFrame(
        [(1, "2023-01-01", 4, 1), (1, "2023-03-01", 2, 0), (1, "2023-06-01", 9, 9), (2, "2023-03-01", 7, 0)],
        "user_id bigint, month string, plays bigint, skips bigint",
    ).selectExpr("user_id", "to_date(month) as month", "plays", "skips", *blank.split(", "))
    chosen = [
        feature
        for feature in CATALOGUE
        if feature.name in ("plays_last_3_months", "skip_rate_last_3_months", "plays_to_3_month_mean",
                            "likes_to_3_month_mean", "plays_last_6_months")
    ]  # fmt: skip
    built = as_features(rows, chosen).orderBy("user_id", "month").drop("month")
    assert [tuple(row) for row in built.select(
        "user_id", "plays_last_3_months", "skip_rate_last_3_months", "plays_to_3_month_mean",
        "likes_to_3_month_mean", "plays_last_6_months",
    ).collect()] == [
        (1, 4.0, 0.25, 3.0, None, 4.0),
        (1, 6.0, 1 / 6, 1.0, None, 6.0),
        (1, 9.0, 1.0, 3.0, None, 15.0),
        (2, 7.0, 0.0, 3.0, None, 7.0),
    ]  # fmt: skip


def test_the_pages_hold_every_feature() -> None:
    markdown, html = as_markdown("f" * 64), as_html("f" * 64)
    assert len(catalogue_rows()) == len(CATALOGUE)
    for feature in CATALOGUE:
        assert f"| {feature.name} |" in markdown
        assert f"<td>{feature.name}</td>" in html
    assert "f" * 64 in markdown
