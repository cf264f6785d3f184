"""The scores that uplift is compared with are a ranking only if they are of one label."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.experiments.uplift.rows import _scores

MAY, JUNE = date(2023, 5, 1), date(2023, 6, 1)


@dataclass
class Shelf:
    """A lake with predictions only."""

    predictions: DataFrame

    def exists(self, name: str) -> bool:
        return name == "predictions"

    def read(self, name: str) -> DataFrame:
        return self.predictions


@pytest.mark.parametrize(
    ("labels", "scored"),
    [(("of_30", "of_30"), 2), ((None, "of_30"), 2), (("of_60", "of_30"), 0), ((None, None), 2)],
)
def test_margins_for_different_labels_are_no_ranking(
    spark: SparkSession, labels: tuple[str | None, str | None], scored: int
) -> None:
    rows = spark.createDataFrame([(1, MAY), (2, JUNE)], "user_id bigint, month date")
    predictions = spark.createDataFrame(
        [(1, MAY, 0.5, 1, "of_7"), (1, MAY, 0.6, 2, labels[0]), (2, JUNE, 0.7, 3, labels[1])],
        "user_id bigint, month date, margin double, model_version int, label string",
    )
    found = _scores(Shelf(predictions), rows)
    assert found.columns == ["user_id", "month", "score"]
    assert sorted(row.score for row in found.collect()) == [0.6, 0.7][:scored]
    if labels == (None, None):  # as an older release wrote it
        assert _scores(Shelf(predictions.drop("label")), rows).count() == scored
