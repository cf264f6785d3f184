"""Column statistics and logistic regression against pandas, scikit-learn and what Spark ML used to find."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from pozytywka_spark.config import load_settings
from pozytywka_spark.dataset.questions import Here
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.errors import DataError
from pozytywka_spark.models import linear_fit
from pozytywka_spark.models.linear_fit import column_statistics, fit_weighted
from pozytywka_spark.training.linear import as_linear, fit_logistic
from tests.worlds.known_hazard import hazard_rows, training_table
from tests.worlds.trained import settings_in

NAMES = ("a", "b", "constant", "unknown")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    drawn = np.random.default_rng(0)
    rows = pd.DataFrame({"a": drawn.normal(1e6, 2, 600), "b": drawn.exponential(3, 600)})
    rows["label"] = (drawn.random(600) < 1 / (1 + np.exp(-(rows["a"] - 1e6) + 0.5))).astype(float)
    rows.loc[::7, "b"] = np.nan
    rows["constant"], rows["unknown"] = 3.0, np.nan
    rows["side"] = np.where(np.arange(600) < 450, "train", "test")
    # a table holds 32-bit floats
    return rows.assign(**{name: rows[name].astype(np.float32).astype(float) for name in NAMES})


def as_table(frame: pd.DataFrame, order: tuple[str, ...] = NAMES) -> TrainingTable:
    return TrainingTable(
        order=order,
        user_id=np.arange(len(frame)),
        month=np.full(len(frame), "2022-01-01", "datetime64[D]"),
        side=np.where(frame["side"] == "train", 0, 2).astype(np.uint8),
        label=frame["label"].to_numpy(),
        matrix=frame[list(order)].to_numpy(np.float32),
    )


def test_statistics_equal_pandas(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_fit, "_CHUNK", 130)  # several chunks
    found = column_statistics(as_table(frame).matrix, np.ones(len(frame)))
    columns = frame[["a", "b"]]
    np.testing.assert_array_equal(found.varies, [True, True, False, False])
    np.testing.assert_allclose(found.means[:2], columns.mean(), rtol=1e-14)
    np.testing.assert_allclose(found.scales[:2], columns.std(), rtol=1e-10)  # far from zero: no cancelling


def test_a_row_of_weight_two_stands_for_two_and_of_none_for_none(frame: pd.DataFrame) -> None:
    drawn = np.random.default_rng(1).poisson(1, len(frame)).astype(float)
    repeated = frame.loc[frame.index.repeat(drawn.astype(int))]
    once = fit_weighted(as_table(frame).matrix, frame["label"].to_numpy(), drawn, 0.01)
    again = fit_weighted(
        as_table(repeated).matrix, repeated["label"].to_numpy(), np.ones(len(repeated)), 0.01
    )
    np.testing.assert_allclose(once.coefficients, again.coefficients, rtol=1e-9)
    np.testing.assert_allclose((*once.means, *once.scales), (*again.means, *again.scales), rtol=1e-12)


def test_equals_scikit_learn_with_train_fitted_statistics(frame: pd.DataFrame, tmp_path: Path) -> None:
    settings = load_settings("local", [f"home={tmp_path}"])
    fitted = fit_logistic(as_table(frame), settings)
    assert fitted.order == ("a", "b")
    assert fitted.left_out == ("constant", "unknown")
    train = frame[frame["side"] == "train"]
    scaled = ((frame[["a", "b"]] - train[["a", "b"]].mean()) / train[["a", "b"]].std()).fillna(0)
    # ours is the mean loss plus reg_param/2 |w|², scikit-learn's C times the sum plus |w|²/2
    strength = 1 / (settings.training.logistic_reg_param * len(train))
    oracle = LogisticRegression(C=strength, tol=1e-10, max_iter=1000)
    oracle.fit(scaled[frame["side"] == "train"], train["label"])
    np.testing.assert_allclose(fitted.coefficients, oracle.coef_[0], rtol=1e-5)
    order = ("unknown", "b", "constant", "a")  # what serves takes the left out ones too, in any order
    serving = as_linear(fitted, order)
    margins = serving.margins(frame[list(order)].to_numpy())
    np.testing.assert_allclose(1 / (1 + np.exp(-margins)), oracle.predict_proba(scaled)[:, 1], atol=1e-6)
    by_hand = scaled.to_numpy() @ np.array(fitted.coefficients) + fitted.intercept
    np.testing.assert_allclose(margins, by_hand, atol=1e-9)


# What Spark ML fitted on these rows, whose features were doubles, before scikit-learn did
COEFFICIENTS = (
    0.0727264,
    -0.0509659,
    -0.0310049,
    0.0456623,
    0.0005271,
    0.5597158,
    -0.0541291,
    0.0059396,
    0.0008611,
)
INTERCEPT = -2.0254665


@pytest.mark.thorough
def test_finds_what_spark_ml_found(tmp_path: Path) -> None:
    order = tuple(f"x{place}" for place in range(9))
    table = training_table(hazard_rows(order, users=600), order)
    fitted = fit_logistic(table, settings_in(tmp_path))
    np.testing.assert_allclose(fitted.coefficients, COEFFICIENTS, atol=1e-5)
    assert fitted.intercept == pytest.approx(INTERCEPT, abs=1e-5)


def test_large_tables_are_fitted_with_less_memory_to_fewer_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = tuple(f"x{place}" for place in range(9))
    table = training_table(hazard_rows(order, users=600), order)
    exact = fit_logistic(table, settings_in(tmp_path))
    monkeypatch.setattr(linear_fit, "_CELLS_TO_COPY", 10)
    found = fit_logistic(table, settings_in(tmp_path))
    assert found.coefficients != exact.coefficients
    np.testing.assert_allclose(found.coefficients, exact.coefficients, atol=1e-6)


def test_a_fit_that_begins_with_few_rows_ends_where_one_of_all_does(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix, label = frame[["a", "b"]].to_numpy(), frame["label"].to_numpy()
    weight = np.random.default_rng(3).integers(0, 4, len(label)).astype(float)
    none_among_few = np.where((np.arange(len(label)) % 8 == 0) & (label == 1), 0.0, weight)
    taught: list[int] = []
    fit = LogisticRegression.fit

    def watched(self: LogisticRegression, rows: np.ndarray, *args: object, **named: object) -> object:
        taught.append(len(rows))
        return fit(self, rows, *args, **named)

    monkeypatch.setattr(LogisticRegression, "fit", watched)
    at_once = [fit_weighted(matrix, label, each, 0.01) for each in (weight, none_among_few)]
    monkeypatch.setattr(linear_fit, "_MANY", 600)
    in_two = [fit_weighted(matrix, label, each, 0.01) for each in (weight, none_among_few)]
    assert taught == [600, 600, 75, 600, 600]
    for once, twice in zip(at_once, in_two, strict=True):
        assert twice.means == once.means
        np.testing.assert_allclose(twice.coefficients, once.coefficients, rtol=1e-9)
        assert twice.intercept == pytest.approx(once.intercept, rel=1e-9)
    assert in_two[1] == at_once[1]


def test_the_same_rows_give_the_same_bits(tmp_path: Path) -> None:
    order = tuple(f"x{place}" for place in range(9))
    table = training_table(hazard_rows(order, users=300), order)
    asked, question = Here(table), partial(fit_logistic, settings=settings_in(tmp_path))
    first, again = asked.ask([question, question])
    assert first == again
    other_sides = replace(table, matrix=np.where((table.side == 0)[:, None], table.matrix, 99).astype("f4"))
    assert fit_logistic(other_sides, settings_in(tmp_path)) == first


def test_nothing_that_varies_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no feature varies"):
        fit_logistic(as_table(frame, ("constant", "unknown")), load_settings("local", [f"home={tmp_path}"]))
