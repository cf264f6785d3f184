"""Tracks as numbers and back, with the ids that no catalogue knows."""

from chispa import assert_df_equality
from pyspark.sql import SparkSession

from pozytywka_spark.features.encoded import by_user, name_tracks, number_tracks

SCHEMA = "track_id string, user_id int"


def test_numbers_stand_for_known_tracks_and_unknown_ones_keep_their_id(spark: SparkSession) -> None:
    tracks = spark.createDataFrame([("a", 1), ("b", 2)], "track_id string, track int")
    rows = spark.createDataFrame([("b", 1), ("gone", 2), (None, 3)], SCHEMA)
    numbered = number_tracks(rows, tracks)
    expected = spark.createDataFrame(
        [(1, 2, None), (2, None, "gone"), (3, None, None)], "user_id int, track int, stray string"
    )
    assert_df_equality(numbered, expected, ignore_row_order=True, ignore_nullable=True)
    assert_df_equality(name_tracks(numbered, tracks), rows, ignore_row_order=True, ignore_nullable=True)


def test_a_users_rows_lie_in_one_partition(spark: SparkSession) -> None:
    rows = spark.range(200).selectExpr("id % 7 as user_id", "id")
    placed = by_user(rows).selectExpr("user_id", "spark_partition_id() as place").distinct()
    assert placed.count() == 7
