"""Scoring without Spark: a month in several parts beside pandas and plain xgboost."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xgboost

from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.models.booster import Trees
from pozytywka_spark.models.calibration import Calibrator
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.scoring.content import digest_files
from pozytywka_spark.scoring.month_work import (
    CountDeciles,
    ExplainUsers,
    RankUsers,
    WritePredictions,
    deciles_of,
    parts_of,
    write_scores,
)
from pozytywka_spark.scoring.reasons import Words
from pozytywka_spark.scoring.selection import Rule, ranks
from tests.in_memory import MemoryTasks

MONTH, ORDER, USERS = date(2022, 5, 1), ("ads", "plays", "likes"), 97
SCORED_AT = datetime(2022, 6, 2, tzinfo=UTC)
ALIKE = {
    "model_name": "m",
    "scoring_id": "this",
    "scored_at": SCORED_AT,
    "label": "buys_ever",
    "horizon_days": None,
    "complete": True,
}


def features() -> pl.DataFrame:
    """Users in no order; of each feature some values are null; many rows are alike."""
    drawn = np.random.default_rng(4)
    values = {name: drawn.integers(0, 4, USERS).astype(float) for name in ORDER}
    frame = pl.DataFrame({"user_id": drawn.permutation(USERS) - 5, **values})
    known = drawn.random(USERS) < 0.8
    return frame.with_columns(pl.when(pl.Series(known)).then("plays").alias("plays"))


def trees() -> Trees:
    rows = features().to_pandas()
    label = (rows["ads"] + rows["likes"] > 3).astype(float)
    data = xgboost.DMatrix(rows[list(ORDER)].to_numpy(), label=label, missing=np.nan)
    grown = xgboost.train({"objective": "binary:logistic", "max_depth": 2}, data, num_boost_round=7)
    return Trees(bytes(grown.save_raw("ubj")), 7)


def model_of(predictor: Trees | Linear) -> ServingModel:
    isotonic = Calibrator("isotonic", margins=(-1.0, 0.0, 1.0), probabilities=(0.1, 0.1, 0.6))
    return ServingModel(
        predictor, ORDER, "hash", "buys_ever", 30, 0.1, calibrator=isotonic, name="m", version=3
    )


def scored(
    tasks: MemoryTasks,
    files: list[DataFile],
    predictor: Trees | Linear,
    top: int = 2,
    rule: Rule | None = None,
) -> pl.DataFrame:
    model = model_of(predictor)
    words = Words(ORDER, ORDER, ("", "", ""), (True, False, False))
    chosen = rule or Rule("budget", budget_users=11)
    written = write_scores(
        tasks,
        files,
        ExplainUsers(model, words, top),
        RankUsers(model.calibrator, chosen),
        WritePredictions(MONTH, model.version, ALIKE),
    )
    assert all(partition == {"month": MONTH, "model_version": 3} for _, partition, _ in tasks.files.written)
    return pl.concat([tasks.rows(file) for file in written]).sort("user_id")


def put(tasks: MemoryTasks, sizes: tuple[int, ...]) -> list[DataFile]:
    """The features in files of so many rows."""
    ends = np.cumsum((0, *sizes))
    rows = features()
    assert ends[-1] == rows.height
    return [
        tasks.files.put_file(rows.slice(start, size), {"month": MONTH})
        for start, size in zip(ends[:-1].tolist(), sizes, strict=True)
    ]


def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 20 rows, explained 7 at a time."""
    monkeypatch.setattr("pozytywka_spark.scoring.month_work._ROWS_A_PART", 20)
    monkeypatch.setattr("pozytywka_spark.scoring.month_work.ROWS_AT_ONCE", 7)
    monkeypatch.setattr("pozytywka_spark.scoring.month_work.parts_of", lambda files: parts_of(files, 20))


