"""A first month whose data begin late is told, and neither trained nor evaluated on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.dataset.splits import MonthCount
from pozytywka_spark.features.declared.catalogue import feature_order
from pozytywka_spark.features.page.features_page import split_of
from pozytywka_spark.lake import open_lake
from pozytywka_spark.training import log_training
from tests.worlds.known_hazard import FIRST, hazard_rows, write_tables
from tests.worlds.trained import prepared_of, settings_in


def test_the_first_month_is_left_out_if_its_data_begin_late(spark: SparkSession, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lake, order = open_lake(settings, spark), feature_order(settings)
    rows = hazard_rows(order, users=120)
    write_tables(settings, lake, rows)
    table = schemas.labels_table(settings.label.horizon_column)
    late = lake.read("labels").withColumns({"complete": F.col("month") > F.lit(FIRST)})
    lake.overwrite(late, table)

    prepared = prepared_of(settings, lake)
    of_first = rows[rows["month"] == FIRST]
    assert prepared.left_out == (MonthCount(FIRST, len(of_first), int(of_first["buys"].sum())),)
    assert prepared.split.train[0] == date(2022, 2, 1)
    assert log_training.notes(prepared, settings)[0] == (
        "2022-01 is left out with its 120 rows: the data don't cover it "
        "(training.incomplete_months=true takes it in)"
    )
    taken = settings_in(tmp_path, "training.incomplete_months=true")
    assert prepared_of(taken, lake).split.train[0] == FIRST
    before = lake.read("labels").drop("complete")  # of a release that didn't tell
    lake.overwrite(before, schemas.Table("labels", before.schema, table.keys, table.partition_by))
    assert prepared_of(settings, lake).split.train[0] == FIRST


def test_the_features_report_draws_the_split_that_training_makes(tmp_path: Path) -> None:
    months = [date(2022, month, 1) for month in range(1, 10)]
    counts = [{"month": month, "rows": 9, "mature": 9, "complete": month > FIRST} for month in months]
    assert next(iter(split_of(counts, settings_in(tmp_path)))) == date(2022, 2, 1)
    taken = settings_in(tmp_path, "training.incomplete_months=true")
    assert next(iter(split_of(counts, taken))) == FIRST
