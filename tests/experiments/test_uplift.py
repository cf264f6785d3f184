"""Uplift: a planted one is found and beats targeting by score; the curve is exact; too few are refused."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.experiments.assignment.assign import assign
from pozytywka_spark.experiments.assignment.hashing import bucket_of
from pozytywka_spark.experiments.uplift.qini import BINS, curve, replicates
from pozytywka_spark.experiments.uplift.report import UpliftReport
from pozytywka_spark.experiments.uplift.stage import uplift
from pozytywka_spark.features.declared.catalogue import feature_order
from pozytywka_spark.lake import Lake, open_lake
from tests.worlds.known_effect import write_events
from tests.worlds.known_hazard import as_arrow
from tests.worlds.trained import settings_in

USERS, SHARE = 4000, 0.4


@pytest.fixture(scope="module")
def world(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, Lake, pd.DataFrame]:
    """The treatment helps where the first feature is positive; who buys anyway is a matter of the second."""
    settings = settings_in(
        tmp_path_factory.mktemp("uplift"), "experiments.uplift.max_trees=30", "data.end=2023-04-01"
    )
    lake, order = open_lake(settings, spark), feature_order(settings)
    drawn = np.random.default_rng(12)
    rows = pd.DataFrame(drawn.normal(size=(USERS, len(order))), columns=list(order))
    rows.insert(0, "user_id", np.arange(1, USERS + 1))
    rows.insert(1, "month", date(2022, 12, 1))
    treated = np.array([bucket_of("pozytywka", "offer", user) < 4000 for user in rows["user_id"]])
    rows["truth"] = 0.25 * (rows[order[0]] > 0)
    base = 0.05 + 0.25 * (rows[order[1]] > 0)
    buys = drawn.random(USERS) < base + np.where(treated, rows["truth"], 0)
    table = schemas.features_table(order)
    lake.overwrite(as_arrow(rows[list(table.columns)], table), table)
    events = [(user, datetime(2022, 12, 9), "PLAY") for user in rows["user_id"]]
    events += [(user, datetime(2023, 1, 20), "BUY_PREMIUM") for user in rows["user_id"][buys]]
    events += [(1, datetime(2023, 3, 31), "SKIP")]
    write_events(lake, pd.DataFrame(events, columns=["user_id", "time", "kind"]))
    users = pd.DataFrame({"user_id": rows["user_id"], "city": "Radom", "favourite_genres": None})
    users["premium_user"] = buys
    lake.overwrite(as_arrow(users, schemas.USERS), schemas.USERS)
    assign(settings, lake, "offer", {"offer": 100 * SHARE}, date(2023, 1, 1))
    return settings, lake, rows


@pytest.fixture(scope="module")
def found(spark: SparkSession, world: tuple[Settings, Lake, pd.DataFrame]) -> UpliftReport:
    return uplift(world[0], world[1], "offer")


def test_persuadable_users_are_found_where_score_finds_those_who_buy_anyway(
    found: UpliftReport, world: tuple[Settings, Lake, pd.DataFrame]
) -> None:
    areas = {row["ranking"]: row for row in found.areas}
    assert areas["uplift"]["low"] > 0
    assert areas["score"]["low"] < 0 < areas["score"]["high"]
    assert areas["uplift - score"]["low"] > 0
    assert found.verdict == "ranking by uplift finds persuadable users, better than ranking by score"
    estimates = world[1].read("uplift").toPandas().merge(world[2][["user_id", "truth"]], on="user_id")
    by_truth = estimates.groupby("truth")["uplift"].mean()
    assert by_truth[0.25] - by_truth[0.0] > 0.12
    assert found.curves["uplift"][BINS // 2 - 1]["gain"] > 0.8 * found.curves["uplift"][-1]["gain"]


def test_the_curve_is_that_of_every_user_in_order(
    found: UpliftReport, world: tuple[Settings, Lake, pd.DataFrame]
) -> None:
    """Radcliffe's definition over the rows themselves, users taken within their fold by rank."""
    rows = world[1].read("uplift").toPandas()
    assert len(rows) == found.users == USERS
    treated_all = (rows["group"] == "offer").sum()
    parts = [
        part.sort_values(["uplift", "user_id"], ascending=[False, True]) for _, part in rows.groupby("fold")
    ]
    for place in range(BINS):
        first = pd.concat([part.head(-(-len(part) * (place + 1) // BINS)) for part in parts])
        treated, control = (first[first["group"] == group] for group in ("offer", "control"))
        gain = (treated["bought"].sum() - control["bought"].sum() * len(treated) / len(control)) / treated_all
        assert found.curves["uplift"][place]["gain"] == pytest.approx(gain, abs=1e-12)
        assert found.curves["uplift"][place]["share"] == pytest.approx(len(first) / USERS)


def test_the_same_users_are_not_estimated_twice_and_one_regression_finds_them_too(
    spark: SparkSession, found: UpliftReport, world: tuple[Settings, Lake, pd.DataFrame]
) -> None:
    settings, lake, _ = world
    version = lake.version("uplift")
    again = uplift(settings, lake, "offer")
    assert (again.unchanged, again.areas, again.run_id) == (True, found.areas, found.run_id)
    assert lake.version("uplift") == version
    other = settings.experiments.uplift.model_copy(update={"method": "transformed"})
    chosen = settings.experiments.model_copy(update={"uplift": other})
    one = uplift(settings.model_copy(update={"experiments": chosen}), lake, "offer")
    assert [row["ranking"] for row in one.areas] == ["uplift"]
    assert one.areas[0]["low"] > 0
    assert "no score of theirs is known" in one.verdict


def test_too_little_data_is_refused_with_the_counts(
    spark: SparkSession, world: tuple[Settings, Lake, pd.DataFrame]
) -> None:
    settings, lake, _ = world
    demanding = settings.experiments.uplift.model_copy(update={"min_purchases": 2000})
    chosen = settings.experiments.model_copy(update={"uplift": demanding})
    with pytest.raises(
        DataError,
        match=r"too little data for uplift: offer has \d+ purchases among [\d,]+ users in half 1, at least",
    ):
        uplift(settings.model_copy(update={"experiments": chosen}), lake, "offer")
    with pytest.raises(UsageError, match="--treatment discount: experiment offer has offer"):
        uplift(settings, lake, "offer", "discount")


@pytest.mark.thorough
def test_intervals_of_the_area_cover_zero_when_nobody_is_persuaded() -> None:
    """400 worlds where ranks mean nothing, though the treatment works and strata have other shares."""
    drawn = np.random.default_rng(13)
    shares, covered, no_yes = {1: 0.2, 2: 0.6}, 0, [False, True]
    cells = pd.MultiIndex.from_product(
        [range(BINS), no_yes, shares, no_yes], names=["bin", "treated", "revision", "bought"]
    ).to_frame(index=False)
    for seed in range(400):
        rank, second = drawn.integers(0, BINS, 2000), drawn.integers(0, 2, 2000)
        treated = drawn.random(2000) < np.where(second, shares[2], shares[1])
        bought = drawn.random(2000) < 0.1 + 0.1 * treated + 0.1 * second
        place = np.ravel_multi_index((rank, treated, second, bought), (BINS, 2, 2, 2))
        counts = replicates(np.bincount(place, minlength=len(cells)), 200, seed)
        low, high = curve(cells, "bin", counts, shares).interval()
        covered += low <= 0 <= high
    assert 0.92 <= covered / 400 <= 0.98
