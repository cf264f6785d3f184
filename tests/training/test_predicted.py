"""The label a model was trained for, beside the settings' and the table's: refused by name, or its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.config import Label, Settings
from pozytywka_spark.errors import DataError, GuardError
from pozytywka_spark.lake import open_lake
from pozytywka_spark.models.booster import Trees
from pozytywka_spark.models.calibration import Calibrator
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.models.target import check_label, label_columns
from pozytywka_spark.monitoring.alerts import MODEL, alerts_of
from pozytywka_spark.monitoring.stage import monitor
from pozytywka_spark.schemas import MONITORING, PREDICTIONS, Table, labels_table
from pozytywka_spark.scoring.stage import score
from pozytywka_spark.simulation.bootstrap_models import training_rows
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.store import connect
from tests.worlds.known_hazard import LAST, write_tables
from tests.worlds.trained import Trained

OF_30 = ServingModel(
    Trees(b"", 1), (), "", "buys_within_30_days", 30, 0.1, calibrator=Calibrator(), name="m", version=4
)
EVER = replace(OF_30, label="buys_ever", version=5)


def asking_for(settings: Settings, days: int) -> Settings:
    return settings.model_copy(update={"label": settings.label.model_copy(update={"horizon_days": days})})


def without_columns(table: Table, *names: str) -> Table:
    """The table as an older release declared it."""
    older = T.StructType([field for field in table.schema if field.name not in names])
    return replace(table, schema=older)


@dataclass
class LabelsOnly:
    """A lake of which the table labels is asked for its columns."""

    columns: T.StructType | None
    root: str = "here"

    def schema(self, table: str, *, version: int | None = None) -> T.StructType | None:
        assert table == "labels"
        return self.columns


def with_labels(label: str) -> LabelsOnly:
    return LabelsOnly(T.StructType([T.StructField(name, T.StringType()) for name in ("user_id", label)]))


def test_a_model_of_what_is_asked_for_passes() -> None:
    check_label(OF_30, Label())
    check_label(EVER, Label(name="buys_ever", horizon_days=90, allow_censored=True))
    assert label_columns(with_labels("buys_within_30_days"), OF_30) == ["user_id", "buys_within_30_days"]
    assert (OF_30.horizon, EVER.horizon) == (30, None)


@pytest.mark.parametrize(
    ("model", "label", "told"),
    [
        (
            OF_30,
            Label(horizon_days=60),
            "guard label: label.horizon_days=60 asks for buys_within_60_days, but m version 4 was trained "
            "for buys_within_30_days: set label.name=buys_within_horizon and label.horizon_days=30, or train "
            "a model for buys_within_60_days under a name of its own (mlflow.model_name)",
        ),
        (
            EVER,
            Label(),
            "guard label: label.horizon_days=30 asks for buys_within_30_days, but m version 5 was trained "
            "for buys_ever: set label.name=buys_ever and label.allow_censored=true, or train a model "
            "for buys_within_30_days under a name of its own (mlflow.model_name)",
        ),
    ],
)
def test_a_mismatch_names_the_setting_the_training_and_what_to_do(
    model: ServingModel, label: Label, told: str
) -> None:
    with pytest.raises(GuardError) as refused:
        check_label(model, label)
    assert str(refused.value) == told


def test_a_table_without_the_models_label_is_named() -> None:
    with pytest.raises(
        DataError, match="table labels has no buys_within_30_days, which m version 4 was"
    ) as told:
        label_columns(with_labels("buys_within_60_days"), OF_30)
    assert "set label.name=buys_within_horizon and label.horizon_days=30 and run the features job" in str(
        told.value
    )


def test_a_lake_without_labels_names_the_job_to_run() -> None:
    with pytest.raises(DataError, match="table labels is not in here: run the features job first"):
        label_columns(LabelsOnly(None), OF_30)


def test_scores_say_of_what_they_are_and_another_label_is_refused(
    trained: Trained, spark: SparkSession
) -> None:
    with pytest.raises(GuardError, match=r"guard label: label\.horizon_days=60 asks for buys_within_60_days"):
        score(spark, asking_for(trained.settings, 60), trained.lake)
    report = score(spark, trained.settings, trained.lake)
    assert report.label == "buys_within_30_days"
    partition = {"month": LAST, "model_version": report.model_version}
    found = (
        trained.lake.read("predictions", partitions=[partition]).select("label", "horizon_days").distinct()
    )
    assert [tuple(row) for row in found.collect()] == [("buys_within_30_days", 30)]


@pytest.fixture(scope="module")
def other(trained: Trained, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The trained world in a lake of its own, with tables as an older release wrote them."""
    root = str(tmp_path_factory.mktemp("older") / "lake")
    settings = trained.settings.model_copy(
        update={"lake": trained.settings.lake.model_copy(update={"root": root})}
    )
    lake = open_lake(settings, spark)
    write_tables(settings, lake, trained.rows)
    return replace(trained, settings=settings, lake=lake)


