"""The gate over a training table: who is scored on what, against counting by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.questions import Here
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.errors import DataError, GuardError
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.promotion.gate import compare
from pozytywka_spark.promotion.gate_rows import sums_by_contender, weighed_rows

USERS, ORDER = 600, ("known", "noise")


@pytest.fixture(scope="module")
def table() -> TrainingTable:
    """Two months of test rows of each user and one of validation; `known` is the log-odds of the label."""
    drawn = np.random.default_rng(4)
    matrix = drawn.normal(size=(3 * USERS, 2)).astype(np.float32)
    matrix[:, 0] -= 1.5
    label = (drawn.random(3 * USERS) < 1 / (1 + np.exp(-matrix[:, 0]))).astype(float)
    months = np.array(["2022-12-01", "2023-01-01", "2023-02-01"], "datetime64[D]")
    return TrainingTable(
        order=ORDER,
        user_id=np.repeat(np.arange(1, USERS + 1), 3),
        month=np.tile(months, USERS),
        side=np.tile(np.array([1, 2, 2], np.uint8), USERS),
        label=label,
        matrix=matrix,
        city=(np.arange(3 * USERS) % 2).astype(np.uint8),
        cities=("Gdynia", "Radom"),
    )


def model(coefficients: tuple[float, float], **more: object) -> ServingModel:
    line = Linear((0.0, 0.0), (1.0, 1.0), coefficients, 0.0)
    known = ServingModel(line, ORDER, "c", "buys_within_30_days", 30, 0.2, trained_until="2022-12")
    return replace(known, **more)


GOOD, WEAK = model((1.0, 0.0), version=2), model((0.3, 1.0), version=1)


def test_the_better_one_is_promoted_and_the_worse_one_is_not(
    table: TrainingTable, settings: Settings
) -> None:
    won = compare(Here(table), WEAK, GOOD, settings)
    assert won.promote
    assert not compare(Here(table), GOOD, WEAK, settings).promote
    test = table.of("test")
    row = next(row for row in won.table if row["metric"] == "roc_auc")
    assert row["challenger"] == pytest.approx(roc_auc_score(test.label, test.matrix[:, 0]), rel=1e-12)
    assert row["champion"] == pytest.approx(
        roc_auc_score(test.label, 0.3 * test.matrix[:, 0].astype(float) + test.matrix[:, 1]), rel=1e-12
    )


def test_however_replicates_are_cut_the_decision_is_the_same(
    table: TrainingTable, settings: Settings
) -> None:
    assert compare(Here(table), WEAK, GOOD, settings, rows=10**7) == compare(
        Here(table), WEAK, GOOD, settings
    )


def test_a_slice_that_collapsed_is_seen(table: TrainingTable, settings: Settings) -> None:
    """In one city the challenger turns the ranking over."""
    turned = table.matrix.copy()
    turned[:, 1] = np.where(table.city == 0, 0.0, -2 * table.matrix[:, 0])
    found = compare(Here(replace(table, matrix=turned)), GOOD, model((1.0, 1.0)), settings)
    assert any(reason.startswith("slices collapsed: city: Radom from 0.7") for reason in found.reasons)
    told = next(reason for reason in found.reasons if reason.startswith("slices collapsed"))
    assert "Gdynia" not in told


def test_only_months_that_both_have_not_seen_count(table: TrainingTable) -> None:
    models = {"challenger": GOOD, "champion": WEAK}
    for seen, months in (("2022-12", 2), ("2023-01", 1), ("2023-02", 0)):
        found = sums_by_contender(table, models, seen, seed=1, first=0, count=1)
        rows = {name: sums["pos"][0] + sums["neg"][0] for name, sums in found.whole.items()}
        assert rows == (dict.fromkeys(models, months * USERS) if months else {})
        of_months = [name for name in found.slices if name.startswith("challenger month")]
        assert len(of_months) == months


def test_who_can_not_be_compared(table: TrainingTable, settings: Settings) -> None:
    asked = Here(table)
    late = compare(asked, replace(WEAK, trained_until="2031-01"), GOOD, settings)
    assert late.reasons == ("no rows after 2031-01, which both models have not seen, to compare them on",)
    other = compare(asked, replace(WEAK, catalogue_hash="another"), GOOD, settings)
    assert other.promote
    assert "another catalogue" in other.reasons[0]
    with pytest.raises(DataError, match="feature gone is not among"):
        compare(asked, WEAK, replace(GOOD, features=("known", "gone")), settings)


def test_models_of_different_labels_are_never_compared(table: TrainingTable, settings: Settings) -> None:
    champion = replace(WEAK, label="buys_within_60_days", version=8)
    found = compare(Here(table), champion, GOOD, settings)
    assert not found.promote
    assert found.reasons == (
        "champion 8 predicts buys_within_60_days, version 2 predicts buys_within_30_days: "
        "models of different labels are never compared",
    )
    assert "mlflow.model_name" in found.changes[0]
    label = settings.label.model_copy(update={"horizon_days": 60})
    with pytest.raises(GuardError, match="guard label"):
        compare(Here(table), GOOD, GOOD, settings.model_copy(update={"label": label}))


def test_the_digest_is_of_the_test_rows_whatever_their_order(table: TrainingTable) -> None:
    found = weighed_rows(table)
    assert found.rows == 2 * USERS
    assert weighed_rows(table.where(np.arange(len(table))[::-1])) == found
    turned = replace(table, order=ORDER[::-1], matrix=np.ascontiguousarray(table.matrix[:, ::-1]))
    assert weighed_rows(turned) == found
    validation = np.flatnonzero(table.side == 1)[0]
    for place, same in ((validation, True), (validation + 1, False)):
        label, matrix = table.label.copy(), table.matrix.copy()
        label[place] = 1 - label[place]
        matrix[place, 1] += 1
        for changed in (replace(table, label=label), replace(table, matrix=matrix)):
            assert (weighed_rows(changed) == found) is same
