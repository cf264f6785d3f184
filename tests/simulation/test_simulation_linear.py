"""A group's front where the champion is logistic regression: the same search, refits of the same kind."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.models.calibration import PLATT, Calibrator
from pozytywka_spark.models.linear_fit import fit_weighted
from pozytywka_spark.names import LABEL
from pozytywka_spark.simulation.bootstrap_models import Recipe, fit_replicate
from pozytywka_spark.simulation.levers import LEVERS
from pozytywka_spark.simulation.recommendations import Task, front_rows
from pozytywka_spark.simulation.segment import Model, Segment
from tests.worlds.ads_world import MONTHS, ORDER, SMALL, user_months

CALIBRATOR = Calibrator(PLATT, 0.9, 0.1)


@pytest.mark.thorough
def test_a_lines_front_gains_purchases_and_has_intervals() -> None:
    rows, now = user_months(1500, MONTHS), user_months(300, (date(2022, 7, 1),), seed=2)
    matrix, label = rows[list(ORDER)].to_numpy(), rows[LABEL].to_numpy()
    line = fit_weighted(matrix, label, np.ones(len(rows)), 0.01)
    table = pa.table({name: rows[name].to_numpy() for name in ("user_id", LABEL, *ORDER)})
    how = Recipe(0, {}, 0.01)
    refits = tuple(fit_replicate(table, how, ORDER, 7, number) for number in range(1, 5))
    chosen = replace_settings(rows=60, neighbours=200, population=12, generations=5, bootstrap=4)
    actionable = tuple(feature.name for feature in CATALOGUE if feature.actionable)
    model = Model(line, ORDER, CALIBRATOR)
    segment = Segment(now, LEVERS, model, actionable, chosen)
    found = front_rows(segment, Task(model, refits, actionable, chosen, 20.0), "all users", len(now))
    margins = line.margins(segment.matrix)
    expected = 1 / (1 + np.exp(-(0.9 * margins + 0.1)))
    np.testing.assert_allclose(model.probabilities(segment.matrix), expected)
    assert found[0]["changes"] == {}
    assert len(found) > 1
    for row in found[1:]:
        assert row["low"] < row["change"] < row["high"]
    best = max(found, key=lambda row: row["change"])
    assert best["change"] > 0
    assert best["changes"]


def replace_settings(**changes: int) -> object:
    return SMALL.model_copy(update=changes)
