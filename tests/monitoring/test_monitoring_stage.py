"""A month monitored: estimated before labels, realised after, alarms, idempotence, errors for people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import log_loss, roc_auc_score

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, TrackingError, UsageError
from pozytywka_spark.lake import Lake, open_lake
from pozytywka_spark.monitoring.console import show_monitoring
from pozytywka_spark.monitoring.stage import monitor
from pozytywka_spark.schemas import labels_table
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import connect
from tests.worlds.known_hazard import write_tables
from tests.worlds.trained import Trained

JAN, FEB = date(2023, 1, 1), date(2023, 2, 1)
DRIFTED = 2  # the feature that drifts from February on


@pytest.fixture(scope="module")
def drifted(trained: Trained, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The trained world in a lake of its own, one feature shifted in the last month, January immature."""
    root = tmp_path_factory.mktemp("drifted")
    known = trained.settings
    settings = known.model_copy(
        update={
            "lake": known.lake.model_copy(update={"root": str(root / "lake")}),
            # whoever else monitors this model logs to a run of their own
            "mlflow": known.mlflow.model_copy(update={"experiment": "drifted"}),
        }
    )
    lake, rows = open_lake(settings, spark), trained.rows.copy()
    rows.loc[rows["month"] == FEB, trained.order[DRIFTED]] += 1.0
    write_tables(settings, lake, rows)
    immature(settings, lake)
    return replace(trained, settings=settings, lake=lake, rows=rows)


def immature(settings: Settings, lake: Lake) -> None:
    """January's labels are taken back."""
    column = settings.label.horizon_column
    known = F.col("month") < F.lit(JAN)
    labels = lake.read("labels").withColumns({"mature": known, column: F.when(known, F.col(column))})
    replace_labels(settings, lake, labels)


def replace_labels(settings: Settings, lake: Lake, labels: DataFrame) -> None:
    table = labels_table(settings.label.horizon_column)
    lake.overwrite(table.conform(labels), table)


def values(lake: Lake, month: date) -> dict[tuple[str, str], dict[str, object]]:
    rows = lake.read("monitoring", partitions=[{"month": month}]).collect()
    return {(row["subject"], row["metric"]): row.asDict() for row in rows}


def test_a_month_from_estimate_to_outcome(drifted: Trained, spark: SparkSession) -> None:
    settings, lake = drifted.settings, drifted.lake
    first = monitor(spark, settings, lake, JAN)
    assert first.alerts == ()
    assert not first.retrain_advised
    assert first.reference == "2022-06..2022-11"
    found = values(lake, JAN)
    assert not any(metric.startswith("realised_") for _, metric in found)
    expected = _scored(drifted, spark, JAN)
    estimate = found["model", "estimated_roc_auc"]
    p = expected["score"].to_numpy()
    assert estimate["value"] == pytest.approx(_expected_auc(p), abs=1e-9)
    expected_loss = -(p * np.log(p) + (1 - p) * np.log1p(-p)).mean()
    assert found["model", "estimated_log_loss"]["value"] == pytest.approx(expected_loss)

    version = lake.version("monitoring")
    again = monitor(spark, settings, lake, JAN)
    assert again.unchanged
    assert again.findings == first.findings
    assert lake.version("monitoring") == version

    # the labels come in; the next month measures January, and sees its own drift
    write_tables(settings, lake, drifted.rows)
    second = monitor(spark, settings, lake, FEB)
    assert second.backfilled == [JAN]
    found = values(lake, JAN)
    y = expected["buys"].astype(int)
    assert found["model", "realised_roc_auc"]["value"] == pytest.approx(roc_auc_score(y, p))
    assert found["model", "realised_log_loss"]["value"] == pytest.approx(log_loss(y, p))
    assert found["model", "realised_purchases"]["value"] == y.sum()
    assert found["model", "realised_purchases_expected"]["value"] == pytest.approx(p.sum())
    assert estimate["low"] <= found["model", "realised_roc_auc"]["value"] <= estimate["high"]
    assert {alert.subject for alert in second.alerts} == {drifted.order[DRIFTED]}
    assert {alert.metric for alert in second.alerts} >= {"psi", "ks", "js"}
    assert not second.retrain_advised  # one feature of three that would ask for it
    version = lake.version("monitoring")
    third = monitor(spark, settings, lake, FEB)
    assert third.unchanged
    assert third.alerts == second.alerts
    assert lake.version("monitoring") == version

    assert (show_monitoring(first), show_monitoring(second)) == (0, 4)
    tracking = connect(settings)
    run = runs.find(tracking, third.run_id)
    assert run is not None
    steps = {point.step: point.value for point in tracking.client.get_metric_history(third.run_id, "alerts")}
    assert steps == {202301: 0.0, 202302: float(len(second.alerts))}
    assert run.info.run_name == f"monitor v{third.model_version} · 2023-01..2023-02"
    told = {key: run.data.tags[key] for key in ("kind", "months", "label", "alerts")}
    assert told == {
        "kind": "monitoring",
        "months": "2023-01..2023-02",
        "label": settings.label.column,
        "alerts": str(len(second.alerts)),
    }
    described = run.data.tags["mlflow.note.content"]
    assert described.startswith(f"**2023-02, version {third.model_version} of {third.model_name}: ")
    assert f"- **{drifted.order[DRIFTED]}**: psi " in described
    inputs = [entry.dataset for entry in run.inputs.dataset_inputs]
    used = {(each.name, json.loads(each.profile)["months"]): json.loads(each.source) for each in inputs}
    assert set(used) == {(name, month) for name in ("features", "labels") for month in ("2023-01", "2023-02")}
    assert used["labels", "2023-02"]["delta_table_version"] == lake.version("labels")
    assert len(inputs) == len(used)  # the third time adds nothing
    assert "data:image/svg+xml" in third.page
    assert "<script" not in third.page
    assert drifted.order[DRIFTED] in third.page


