"""Scoring: plain xgboost on the same rows, ranks against pandas, idempotence, guard 6."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import mlflow
import numpy as np
import pytest
import xgboost
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.errors import DataError, GuardError, TrackingError
from pozytywka_spark.features.lake_catalogue import LakeCatalogue
from pozytywka_spark.monitoring.inputs import read_inputs
from pozytywka_spark.months import next_month
from pozytywka_spark.schemas import PREDICTIONS, Table
from pozytywka_spark.scoring import stage
from pozytywka_spark.scoring.stage import score
from pozytywka_spark.simulation.segments import choose_scored
from pozytywka_spark.tracking.registry import load_model
from pozytywka_spark.tracking.store import connect
from tests.worlds.known_hazard import FIRST, LAST, write_days
from tests.worlds.trained import Trained


def test_scores_equal_plain_xgboost_and_replace_only_their_partition(
    trained: Trained, spark: SparkSession
) -> None:
    score(spark, trained.settings, trained.lake, date(2022, 12, 1))
    report = score(spark, trained.settings, trained.lake)
    assert report.month == LAST  # immature rows are scored
    found = trained.lake.read("predictions").toPandas()
    assert {date(2022, 12, 1), LAST} <= set(found["month"])
    found = found[found["month"] == LAST].sort_values("user_id")
    rows = trained.rows[trained.rows["month"] == LAST].sort_values("user_id")
    assert found["user_id"].tolist() == rows["user_id"].tolist()
    connect(trained.settings)
    booster = mlflow.xgboost.load_model(f"models:/{report.model_name}/{report.model_version}")
    expected = booster.predict(xgboost.DMatrix(rows[list(trained.order)]))
    np.testing.assert_allclose(found["probability_raw"], expected, atol=1e-6)
    by_rank = found.sort_values("rank")
    by_margin = found.sort_values(["margin", "user_id"], ascending=[False, True])
    assert by_rank["user_id"].tolist() == by_margin["user_id"].tolist()
    assert sorted(found["rank"]) == list(range(1, len(found) + 1))
    by_decile = found.groupby("decile")["margin"].agg(["min", "max", "size"])
    assert by_decile["size"].max() - by_decile["size"].min() <= 1
    assert (by_decile["min"].to_numpy()[:-1] >= by_decile["max"].to_numpy()[1:]).all()


def test_the_same_scoring_is_not_done_twice_and_repairs_what_was_changed(
    trained: Trained, spark: SparkSession
) -> None:
    score(spark, trained.settings, trained.lake)
    version, rows = trained.lake.version("predictions"), trained.lake.read("predictions").count()
    assert score(spark, trained.settings, trained.lake).unchanged
    assert trained.lake.version("predictions") == version
    partition = {"month": LAST, "model_version": trained.report.version}
    other = (
        trained.lake.read("predictions", partitions=[partition])
        .limit(3)
        .withColumn("scoring_id", F.lit("other"))
    )
    trained.lake.replace_partitions(other, PREDICTIONS, [partition])
    assert not score(spark, trained.settings, trained.lake).unchanged
    assert trained.lake.read("predictions").count() == rows


@pytest.fixture
def begun(trained: Trained, spark: SparkSession) -> Iterator[Trained]:
    """The same lake, of which February has two days only."""
    write_days(trained.settings, trained.lake, FIRST, date(2023, 2, 3))
    yield trained
    write_days(trained.settings, trained.lake, FIRST, next_month(LAST))


def test_the_last_complete_month_is_scored_and_another_marked(begun: Trained, spark: SparkSession) -> None:
    settings, lake = begun.settings, begun.lake
    january = score(spark, settings, lake)
    assert (january.month, january.complete) == (date(2023, 1, 1), True)
    assert january.note == (
        "2023-02 has begun: its data end on 2023-02-02; scored 2023-01; --month 2023-02 takes it all the same"
    )
    # as the release before has left it, which had no such column
    old = lake.read("predictions").where(F.col("month") == F.lit(january.month)).drop("complete").persist()
    lake.overwrite(old, Table("predictions", old.schema, PREDICTIONS.keys, PREDICTIONS.partition_by))
    february = score(spark, settings, lake, LAST)
    assert (february.month, february.complete) == (LAST, False)
    assert february.note == "2023-02 is not complete: its data end on 2023-02-02; marked so"
    marks = lake.read("predictions").select("month", "complete").distinct().collect()
    assert {tuple(mark) for mark in marks} == {(january.month, None), (LAST, False)}
    model = load_model(connect(settings))
    for asked, expected in ((None, (january.month, True)), (LAST, (LAST, False))):
        simulated = choose_scored(settings, lake, asked, model)
        assert (simulated.month, simulated.complete) == expected
        monitored = read_inputs(settings, lake, model, asked, None).chosen
        assert (monitored.month, monitored.complete) == expected
    old.unpersist()


def test_months_that_began_late_are_no_reference(trained: Trained, spark: SparkSession) -> None:
    many = trained.settings.monitoring.model_copy(update={"warmup_months": 0, "reference_months": 99})
    settings = trained.settings.model_copy(update={"monitoring": many})
    model = load_model(connect(settings))
    assert read_inputs(settings, trained.lake, model, None, None).reference[0] == FIRST
    late = settings.data.model_copy(update={"start": datetime(2022, 1, 9, tzinfo=UTC)})
    settings = settings.model_copy(update={"data": late})
    assert read_inputs(settings, trained.lake, model, None, None).reference[0] == next_month(FIRST)


def test_a_month_without_users_is_named(trained: Trained, spark: SparkSession) -> None:
    with pytest.raises(
        DataError, match="no user to score in 2031-01: table features has months 2022-01 to 2023-02"
    ):
        score(spark, trained.settings, trained.lake, date(2031, 1, 1))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (lambda order: (order[1], order[0], *order[2:]), "guard order: feature 1 is"),
        (lambda order: order[:-1], "guard order: feature 9 is nothing"),
    ],
)
def test_another_order_of_features_is_refused(
    trained: Trained,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    changes: Callable[[tuple[str, ...]], tuple[str, ...]],
    told: str,
) -> None:
    other = LakeCatalogue((), changes(trained.order), "")
    monkeypatch.setattr(stage, "built_catalogue", lambda *_: other)
    with pytest.raises(GuardError, match=told):
        score(spark, trained.settings, trained.lake)


def test_changed_arithmetic_under_the_same_names_is_refused(
    trained: Trained, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = LakeCatalogue((), trained.order, "0" * 64)
    monkeypatch.setattr(stage, "built_catalogue", lambda *_: other)
    with pytest.raises(GuardError, match="the catalogue's hash is 000000000000"):
        score(spark, trained.settings, trained.lake)


def test_without_a_champion_the_train_job_is_named(trained: Trained, spark: SparkSession) -> None:
    settings = trained.settings.model_copy(
        update={"mlflow": trained.settings.mlflow.model_copy(update={"model_name": "another"})}
    )
    with pytest.raises(
        TrackingError, match=r"no model another@champion is registered .*run the train job first"
    ):
        score(spark, settings, trained.lake)
