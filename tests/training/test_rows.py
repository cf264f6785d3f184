"""Rows from files by tasks are those that Spark joins; a pinned version stays what it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.dataset.load_table import load
from pozytywka_spark.dataset.prepare import pin, spark_rows
from pozytywka_spark.dataset.table import SIDES
from pozytywka_spark.dataset.table_job import plan_rows, put_down
from pozytywka_spark.errors import LakeError
from pozytywka_spark.features.declared.catalogue import feature_order
from pozytywka_spark.lake import open_lake
from tests.jars import needed
from tests.worlds.known_hazard import hazard_rows, write_tables
from tests.worlds.trained import settings_in


@pytest.mark.parametrize("engine", ["delta-rs", pytest.param("delta-spark", marks=pytest.mark.jvm)])
def test_rows_equal_those_that_spark_joins_of_a_pinned_version(
    spark: SparkSession, tmp_path: Path, engine: str
) -> None:
    if engine == "delta-spark":
        needed("delta")
    settings = settings_in(tmp_path, f"lake.engine={engine}")
    lake, order = open_lake(settings, spark), feature_order(settings)
    write_tables(settings, lake, hazard_rows(order, users=80))
    pinned = pin(settings, lake)
    write_tables(settings, lake, hazard_rows(order, users=90, seed=2))
    with lake.tasks() as tasks:
        plan = plan_rows(pinned, settings, lake, tasks)
        prepared, staged = put_down(plan, settings, lake, tasks)
        table = load(staged, lambda parcels, columns: tasks.fetch(parcels).select(columns))
        again, _ = put_down(plan_rows(pin(settings, lake), settings, lake, tasks), settings, lake, tasks)
    expected = spark_rows(pinned, plan.split, settings, lake).orderBy("user_id", "month").toPandas()
    assert table.user_id.max() == 80
    assert table.user_id.tolist() == expected["user_id"].tolist()
    assert table.month.tolist() == expected["month"].tolist()
    assert [SIDES[side] for side in table.side] == expected["side"].tolist()
    assert table.label.tolist() == expected["label"].tolist()
    np.testing.assert_array_equal(table.matrix, expected[list(order)].to_numpy(np.float32))
    assert table.city is not None
    assert [table.cities[city] for city in table.city] == [
        "Radom" if user % 3 else "Gdynia" for user in expected["user_id"]
    ]
    assert again.inputs != prepared.inputs
    with pytest.raises(LakeError, match=r"no version 99[;:].* versions"):
        pin(settings, lake, {"features": 99, "labels": 0})
