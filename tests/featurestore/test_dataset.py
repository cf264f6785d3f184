"""Data sets from a real lake: beside a brute-force join, made again, after kills, and refused."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import TrackingError, UsageError
from pozytywka_spark.featurestore import champion
from pozytywka_spark.featurestore.dataset import make_again, make_dataset
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.lake import run_tasks
from tests.featurestore.histories import edges
from tests.featurestore.made_datasets import MONTHS, asked, files_in, read, small_lake, spine_at
from tests.featurestore.small_lake import MODEL, month


def brute_force(
    table: pa.Table, spine: pl.DataFrame, names: Sequence[str], delay_hours: float = 0.0
) -> pl.DataFrame:
    """All pairs of a row asked for and one known by then; of each the newest, while younger than 62 days.

    DuckDB finds the rows, which are taken from the table as they are: on its way a negative zero is lost.
    """
    delay = round(delay_hours * 3.6e9)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        places = table.append_column("place", pa.array(range(table.num_rows)))
        connection.register("places", places.select(["user_id", "month", "place"]))
        connection.register("spine", spine.to_arrow())
        answered = connection.sql(
            f"""
            with known_rows as (
                select *, ((month + interval 1 month)::timestamp + to_microseconds({delay}))
                    at time zone 'UTC' as known
                from places
            ), pairs as (
                select note, as_of, k.*
                from spine join known_rows k on spine.user_id = k.user_id and known <= as_of
            ), newest as (
                select * from pairs qualify row_number() over (partition by note order by known desc) = 1
            )
            select known, case when status = 'present' then place end as place, status from (
                select spine.note, place, known, case
                    when known is null then 'missing'
                    when spine.as_of - known < interval 62 days then 'present' else 'expired' end as status
                from spine left join newest using (note, as_of)
            ) order by note
            """
        ).to_arrow_table()
    values = pl.DataFrame(table.select(list(names)).take(answered.column("place")))
    return values.with_columns(pl.DataFrame(answered).select("known", "status"))


def values_that_differ(one: pl.DataFrame, other: pl.DataFrame, names: Sequence[str]) -> int:
    """Of all values, by their bits; nulls are equal to nulls alone."""
    differ = 0
    for name in names:
        nulls = one[name].is_null().to_numpy(), other[name].is_null().to_numpy()
        bits = [frame[name].fill_null(0.0).to_numpy().view(np.int64) for frame in (one, other)]
        differ += int(((nulls[0] != nulls[1]) | (bits[0] != bits[1])).sum())
    return differ


def test_twenty_thousand_rows_beside_a_brute_force_join(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_tasks, "INLINE_BYTES", 0)  # by Spark's tasks, few as the rows are
    small = small_lake(spark, tmp_path)
    dice = random.Random(1)
    small.put_features({each: dice.sample(range(60), 40) for each in MONTHS})
    moments = edges(MONTHS, 62)
    spine = asked([(dice.randrange(70), dice.choice(moments)) for _ in range(20_000)])
    place = spine_at(tmp_path / "spine.parquet", spine)
    made = make_dataset(small.settings, small.lake, place, str(tmp_path / "out"), views=["user_month"])
    rows, names = read(made), declared_of(small.settings).view("user_month").names
    oracle = brute_force(small.lake.rows("features"), spine, names)
    assert rows.columns == [
        *spine.columns,
        *names,
        *(f"user_month__{n}" for n in ("known_at", "status", "version")),
    ]
    assert rows.select(spine.columns).equals(spine)
    assert values_that_differ(rows, oracle, names) == 0
    assert rows["user_month__known_at"].equals(oracle["known"].rename("user_month__known_at"))
    assert rows["user_month__status"].to_list() == oracle["status"].to_list()
    assert not (rows["user_month__known_at"] > rows["as_of"]).any()
    assert set(rows["user_month__version"].unique()) == {None, small.lake.version("features")}
    counts = rows["user_month__status"].value_counts()
    assert made.manifest.statuses == {"user_month": dict(counts.rows())}
    assert min(dict(counts.rows()).values()) > 1000

    # all that came later is torn out of the lake: who asked before can't tell
    torn_at = moments[len(MONTHS) // 2 * 3 + 1]
    before = spine.filter(pl.col("as_of") < torn_at)
    small.put_features({each: [] for each in MONTHS[len(MONTHS) // 2 :]})
    place = spine_at(tmp_path / "before.parquet", before)
    made = make_dataset(small.settings, small.lake, place, str(tmp_path / "torn"), views=["user_month"])
    assert values_that_differ(read(made), rows.filter(pl.col("as_of") < torn_at), names) == 0
    assert before.height > 5000


@pytest.mark.jvm
def test_the_other_engine_makes_the_same_data_set(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path, "delta-spark")
    small.put_plays({MONTHS[0]: {"a": 1, "b": 2}, MONTHS[1]: {"a": 4}})
    spine = asked([(track, as_of) for as_of in edges(MONTHS[:1], None) for track in "abc"], "track_id")
    place = spine_at(tmp_path / "spine.parquet", spine)
    made = make_dataset(small.settings, small.lake, place, str(tmp_path / "out"), views=["track_popularity"])
    assert read(made)["plays_1_month"].to_list() == [None, None, None, 1.0, 2.0, None, 1.0, 2.0, None]
    # from the same files, the first engine's way
    usual = small_lake(spark, tmp_path)
    make_again(usual.settings, usual.lake, made.manifest_path, str(tmp_path / "again"))
    assert files_in(tmp_path / "again") == files_in(tmp_path / "out")


def test_a_late_delivery_is_known_late(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path, "delta-rs", "featurestore.delay_hours=36")
    small.put_features({each: range(5) for each in MONTHS[:2]})
    spine = asked([(user, as_of) for as_of in edges(MONTHS[:2], 62, 36) for user in range(6)])
    place = spine_at(tmp_path / "spine.parquet", spine)
    made = make_dataset(small.settings, small.lake, place, str(tmp_path / "out"), views=["user_month"])
    rows, names = read(made), declared_of(small.settings).view("user_month").names
    oracle = brute_force(small.lake.rows("features"), spine, names, 36)
    assert values_that_differ(rows, oracle, names) == 0
    assert rows["user_month__status"].to_list() == oracle["status"].to_list()
    # made again it keeps the delay of then, whatever the settings say now
    usual = load_settings("local", [f"home={tmp_path}"])
    make_again(usual, small.lake, made.manifest_path, str(tmp_path / "again"))
    assert files_in(tmp_path / "again") == files_in(tmp_path / "out")


def test_a_service_of_tracks(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    small.put_plays({month(0): {"a": 1, "b": 2}, month(2): {"a": 4}, month(14): {"c": 9}})
    small.put_tracks({"a": None, "c": "x"})
    at = [
        datetime(2023, 2, 1, tzinfo=UTC),
        datetime(2023, 4, 1, tzinfo=UTC),
        datetime(2024, 4, 3, tzinfo=UTC),
    ]
    spine = asked([(track, moment) for moment in at for track in ("a", "b", "c")], "track_id")
    place = spine_at(tmp_path / "spine.parquet", spine)
    out = str(tmp_path / "out")
    with pytest.raises(UsageError, match=r"track_profile is a snapshot.*--allow-snapshot"):
        make_dataset(small.settings, small.lake, place, out, service="feed")
    made = make_dataset(small.settings, small.lake, place, out, service="feed", allow_snapshot=True)
    rows = read(made)
    plays = rows.select(
        "plays_1_month", "plays_3_months", "plays_12_months", "track_popularity__status"
    ).rows()
    assert plays == [
        (1, 1, 1, "present"),
        (2, 2, 2, "present"),
        (None, None, None, "missing"),
        (4, 5, 5, "present"),
        (0, 2, 2, "present"),
        (None, None, None, "missing"),
        (0, 0, 4, "present"),
        (None, None, None, "expired"),  # three months ago were the last twelve months with a play
        (9, 9, 9, "present"),
    ]
    tracks = {row["id"]: row for row in small.lake.rows("tracks").to_pylist()}
    assert rows["track_profile__status"].to_list() == ["present", "missing", "present"] * 3
    assert rows["duration_ms"].to_list() == [tracks["a"]["duration_ms"], None, tracks["c"]["duration_ms"]] * 3
    assert list(made.manifest.statuses) == ["track_popularity", "track_profile"]


def test_scores_are_the_champions_of_then(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = small_lake(spark, tmp_path)
    small.put_predictions(range(4), month(0))
    small.put_predictions(range(4), month(0), version=MODEL[1] + 1)
    place = spine_at(
        tmp_path / "spine.csv", asked([(user, datetime(2023, 2, 1, tzinfo=UTC)) for user in range(5)])
    )
    monkeypatch.setattr(champion, "champion_of", lambda settings: None)
    with pytest.raises(TrackingError, match="no model is the champion"):
        make_dataset(small.settings, small.lake, place, str(tmp_path / "out"), views=["user_score"])
    monkeypatch.setattr(champion, "champion_of", lambda settings: MODEL)
    made = make_dataset(small.settings, small.lake, place, str(tmp_path / "out"), views=["user_score"])
    rows = read(made)
    assert rows["model_version"].to_list() == [3.0] * 4 + [None]
    assert rows.schema["user_id"] == pl.Int64
    assert rows.schema["note"] == pl.String
    monkeypatch.setattr(champion, "champion_of", lambda settings: (MODEL[0], MODEL[1] + 1))
    make_again(small.settings, small.lake, made.folder, str(tmp_path / "again"))
    assert files_in(tmp_path / "again") == files_in(tmp_path / "out")