def test_predictions_of_an_older_release_stay_with_nulls(other: Trained, spark: SparkSession) -> None:
    old = without_columns(PREDICTIONS, "label", "horizon_days")
    blank = spark.range(1).select(
        *(F.lit(None).cast(field.dataType).alias(field.name) for field in old.schema)
    )
    before = blank.withColumns({"user_id": F.lit(1).cast("bigint"), "month": F.lit(date(2022, 5, 1))})
    other.lake.append(before.withColumns({"model_version": F.lit(0)}), old)
    score(spark, other.settings, other.lake)
    rows = other.lake.read("predictions")
    assert set(rows.columns) == set(PREDICTIONS.columns)
    found = rows.groupBy("model_version", "label", "horizon_days").count().collect()
    assert {tuple(row)[:3] for row in found} == {(0, None, None), (1, "buys_within_30_days", 30)}


def test_a_champion_is_measured_by_its_own_label_whatever_the_settings_name(
    other: Trained, spark: SparkSession
) -> None:
    """Readings of two settings are the same; with a row of an older release beside them."""
    older = without_columns(MONITORING, "label", "horizon_days")
    known = {"month": date(2022, 11, 1), "subject": MODEL, "metric": "realised_x", "alert": False,
             "rows": 5, "model_version": 1, "reference": "r"}  # fmt: skip
    frame = spark.createDataFrame([tuple(known.get(name) for name in older.columns)], older.schema)
    other.lake.append(frame, older)
    december = date(2022, 12, 1)
    own = monitor(spark, other.settings, other.lake, december)
    asked = monitor(spark, asking_for(other.settings, 60), other.lake, december)
    assert asked.findings == own.findings
    assert any(row["metric"] == "realised_roc_auc" for row in own.findings)
    assert {(row["label"], row["horizon_days"]) for row in own.findings} == {("buys_within_30_days", 30)}
    alert = alerts_of(
        [next(r | {"alert": True, "threshold": 0.9} for r in own.findings if r["subject"] == MODEL)]
    )[0]
    assert (alert.label, alert.horizon_days) == ("buys_within_30_days", 30)
    assert "of buys_within_30_days" in alert.words


def test_labels_of_another_horizon_only_are_refused_by_name(other: Trained, spark: SparkSession) -> None:
    model = registry.load_model(connect(other.settings))
    before = other.lake.read("labels").persist()
    before.count()
    elsewhere = labels_table("buys_within_60_days")
    other.lake.overwrite(
        elsewhere.conform(before.withColumnRenamed("buys_within_30_days", "buys_within_60_days")), elsewhere
    )
    told = "table labels has no buys_within_30_days, which pozytywka-premium version 1 was trained for"
    try:
        with pytest.raises(DataError, match=told):
            monitor(spark, asking_for(other.settings, 60), other.lake, date(2022, 12, 1))
        with other.lake.tasks() as tasks, pytest.raises(DataError, match=told):
            training_rows(tasks, other.settings, other.lake, model)
    finally:
        other.lake.overwrite(before, labels_table("buys_within_30_days"))
        before.unpersist()
