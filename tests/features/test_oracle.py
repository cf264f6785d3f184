"""Every feature of every row against an independent oracle: on a real delivery and on a made one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.suspicion_sample import candidates, tell_singles
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.guards.single_features import judge_singles
from pozytywka_spark.features.stage import FeaturesReport, build_features
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.parcel_files import as_polars
from tests.features import oracle, oracle_behaviour
from tests.features.leaky_entries import entry_that_knows
from tests.worlds.made_delivery import write_delivery
from tests.worlds.silver import silver_of, write_silver


@dataclass(frozen=True)
class Built:
    settings: Settings
    lake: Lake
    report: FeaturesReport
    con: duckdb.DuckDBPyConnection


@pytest.fixture(scope="module", params=["real", "made"])
def built(
    request: pytest.FixtureRequest, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Built:
    home = tmp_path_factory.mktemp(request.param)
    settings = load_settings(
        "local",
        [
            f"home={home}",
            "spark.master=local[2]",
            "spark.shuffle_partitions=2",
            "synthetic.users=300",
            "synthetic.months=14",
        ],
    )
    if request.param == "real":
        folder: Path = request.getfixturevalue("sample")
    else:
        folder = home / "raw"
        folder.mkdir()
        write_delivery(settings.synthetic, folder)
    lake = open_lake(settings, spark)
    write_silver(lake, silver_of(folder))
    return Built(settings, lake, build_features(spark, settings, lake), oracle.connect(folder))


@pytest.fixture(scope="module")
def base(built: Built) -> pd.DataFrame:
    return oracle_behaviour.base(built.con)


def by_row(lake: Lake, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    frame = lake.rows(name, columns).to_pandas()
    frame["month"] = pd.to_datetime(frame["month"])
    return frame.sort_values(["month", "user_id"], ignore_index=True)


def assert_equal_features(lake: Lake, expected: pd.DataFrame, atol: float = 0.0) -> None:
    """Same rows; nulls in the same places; equal to 1e-12 relative, which is exact for counts."""
    actual = by_row(lake, "features", list(expected.columns))
    assert list(zip(actual.user_id, actual.month, strict=True)) == list(
        zip(expected.user_id, pd.to_datetime(expected.month), strict=True)
    )
    for name in expected.columns.drop(["user_id", "month"]):
        wanted = pd.to_numeric(expected[name]).to_numpy(dtype=float, na_value=np.nan)
        np.testing.assert_allclose(
            actual[name].to_numpy(), wanted, rtol=1e-12, atol=atol, equal_nan=True, err_msg=name
        )


def test_the_analysts_features_equal_the_oracle(built: Built) -> None:
    expected = oracle.analysts(built.con)
    assert len(expected.columns) == 27
    assert_equal_features(built.lake, expected)


def test_behaviour_equals_the_oracle(built: Built, base: pd.DataFrame) -> None:
    liked = oracle.analysts(built.con).number_of_liked_tracks_listened
    # entropy keeps logarithms to 11 decimals, and the oracle sums in another order
    assert_equal_features(built.lake, oracle_behaviour.behaviour(base, liked), atol=1e-11)


def test_trailing_windows_equal_the_oracle(built: Built, base: pd.DataFrame) -> None:
    assert_equal_features(built.lake, oracle_behaviour.trends(base.fillna({"favourite_plays": 0}).fillna(0)))


def test_the_oracle_covers_the_whole_catalogue(built: Built, base: pd.DataFrame) -> None:
    liked = oracle.analysts(built.con).number_of_liked_tracks_listened
    covered = {
        *oracle.analysts(built.con).columns,
        *oracle_behaviour.behaviour(base, liked).columns,
        *oracle_behaviour.trends(base.fillna({"favourite_plays": 0}).fillna(0)).columns,
    }
    assert {feature.name for feature in CATALOGUE} == covered - {"user_id", "month"}


def test_labels_equal_the_oracle(built: Built) -> None:
    actual, expected = by_row(built.lake, "labels"), oracle.labels(built.con, 30)
    actual = actual.rename(columns={"buys_within_30_days": "label"})
    for name in ("cut_off", "horizon_end"):
        assert list(actual[name].dt.tz_localize(None)) == list(expected[name]), name
    for name in ("mature", "buys_ever", "label", "complete"):
        assert list(actual[name].astype("Float64")) == list(expected[name].astype("Float64")), name


def test_the_real_delivery_has_its_known_rows_and_positives(
    built: Built, request: pytest.FixtureRequest
) -> None:
    if "real" not in request.node.callspec.id:
        assert built.con.execute("select count(*) from e").fetchone()[0] > 60_000
        return
    assert built.report.rows == 76
    assert [row["mature"] for row in built.report.labels] == [29, 0, 0]
    buyers = """
        select count(*) from rows join bought using (user_id)
        where bought."at" >= cut_off and bought."at" < cut_off + interval 30 day
    """
    assert built.con.execute(buyers).fetchone() == (8,)


def test_no_single_feature_is_suspected_over_twenty_seeds(
    built: Built, request: pytest.FixtureRequest
) -> None:
    """Honest features of a world with buyers, judged on twenty samples, few positives in some of them."""
    if "made" not in request.node.callspec.id:
        pytest.skip("the real delivery has 8 positives: nothing to sample from")
    labels = as_polars(built.lake.rows("labels", ["user_id", "month", "buys_within_30_days"]))
    labelled = labels.rename({"buys_within_30_days": "label"})
    features = as_polars(built.lake.rows("features"))
    names = features.columns[2:]
    told = []
    for seed in range(1, 21):
        sample = candidates(labelled, features, rows=40 * seed, seed=seed)
        told.append(judge_singles(list(tell_singles(sample, names)), names, 0.95))
    assert sum(line.startswith("best single feature") for line in told) > 15


def test_guards_looked_at_everyone(built: Built) -> None:
    users = pd.unique(by_row(built.lake, "features", ["user_id", "month"]).user_id)
    assert [guard.guard for guard in built.report.guards] == ["names", "rows", "suspicion", "perturbation"]
    assert built.report.guards[-1].checked.startswith(f"all {len(users):,} users, future after ")


def test_a_second_run_changes_nothing(built: Built, spark: SparkSession) -> None:
    tables = ("user_month", "features", "labels", "feature_builds", "first_likes", "track_plays")
    before = {name: built.lake.version(name) for name in tables}
    again = build_features(spark, built.settings, built.lake)
    assert again.months == []
    assert {name: built.lake.version(name) for name in tables} == before
    assert again.labels == built.report.labels


def silver_copied(built: Built, home: Path, spark: SparkSession, *given: str) -> tuple[Settings, Lake]:
    """Settings and a lake in another folder with the same silver tables."""
    always = ["spark.master=local[2]", "spark.shuffle_partitions=2", "guards.perturbation=false"]
    settings = load_settings("local", [f"home={home}", *always, *given])
    lake = open_lake(settings, spark)
    for table in schemas.SILVER:
        shutil.copytree(built.lake.path(table.name), lake.path(table.name), dirs_exist_ok=True)
    return settings, lake


def test_an_entry_that_knows_who_buys_stops_the_stage(
    built: Built, spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if "made" not in request.node.callspec.id:
        pytest.skip("the real delivery has too few positives to judge")
    settings, lake = silver_copied(built, tmp_path, spark)
    labels = as_polars(built.lake.rows("labels")).filter(pl.col("buys_within_30_days") == 1)
    leak = entry_that_knows(labels.select("user_id", "month").rows())
    with pytest.raises(GuardError, match=r"guard suspicion: feature chosen_few alone has ROC AUC 1\.0"):
        build_features(spark, settings, lake, features=(*CATALOGUE[:3], leak))
    assert not lake.exists("features")
