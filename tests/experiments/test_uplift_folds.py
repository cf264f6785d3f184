"""Each half of the users is estimated by plain XGBoost's models of the other, however the rows lie."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from xgboost import XGBClassifier, XGBRegressor

from pozytywka_spark.experiments.uplift.fold_work import EstimateFold, Fitting, Fold
from pozytywka_spark.experiments.uplift.rows_work import KEYS, MATRIX
from tests.in_memory import MemoryTasks

PARAMETERS = {"max_depth": 2, "learning_rate": 0.3, "min_child_weight": 1.0, "tree_method": "hist", "seed": 7}
DRAWN = np.random.default_rng(3)
FEATURES = DRAWN.normal(size=(400, 3)).astype(np.float32)
FEATURES[DRAWN.random((400, 3)) < 0.1] = np.nan
ROWS = pl.DataFrame(
    {
        "user_id": DRAWN.permutation(400),
        "month": [date(2023, 1, 1)] * 400,
        "revision": [1] * 400,
        "treated": DRAWN.integers(0, 2, 400),
        "bought": (DRAWN.random(400) < 0.3).astype(np.int64),
        "fold": DRAWN.integers(0, 2, 400),
        "score": DRAWN.normal(size=400),
        MATRIX: pl.Series(FEATURES, dtype=pl.Array(pl.Float32, 3)),
    }
).select(*KEYS, MATRIX)


def estimated(fitting: Fitting, parts: int) -> pl.DataFrame:
    tasks = MemoryTasks()
    by_fold = [
        tuple(
            tasks.put("rows", rows.gather_every(parts, part), (fold,))
            for rows in [ROWS.filter(pl.col("fold") == fold)]
            for part in range(parts)
        )
        for fold in (0, 1)
    ]
    folds = [Fold(fold, by_fold[fold], by_fold[1 - fold]) for fold in (0, 1)]
    work = EstimateFold("x", "t", "id", fitting, scored=False)
    done = tasks.run(folds, work, weight=lambda fold: fold.size, named=lambda fold: str(fold.number))
    return pl.concat([tasks.rows(each) for each in done.written]).sort("user_id")


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["two_model", "transformed"])
def test_estimates_are_those_of_plain_xgboost_in_any_order_of_rows(method: str) -> None:
    fitting = Fitting(method, PARAMETERS, 9, {1: 0.5})
    found = estimated(fitting, 1)
    assert found.equals(estimated(fitting, 3))
    rows = ROWS.sort("user_id")
    x = rows.get_column(MATRIX).to_numpy()
    treated, bought, fold = (rows.get_column(name).to_numpy() for name in ("treated", "bought", "fold"))
    expected = np.empty(400)
    for number in (0, 1):
        other, own = fold != number, fold == number
        if method == "transformed":
            z = bought * (treated - 0.5) / 0.25
            model = XGBRegressor(n_estimators=9, **PARAMETERS).fit(x[other], z[other])
            expected[own] = model.predict(x[own])
            continue
        chance = [
            XGBClassifier(n_estimators=9, **PARAMETERS)
            .fit(x[other & (treated == group)], bought[other & (treated == group)])
            .predict_proba(x[own])[:, 1]
            for group in (0, 1)
        ]
        expected[own] = chance[1] - chance[0]
    np.testing.assert_allclose(found["uplift"].to_numpy(), expected, atol=1e-6)
    assert found["group"].to_list() == ["t" if each else "control" for each in treated]


def test_beyond_memory_models_see_a_sample_and_everybody_is_estimated() -> None:
    whole, some = (estimated(Fitting("two_model", PARAMETERS, 9, {1: 0.5}, share), 2) for share in (1, 0.6))
    assert some["user_id"].equals(whole["user_id"])
    assert not some["uplift"].equals(whole["uplift"])
    assert some.equals(estimated(Fitting("two_model", PARAMETERS, 9, {1: 0.5}, 0.6), 3))
