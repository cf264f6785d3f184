"""A group too big for one task: trees across two workers, the same answer as one task's within noise."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.factory.build import Asked, build
from pozytywka_spark.factory.decide import decide
from pozytywka_spark.factory.decide_file import decide_file
from pozytywka_spark.factory.fit import within_reach
from pozytywka_spark.factory.split import witnesses
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.factory.test_factory_job import labelled
from tests.factory.test_lake import BUILT, PROMOTED, days, put


def settings_of(settings: Settings, root: str, workers: int | None = None, **factory: int) -> Settings:
    """The same with a lake of its own."""
    return settings.model_copy(
        update={
            "home": f"{settings.home}/{root}",
            "lake": settings.lake.model_copy(update={"root": f"{settings.home}/{root}/lake"}),
            "factory": settings.factory.model_copy(update={"max_rounds": 15, **factory}),
            "training": settings.training.model_copy(update={"num_workers": workers}),
        }
    )


def boosters(lake: Lake) -> list[dict[str, object]]:
    return sorted(lake.rows("factory_boosters").to_pylist(), key=lambda row: str(row["group"]))


def cases(seed: int) -> pl.DataFrame:
    """Cases that two features tell well but not surely, with words that no model has seen."""
    rng, made = np.random.default_rng(seed), labelled(("loops",), each=3000, seed=seed)
    bad = (made["verdict"] == "bad").to_numpy()
    word = np.where(rng.random(made.height) < 0.8, np.where(bad, "emulator", "phone"), "tablet")
    return made.drop("score").with_columns(
        pl.Series("pace", rng.normal(size=made.height) + 3.0 * bad), pl.Series("device", word)
    )


def test_two_workers_decide_what_one_task_does(
    spark: SparkSession, settings: Settings, tmp_path: Path
) -> None:
    path, later = str(tmp_path / "cases.parquet"), str(tmp_path / "later.parquet")
    cases(1).write_parquet(path)
    cases(2).drop("verdict").write_parquet(later)
    found, sides, kept = [], [], []
    for root, workers, cells in (("one", None, 200_000_000), ("across", 2, 1000)):
        chosen = settings_of(settings, root, workers, max_cells=cells)
        lake = open_lake(chosen, spark)
        report = build(chosen, lake, Asked(file=path))
        sides.append({(row["group"], row["side"]): row for row in report.sides})
        out = str(tmp_path / f"{root}.parquet")
        decide_file(chosen, lake, later, out)
        found.append(pl.read_parquet(out))
        kept.append(boosters(lake))
    one, across = found
    assert one["case_id"].equals(across["case_id"])
    assert np.corrcoef(one["score"], across["score"])[0, 1] > 0.99
    assert (one["decision"] == across["decision"]).mean() > 0.93
    assert {key for key, row in sides[0].items() if row["threshold"]} == {
        key for key, row in sides[1].items() if row["threshold"]
    }
    for key, row in sides[0].items():
        assert row["coverage"] == pytest.approx(sides[1][key]["coverage"], abs=0.08), key
    for single, other in zip(*kept, strict=True):
        same = ("group", "features", "categories", "signals", "score_column")
        assert [single[name] for name in same] == [other[name] for name in same]
        assert json.loads(str(other["model"]))["learner"]["feature_names"] == []


@pytest.mark.nightly  # eight times workers wait for each other, seconds each
def test_the_same_rows_give_the_same_trees(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    path = str(tmp_path / "cases.parquet")
    cases(1).write_parquet(path)
    found: list[object] = []
    for root in ("once", "again"):
        chosen = settings_of(settings, root, 2, max_cells=1000)
        lake = open_lake(chosen, spark)
        found.append([dict(row) for row in build(chosen, lake, Asked(file=path)).sides])
        found.append(boosters(lake))
    assert found[:2] == found[2:]


def test_scores_of_training_stay_within_what_many_tested_ones_reach() -> None:
    tested = np.linspace(0.1, 0.9, 1000)
    found = within_reach(np.array([0.0, 0.15, 0.5, 0.85, 1.0]), tested, 100)
    assert found.tolist() == [tested[99], tested[99], 0.5, tested[-100], tested[-100]]
    assert np.sum(tested >= found.max()) == 100
    assert within_reach(np.array([0.0, 1.0]), tested, 501).tolist() == [0.0, 1.0]


def test_a_big_group_of_the_lake_too(spark: SparkSession, settings: Settings) -> None:
    found = []
    for root, cells in (("one", 200_000_000), ("across", 1000)):
        chosen = settings_of(settings, root, max_cells=cells)
        lake = open_lake(chosen, spark)
        put(lake, days(0, 80))
        report = build(chosen, lake, Asked(at=BUILT))
        found.append({row["side"]: (row["state"], row["tested"], row["wrong"]) for row in report.sides})
        assert boosters(lake)[0]["features"] == ["pace", "calm", "fouls_before"]
        assert report.looks > 0
    assert found[0].keys() == found[1].keys()
    for side, (state, tested, wrong) in found[0].items():
        assert found[1][side][0] == state
        assert found[1][side][1] == pytest.approx(tested, rel=0.1)
        assert abs(found[1][side][2] - wrong) <= 2


def test_a_big_group_is_decided_in_parts_as_a_whole(spark: SparkSession, settings: Settings) -> None:
    whole = settings_of(settings, "whole")
    lake = open_lake(whole, spark)
    put(lake, days(0, 80))
    build(whole, lake, Asked(at=BUILT))
    put(lake, days(80, 100))
    shutil.copytree(whole.home, f"{settings.home}/parts")
    found = []
    for chosen in (whole, settings_of(settings, "parts", max_cells=1000)):
        lake = open_lake(chosen, spark)
        decide(chosen, lake, PROMOTED)
        rows = lake.rows("decisions").to_pylist()
        found.append(sorted(rows, key=lambda row: row["case_id"]))
    assert len(found[0]) == 840
    assert found[0] == found[1]


def test_what_would_hang_or_not_fit_is_said(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    path = str(tmp_path / "cases.parquet")
    labelled(("loops",), each=1200).drop("score").write_parquet(path)
    many = settings_of(settings, "many", 99, max_cells=1000)
    with pytest.raises(UsageError, match="num_workers=99 would wait for ever"):
        build(many, open_lake(many, spark), Asked(file=path))
    few = settings_of(settings, "few", max_cells=1000, max_cases=1000)
    report = build(few, open_lake(few, spark), Asked(file=path))
    assert {row["state"] for row in report.sides} == {"discarded"}
    assert all("factory.max_cases" in row["reason"] for row in report.sides)


def test_cases_that_share_an_account_directly_or_through_others_have_one_witness() -> None:
    accounts = pl.Series([[1], [2, 3], [], [3, 4], [5], [1, 5]], dtype=pl.List(pl.Int64))
    assert witnesses(accounts).tolist() == [0, 1, 2, 1, 0, 0]
