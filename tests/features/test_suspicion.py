"""Guard suspicion: the sample, each feature's AUC against scikit-learn's, and what is judged of it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.suspicion_sample import (
    CANDIDATES,
    KEYS,
    LABELLED,
    OLDER,
    SingleFeatures,
    auc_of,
    candidates,
    lowest,
    tell_singles,
)
from pozytywka_spark.features.guards.single_features import check_single_features
from pozytywka_spark.hashing.dice import dice
from tests.in_memory import MemoryTasks

JANUARY, FEBRUARY, MARCH = (date(2023, month, 1) for month in (1, 2, 3))
NAMES = ("count", "noise", "gaps")


def world(rows: int, seed: int) -> pl.DataFrame:
    """Users in three months with labels, some unknown, and features with ties and nulls."""
    drawn = np.random.default_rng(seed)
    gaps = [None if drawn.random() < 0.3 else float(drawn.integers(0, 4)) for _ in range(rows)]
    return pl.DataFrame(
        {
            "user_id": np.arange(rows) // 3,
            "month": [(JANUARY, FEBRUARY, MARCH)[i % 3] for i in range(rows)],
            "label": [None if drawn.random() < 0.2 else int(drawn.random() < 0.15) for _ in range(rows)],
            "count": drawn.integers(0, 6, rows).astype(float),
            "noise": drawn.normal(size=rows),
            "gaps": pl.Series(gaps, dtype=pl.Float64),
        }
    )


def naive_sample(rows: pl.DataFrame, most: int, seed: int) -> pl.DataFrame:
    """The lowest dice of all rows at once."""
    known = rows.filter(pl.col("label").is_not_null())
    thrown = known.with_columns(dice(known, seed)).sort("dice")
    return pl.concat(
        [
            thrown.filter(pl.col("label") == 1).head(most // 4),
            thrown.filter(pl.col("label") == 0).head(most - most // 4),
        ]
    ).drop("dice")


def in_slices(tasks: MemoryTasks, rows: pl.DataFrame, most: int, seed: int, slices: int = 3) -> None:
    """Candidates of slices of users, as the build's last job puts them down."""
    for number in range(slices):
        mine = rows.filter(pl.col("user_id") % slices == number)
        found = candidates(mine.select(LABELLED), mine.drop("label"), rows=most, seed=seed)
        tasks.files.stage(CANDIDATES, found)


