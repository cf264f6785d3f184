"""Guards 2, 3, 6 and the names of 4, each tripped by what it is for and passed by what it isn't."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.catalogue import CATALOGUE, feature_order
from pozytywka_spark.features.guards.frames import check_mature, check_purge
from pozytywka_spark.features.guards.names import check_hash, check_names, check_order


def frame(spark: SparkSession, rows: list[tuple], ddl: str) -> DataFrame:
    df = spark.createDataFrame(rows, ddl.replace("date", "string").replace("timestamp", "string"))
    fields = [field.strip().split() for field in ddl.split(",")]
    return df.select(*(F.col(name).cast(kind).alias(name) for name, kind in fields))


@pytest.mark.parametrize(
    "name",
    ["premium_user", "buys_within_30_days", "buys_ever", "purchased_at", "label", "horizon_end", "cut_off"],
)
def test_targets_and_their_aliases_are_no_features(name: str) -> None:
    with pytest.raises(GuardError, match=f"guard names: feature {name} "):
        check_names(["plays", name])


def test_the_catalogue_has_no_target() -> None:
    assert check_names(feature_order()).checked == f"{len(CATALOGUE)} feature names"


def test_maturity(spark: SparkSession) -> None:
    ddl = "user_id bigint, month date, horizon_end timestamp, mature boolean"
    mature = frame(spark, [(1, "2023-01-01", "2023-03-03", True)], ddl)
    assert check_mature(mature).guard == "maturity"
    immature = frame(
        spark, [(2, "2023-02-01", "2023-03-31", False), (3, "2023-03-01", "2023-04-30", None)], ddl
    )
    with pytest.raises(GuardError, match="guard maturity: user 2, month 2023-02 is immature"):
        check_mature(mature.union(immature))


def test_purge_allows_a_horizon_that_ends_at_the_cut_off(spark: SparkSession) -> None:
    ddl = "user_id bigint, month date, cut_off timestamp, horizon_end timestamp"
    train = frame(spark, [(1, "2023-01-01", "2023-02-01", "2023-03-03")], ddl)
    at = frame(spark, [(1, "2023-02-01", "2023-03-03", "2023-04-02")], ddl)
    sooner = frame(spark, [(1, "2023-02-01", "2023-03-01", "2023-03-31")], ddl)
    assert check_purge(train, at, ("train", "validation")).guard == "purge"
    with pytest.raises(
        GuardError, match="guard purge: train row user 1, month 2023-01 has a horizon up to 2023-03-03"
    ):
        check_purge(train, sooner, ("train", "validation"))


def test_order_and_hash() -> None:
    assert check_order(["a", "b"], ["a", "b"]).guard == "order"
    with pytest.raises(GuardError, match="guard order: feature 2 is c, the model was trained with b there"):
        check_order(["a", "b"], ["a", "c"])
    with pytest.raises(GuardError, match="feature 2 is nothing, the model was trained with b"):
        check_order(["a", "b"], ["a"])
    with pytest.raises(GuardError, match="the catalogue's hash is ffff"):
        check_hash("0" * 64, "f" * 64)