@pytest.mark.parametrize("sizes", [(97,), (30, 0, 1, 25, 41)])
def test_every_user_has_what_plain_code_gives(
    monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...]
) -> None:
    in_parts(monkeypatch)
    tasks, predictor = MemoryTasks(), trees()
    found = scored(tasks, put(tasks, sizes), predictor).to_pandas()
    rows = features().sort("user_id").to_pandas()
    data = xgboost.DMatrix(rows[list(ORDER)].to_numpy(), missing=np.nan)
    booster = xgboost.Booster()
    booster.load_model(bytearray(predictor.content()))
    assert found["user_id"].tolist() == rows["user_id"].tolist()
    # the same rows in other company give the same bits
    assert found["margin"].tolist() == booster.predict(data, output_margin=True).astype(float).tolist()
    np.testing.assert_allclose(found["probability_raw"], booster.predict(data), rtol=1e-6)
    np.testing.assert_allclose(found["probability"], np.interp(found["margin"], [-1, 0, 1], [0.1, 0.1, 0.6]))
    best = found.sort_values(["margin", "user_id"], ascending=[False, True])
    assert best["rank"].tolist() == list(range(1, USERS + 1))
    assert best["decile"].tolist() == [int(10 * place / USERS) + 1 for place in range(USERS)]
    assert best["selected"].tolist() == [True] * 11 + [False] * (USERS - 11)
    contributions = booster.predict(data, pred_contribs=True)[:, :-1].astype(float)
    for reasons, parts in zip(found["reasons"], contributions, strict=True):
        strongest = [place for place in np.argsort(-np.abs(parts), kind="stable")[:2] if parts[place]]
        assert [reason["feature"] for reason in reasons] == [ORDER[place] for place in strongest]
        wanted = [parts[place] for place in strongest]  # XGBoost's, which are of 32 bits
        assert [reason["contribution"] for reason in reasons] == pytest.approx(wanted, rel=1e-6)
    assert {name: found[name].iloc[-1] for name in ("scoring_id", "model_name")} == {
        "scoring_id": "this",
        "model_name": "m",
    }
    assert found["horizon_days"].isna().all()


def test_no_reasons_are_asked_for() -> None:
    tasks = MemoryTasks()
    linear = Linear((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.5, 0.0, -1.0), 0.25)
    found = scored(tasks, put(tasks, (97,)), linear, top=0)
    assert found["reasons"].to_list() == [[]] * USERS
    rows = features().sort("user_id")
    np.testing.assert_allclose(found["margin"], rows["ads"] * 0.5 - rows["likes"] + 0.25)


def test_deciles_add_up_over_files(monkeypatch: pytest.MonkeyPatch) -> None:
    in_parts(monkeypatch)
    tasks = MemoryTasks()
    found = scored(tasks, put(tasks, (30, 26, 41)), trees()).to_pandas()
    files = [tasks.files.put_file(rows, {}) for _, _, rows in tasks.files.written]
    assert len(files) == 3
    done = tasks.run(files, CountDeciles(), weight=lambda file: file.size, named=lambda file: file.place)
    assert {line["scoring_id"] for line in done.results} == {"this"}
    told = pd.DataFrame(deciles_of(done.results))
    p = found.groupby("decile")["probability"]
    assert told["users"].tolist() == p.size().tolist()
    assert told["lowest"].tolist() == p.min().tolist()
    assert told["highest"].tolist() == p.max().tolist()
    np.testing.assert_allclose(told["mean"], p.mean())
    assert told["selected"].tolist() == found.groupby("decile")["selected"].sum().tolist()


def test_the_digest_is_of_rows_and_not_of_files() -> None:
    tasks, columns = MemoryTasks(), ["user_id", "month", *ORDER]
    digests = {digest_files(tasks, put(tasks, sizes), columns) for sizes in ((97,), (40, 57), (96, 1))}
    assert len(digests) == 1
    changed = features().with_columns(pl.col("ads").shift(1).fill_null(9.0))
    other = tasks.files.put_file(changed, {"month": MONTH})
    later = tasks.files.put_file(features(), {"month": date(2022, 6, 1)})
    assert digests.isdisjoint({digest_files(tasks, [other], columns), digest_files(tasks, [later], columns)})


def test_ranks_equal_pandas() -> None:
    drawn = np.random.default_rng(1)
    frame = pd.DataFrame({"who": drawn.permutation(97), "odds": drawn.integers(-20, 20, 97) / 10})
    rank, decile = ranks(frame["odds"].to_numpy(), frame["who"].to_numpy())
    expected = frame.sort_values(["odds", "who"], ascending=[False, True])
    assert frame.assign(rank=rank).sort_values("rank")["who"].tolist() == expected["who"].tolist()
    assert sorted(rank) == list(range(1, 98))
    assert decile[np.argsort(rank)].tolist() == [int(10 * place / 97) + 1 for place in range(97)]