@pytest.mark.parametrize("seed", range(8))
def test_an_auc_is_scikit_learns(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    values = np.round(drawn.normal(size=500) * 10.0 ** drawn.integers(-3, 9), drawn.integers(-2, 3))
    values = np.where(drawn.random(500) < 0.2, np.nan, values)
    positive = drawn.random(500) < 0.1
    ranks = pd.Series(values).fillna(-np.inf).rank()
    assert auc_of(pl.Series(values), positive) == pytest.approx(roc_auc_score(positive, ranks), abs=1e-12)
    unknown = pl.Series([None if np.isnan(value) else value for value in values], dtype=pl.Float64)
    assert auc_of(unknown, positive) == auc_of(pl.Series(values), positive)


def test_an_unknown_value_counts_as_the_lowest() -> None:
    positive = np.array([False, False, True, True])
    assert auc_of(pl.Series([None, 1.0, 2.0, 3.0]), positive) == 1.0
    assert auc_of(pl.Series([2.0, 1.0, None, 3.0]), positive) == 0.5


@pytest.mark.parametrize("most", [9, 40, 200, 5_000])
def test_the_sample_of_slices_is_that_of_all_rows(most: int) -> None:
    rows = world(900, seed=most)
    expected = naive_sample(rows, most, seed=5).sort(KEYS)
    parts = [lowest(rows.filter(pl.col("user_id") % 4 == n), rows=most, seed=5) for n in range(4)]
    found = lowest(pl.concat(parts), rows=most, seed=5).sort(KEYS)
    assert found.rows() == expected.select(LABELLED).rows()
    assert (found["label"] == 1).sum() <= most // 4


def test_each_feature_is_told_as_of_the_sample_of_all_rows() -> None:
    """January was built earlier: its labels are put down now, its features lie in a file."""
    rows, tasks = world(900, seed=3), MemoryTasks()
    in_slices(tasks, rows.filter(pl.col("month") > JANUARY), most=120, seed=9, slices=40)
    older = rows.filter(pl.col("month") == JANUARY)
    tasks.files.stage(OLDER, lowest(older.select(LABELLED), rows=120, seed=9))
    held = tasks.files.put_file(older.select("user_id", *NAMES), {"month": JANUARY})
    stray = tasks.files.put_file(older.select("user_id", *NAMES), {"month": date(2022, 12, 1)})
    made = {
        kind: tuple(one for one in tasks.files.parcels if one.kind == kind) for kind in (CANDIDATES, OLDER)
    }
    work = SingleFeatures(made[CANDIDATES], made[OLDER], (held, stray), rows=120, seed=9)
    groups = [("count", "gaps"), ("noise",)]
    told = tasks.run(groups, work, weight=len, named=", ".join).results

    sample = naive_sample(rows, 120, seed=9)
    frame = sample.to_pandas()
    first = frame[frame["label"] == 1].sort_values(["month", "user_id"]).iloc[0]
    for one in told:
        name = one["feature"]
        auc = roc_auc_score(frame["label"], frame[name].fillna(-np.inf).rank())
        assert one["auc"] == pytest.approx(max(auc, 1 - auc), abs=1e-12)
        assert one["value"] == (None if pd.isna(first[name]) else first[name])
        assert (one["user_id"], one["month"]) == (first["user_id"], f"{first['month']:%Y-%m-%d}")
        assert (one["positives"], one["rows"]) == (30, 120)
    assert {one["feature"] for one in told} == set(NAMES)


def labelled(positives: int, leak: float) -> pl.DataFrame:
    """400 rows: `noise`, and `score`, which is the label plus noise where `leak` is large."""
    drawn, truth = np.random.default_rng(5), np.arange(400) < positives
    return pl.DataFrame(
        {
            "user_id": np.arange(400),
            "month": pl.Series([JANUARY] * 400),
            "label": truth.astype(int),
            "noise": drawn.normal(size=400),
            "score": drawn.normal(size=400) + leak * truth,
            "other": drawn.normal(size=400),
        }
    )


def judged(rows: pl.DataFrame) -> str:
    tasks = MemoryTasks()
    in_slices(tasks, rows, most=1000, seed=1)
    return check_single_features(
        tasks, tasks.files.parcels, (), (), ("noise", "score", "other"), rows=1000, seed=1, limit=0.95
    ).checked


def test_a_feature_that_tells_the_label_is_named() -> None:
    rows = labelled(40, leak=3.0)
    value = rows["score"][0]
    told = (
        r"guard suspicion: feature score alone has ROC AUC 0\.9\d+ on 40 positives, 0\.95 or more "
        rf"\(user 0, month 2023-01: score={value}\): a leak unless proven not; fix it, or name it in "
    )
    with pytest.raises(GuardError, match=told):
        judged(rows)
    with pytest.raises(GuardError, match="feature score"):
        judged(rows.with_columns(-pl.col("score")))


def test_an_honest_feature_passes_and_too_few_positives_are_told() -> None:
    assert judged(labelled(40, leak=1.0)).startswith("best single feature: score, AUC 0.")
    assert judged(labelled(7, leak=9.0)) == "7 positives in 400 mature rows are too few to judge"
    assert judged(labelled(400, leak=9.0)) == "250 positives in 250 mature rows are too few to judge"
    assert judged(labelled(12, leak=2.5)).startswith("best single feature: score, AUC 0.9")
    with pytest.raises(GuardError, match=r"feature score alone has ROC AUC 1\.0000 on 12 positives, 1\.0 or"):
        judged(labelled(12, leak=50.0))
    assert (
        check_single_features(MemoryTasks(), (), (), (), ("noise",), rows=1000, seed=1, limit=0.95).checked
        == "0 positives in 0 mature rows are too few to judge"
    )


def test_rows_of_one_class_have_no_auc() -> None:
    rows = labelled(0, leak=0.0)
    assert list(tell_singles(rows, ("noise",))) == [
        {"feature": "noise", "auc": None, "positives": 0, "rows": 400}
    ]


def test_the_work_of_tasks_loads_no_settings() -> None:
    code = "import sys, pozytywka_spark.features.build.suspicion_sample; sys.exit('pydantic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
