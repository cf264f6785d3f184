"""Questions about the models' scores of a training table's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pozytywka_spark.dataset.subgroups import slices_of
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.errors import DataError
from pozytywka_spark.evaluation.evaluate import Rows, Sums, sums
from pozytywka_spark.models.booster import Matrix, Predictor
from pozytywka_spark.models.calibration import Calibrator, fit_calibrator, sigmoid
from pozytywka_spark.models.names import LOGISTIC, MAJORITY, XGBOOST
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.names import TEST, VALIDATION

if TYPE_CHECKING:
    import pandas as pd

UNCALIBRATED = "xgboost-uncalibrated"
STEPS = 10_000  # probabilities are told apart to a hundredth of a percent, as selection policies do
_ROWS_AT_ONCE = 50_000  # of 115 features: 46 MB as 64-bit floats


@dataclass(frozen=True)
class ChosenSums:
    """Of the model to register, on the test rows: sums by "slice: value", counts by probability."""

    slices: dict[str, Sums]
    counts: pd.DataFrame


def margins_of(table: TrainingTable, predictor: Predictor, features: tuple[str, ...]) -> Matrix:
    """Log-odds of each row."""
    places = _places(table, features)
    margins = np.empty(len(table))
    for start in range(0, len(table), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        margins[rows] = predictor.margins(table.matrix[rows, places])
    return margins


def scores_of(table: TrainingTable, model: ServingModel) -> Matrix:
    """The calibrated probability of each row."""
    return model.calibrator.apply(margins_of(table, model.predictor, model.features))


def calibrator_of(
    table: TrainingTable, predictor: Predictor, method: str, isotonic_positives: int
) -> Calibrator:
    """The calibrator of a predictor's margins, fitted on the validation side."""
    validation = table.of(VALIDATION)
    margins = margins_of(validation, predictor, table.order)
    return fit_calibrator(margins, validation.label, method, isotonic_positives)


def sums_by_model(
    table: TrainingTable, side: str, models: Mapping[str, ServingModel], seed: int, first: int, count: int
) -> dict[str, Sums]:
    """`evaluate.sums` by "model side", on the rows of that side.

    `models` by kind, logistic regression and trees, of the same features; both scores are calibrated.
    """
    rows = table.of(side)
    scores = _scores_by_name(rows, models)
    groups = {f"{name} {side}": Rows(rows.user_id, rows.label, score) for name, score in scores.items()}
    return sums(groups, seed, first, count)


def sums_of_chosen(
    table: TrainingTable, model: ServingModel, seed: int, first: int, count: int
) -> ChosenSums:
    """What the report says of the model to register."""
    test = table.of(TEST)
    score = scores_of(test, model)
    groups = by_slice(test, score)
    return ChosenSums(sums(groups, seed, first, count), histogram(test, score))


def by_slice(table: TrainingTable, score: Matrix) -> dict[str, Rows]:
    """The rows of each slice, by "slice: value"."""
    return {
        f"{name}: {value}": Rows(table.user_id[mine], table.label[mine], score[mine])
        for name, slice_ in slices_of(table).items()
        for value, mine in slice_.masks()
    }


def histogram(table: TrainingTable, score: Matrix) -> pd.DataFrame:
    """Grain month and step of probability: users, buyers, expected (sum of probabilities).

    At most 10,000 rows a month, whatever the number of users.
    """
    import pandas as pd

    months, month = np.unique(table.month.astype("datetime64[M]"), return_inverse=True)
    step = np.floor(score * STEPS).astype(np.int64)
    cells, cell = np.unique(month * (STEPS + 1) + step, return_inverse=True)
    return pd.DataFrame(
        {
            "month": months.astype(str)[cells // (STEPS + 1)],
            "step": cells % (STEPS + 1),
            "users": np.bincount(cell, minlength=len(cells)),
            "buyers": np.bincount(cell, table.label, len(cells)),
            "expected": np.bincount(cell, score, len(cells)),
        }
    )


def _scores_by_name(table: TrainingTable, models: Mapping[str, ServingModel]) -> dict[str, Matrix]:
    """Each model's score of each row: all that stand beside each other."""
    trees, line = models[XGBOOST], models[LOGISTIC]
    margins = margins_of(table, trees.predictor, trees.features)
    return {
        MAJORITY: np.full(len(table), trees.base_rate),
        LOGISTIC: scores_of(table, line),
        XGBOOST: trees.calibrator.apply(margins),
        UNCALIBRATED: sigmoid(margins),
    }


def _places(table: TrainingTable, features: tuple[str, ...]) -> slice | list[int]:
    """Where the features stand in the matrix. Raises `DataError` for one that isn't there."""
    if features == table.order:
        return slice(None)
    missing = [name for name in features if name not in table.order]
    if missing:
        raise DataError(f"the model's feature {missing[0]} is not among those of the training rows")
    return [table.order.index(name) for name in features]