def test_drift_of_several_features_advises_a_new_model(drifted: Trained, spark: SparkSession) -> None:
    chosen = drifted.settings.monitoring.model_copy(update={"retrain_features": 1})
    settings = drifted.settings.model_copy(update={"monitoring": chosen})
    report = monitor(spark, settings, drifted.lake, FEB, (date(2022, 6, 1), date(2022, 12, 1)))
    assert report.retrain_advised
    assert report.reference == "2022-06..2022-12"


def test_wrong_months_and_missing_models_are_told(drifted: Trained, spark: SparkSession) -> None:
    settings, lake = drifted.settings, drifted.lake
    with pytest.raises(
        DataError, match="no user to monitor in 2031-01: table features has months 2022-01 to 2023-02"
    ):
        monitor(spark, settings, lake, date(2031, 1, 1))
    with pytest.raises(UsageError, match=r"--reference 2022-06\.\.2023-02 holds the month 2023-02 itself"):
        monitor(spark, settings, lake, FEB, (date(2022, 6, 1), FEB))
    with pytest.raises(DataError, match=r"--reference 2020-01\.\.2020-02: table features has months"):
        monitor(spark, settings, lake, FEB, (date(2020, 1, 1), date(2020, 2, 1)))
    with pytest.raises(DataError, match="no reference months: the champion was fitted until 2022-11"):
        monitor(spark, settings, lake, date(2022, 1, 1))
    exempt = settings.monitoring.model_copy(update={"exempt": ("nonsense",)})
    with pytest.raises(UsageError, match=r"monitoring\.exempt: no such feature: nonsense"):
        monitor(spark, settings.model_copy(update={"monitoring": exempt}), lake)
    nobody = settings.model_copy(
        update={"mlflow": settings.mlflow.model_copy(update={"model_name": "another"})}
    )
    with pytest.raises(TrackingError, match="no model another@champion is registered"):
        monitor(spark, nobody, lake)


def _scored(world: Trained, spark: SparkSession, month: date) -> pd.DataFrame:
    model = registry.load_model(connect(world.settings))
    features = world.lake.read("features", partitions=[{"month": month}]).toPandas()
    score = model.calibrator.apply(model.predictor.margins(features[list(model.features)].to_numpy()))
    scored = features[["user_id", "month"]].assign(score=score)
    return scored.merge(world.rows[["user_id", "month", "buys"]], on=["user_id", "month"])


def _expected_auc(p: np.ndarray) -> float:
    """Over all pairs of rows, weighed by the chance that one buys and the other doesn't."""
    weight = np.outer(p, 1 - p)
    higher = (p[:, None] > p[None, :]) + 0.5 * (p[:, None] == p[None, :])
    return float((weight * higher).sum() / weight.sum())
