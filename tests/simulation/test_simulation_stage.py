"""From a scored month to fronts in the lake: any parallelism, twice, a page, a run, errors for people."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.dataset.provenance import package_versions
from pozytywka_spark.errors import DataError, TrackingError
from pozytywka_spark.features.declared.catalogue import catalogue_hash
from pozytywka_spark.lake import Lake, open_lake
from pozytywka_spark.models.calibration import Calibrator
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.months import next_month
from pozytywka_spark.names import LABEL
from pozytywka_spark.scoring.stage import score
from pozytywka_spark.simulation.stage import TAG, simulate
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import connect
from tests.worlds.ads_world import DROPPED, ORDER, World, user_months
from tests.worlds.known_hazard import as_arrow, write_days

MONTHS = (date(2022, 4, 1), date(2022, 5, 1), date(2022, 6, 1))
USERS = 420
SMALL = ("rows=60", "neighbours=150", "population=12", "generations=4", "bootstrap=4", "min_users=60")


def settings_in(home: Path) -> Settings:
    chosen = [f"home={home}", f"features.drop=[{DROPPED}]", "training.max_trees=20", "scoring.reasons=0"]
    return load_settings("local", [*chosen, *(f"simulation.{each}" for each in SMALL)])


@pytest.fixture(scope="module")
def scored(
    spark: SparkSession, ads_world: World, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, Lake]:
    """A lake with features, labels and June's scores by a champion fitted until May."""
    settings = settings_in(tmp_path_factory.mktemp("simulated"))
    lake, rows = open_lake(settings, spark), user_months(USERS, MONTHS, seed=3)
    features = schemas.features_table(ORDER)
    lake.overwrite(as_arrow(rows, features), features)
    labels = schemas.labels_table(settings.label.horizon_column)
    made = rows[["user_id", "month"]].assign(
        cut_off=pd.Timestamp("2022-07-01"),
        horizon_end=pd.Timestamp("2022-07-31"),
        mature=True,
        buys_ever=0,
        complete=True,
    )
    made[settings.label.horizon_column] = rows[LABEL].astype(int)
    lake.overwrite(as_arrow(made, labels), labels)
    write_days(settings, lake, MONTHS[0], next_month(MONTHS[-1]))
    model = ServingModel(
        predictor=ads_world.task.model.predictor, features=ORDER, catalogue_hash=catalogue_hash(settings),
        label=settings.label.column, horizon_days=30, base_rate=0.3, trained_until="2022-05",
        calibrator=Calibrator(),
    )  # fmt: skip
    tracking = connect(settings)
    with runs.run(tracking, "training", tags={}) as run:
        logged = registry.log_model(tracking, run, model, package_versions())
    registry.register(tracking, run, logged, {registry.TRAINING_RUN: run})
    registry.set_alias(tracking, registry.CHAMPION, 1)
    score(spark, settings, lake, MONTHS[-1])
    return settings, lake


def test_fronts_are_the_same_bit_for_bit_whatever_the_parallelism(
    scored: tuple[Settings, Lake], spark: SparkSession, tmp_path: Path
) -> None:
    settings, lake = scored
    first = simulate(spark, settings, lake)
    assert first.month == MONTHS[-1]
    segments = {row["segment"]: row["users"] for row in first.fronts}
    june = user_months(USERS, MONTHS, seed=3).query("month == @MONTHS[-1]")["number_of_tracks"]
    expected = june.groupby(pd.cut(june, [1, 10, 50, 200, 1e9], right=False)).size()
    large = {size for size in expected if size >= 60}
    assert set(segments.values()) == large
    assert sum("is left out" in note for note in first.notes) == sum(0 < size < 60 for size in expected)
    by_segment = (
        lake.read("predictions")
        .toPandas()
        .merge(user_months(USERS, MONTHS, seed=3).query("month == @MONTHS[-1]"), on="user_id")
    )
    everyone = {row["purchases"] for row in first.fronts}
    tracks = by_segment["number_of_tracks"]
    for low, high in ((10, 50), (50, 200)):
        total = by_segment.loc[(tracks >= low) & (tracks < high), "probability"].sum()
        assert any(each == pytest.approx(total) for each in everyone)

    version = lake.version("simulations")
    again = simulate(spark, settings, lake)
    assert again.unchanged
    assert (lake.version("simulations"), again.run_id) == (version, first.run_id)

    shutil.copytree(lake.root, tmp_path / "lake")
    shutil.rmtree(tmp_path / "lake" / "simulations")
    elsewhere = settings.model_copy(
        update={"lake": settings.lake.model_copy(update={"root": str(tmp_path / "lake")})}
    )
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        other = simulate(spark, elsewhere, open_lake(elsewhere, spark))
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", str(before))
    assert not other.unchanged
    assert other.fronts == first.fronts
    assert other.page == first.page

    tracking = connect(settings)
    run = runs.find(tracking, first.run_id)
    assert run is not None
    assert run.data.tags[TAG] == first.fronts[0]["simulation_id"]
    assert run.data.metrics["points"] == len(first.fronts)
    assert run.info.run_name == f"simulate v1 · {first.month:%Y-%m} by {first.segment_by}"
    assert run.data.tags["kind"] == "simulation"
    assert "artifacts/simulation.html)" in run.data.tags["mlflow.note.content"]
    assert "need not cause them" in first.page
    assert all(segment in first.page for segment in segments)
    suggested = [row for row in first.fronts if row["suggested"]]
    assert {row["segment"] for row in suggested} == set(segments)
    for row in first.fronts:
        assert row["low"] <= row["change"] <= row["high"]
        assert row["point"] > 0 or (row["change"], row["cost"], row["changes"]) == (0.0, 0.0, {})


def test_what_is_missing_is_told(scored: tuple[Settings, Lake], spark: SparkSession) -> None:
    settings, lake = scored
    with pytest.raises(
        DataError,
        match=r"2022-05 has no scores of the champion, pozytywka-premium version 1: .*score --month 2022-05",
    ):
        simulate(spark, settings, lake, MONTHS[1])
    with pytest.raises(DataError, match=r"users can't be grouped by city: .*choose another --segment"):
        simulate(spark, settings, lake, by="city")
    nobody = settings.model_copy(
        update={"mlflow": settings.mlflow.model_copy(update={"model_name": "another"})}
    )
    with pytest.raises(TrackingError, match="no model another@champion is registered"):
        simulate(spark, nobody, lake)


def test_scores_of_other_users_are_refused(
    scored: tuple[Settings, Lake], spark: SparkSession, tmp_path: Path
) -> None:
    settings, lake = scored
    shutil.copytree(lake.root, tmp_path / "lake")
    elsewhere = settings.model_copy(
        update={"lake": settings.lake.model_copy(update={"root": str(tmp_path / "lake")})}
    )
    changed = open_lake(elsewhere, spark)
    partition = {"month": MONTHS[-1], "model_version": 1}
    fewer = changed.read("predictions", partitions=[partition]).where("user_id > 3")
    changed.replace_partitions(fewer, schemas.PREDICTIONS, [partition])
    with pytest.raises(DataError, match=r"not of the users that table features has now \(3 differ\)"):
        simulate(spark, elsewhere, changed)
