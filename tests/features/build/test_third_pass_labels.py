"""Labels that the third job writes, of months built and older ones, and what guards want to look at."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import partial

import polars as pl
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.label_rows import added, count_labels, label_rows
from pozytywka_spark.features.build.suspicion_sample import CANDIDATES, OLDER
from pozytywka_spark.features.build.third_pass import (
    LABELS,
    ROWS,
    MakeFeatures,
    OlderLabels,
)
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.months import DAY_MICROS, start_micros
from tests.features.build.made_slices import LABEL, LABELS_AT, Lake
from tests.worlds.slice_world import (
    JANUARY,
    PLAN,
    made_world,
    months_of,
)


def test_labels_are_written_and_their_counts_told() -> None:
    world = made_world(1)
    lake = Lake(world, 2)
    lake.build(months_of(world))
    users = world.months.get_column("user_id").unique().sort()
    first = pl.DataFrame(
        {
            "user_id": users[:2],
            "purchased_at": [start_micros(JANUARY) + 45 * DAY_MICROS, start_micros(date(2024, 2, 20))],
        }
    )
    expected = label_rows(world.months.sort("month", "user_id"), first, LABELS_AT)
    assert_frame_equal(lake.table("labels").select(expected.columns).sort("month", "user_id"), expected)
    assert expected.get_column(LABEL).sum() > 0
    told = added(facts for each in lake.results for facts in each[LABELS])
    assert told == count_labels(expected, LABEL)
    rows = sum(each[ROWS].get("features", 0) for each in lake.results)
    assert rows == world.months.height


def test_labels_of_months_that_are_not_built_are_made_from_their_users() -> None:
    world = made_world(1)
    lake = Lake(world, 2)
    lake.build(months_of(world))
    labels = lake.table("labels").sort("month", "user_id")
    held: dict[tuple[date, int], list[DataFile]] = defaultdict(list)
    for month, bucket, file in lake.files["user_month"]:
        assert bucket is not None
        held[month, bucket].append(file)
    items = [OlderLabels(month, bucket, tuple(files)) for (month, bucket), files in held.items()]
    del lake.files["labels"]
    lake.results.clear()
    work = MakeFeatures(
        PLAN, (), None, (), lake.bought(), LABELS_AT, older_candidates=partial(_some, only=LABEL_KNOWN)
    )
    lake.run(work, items)
    assert_frame_equal(lake.table("labels").sort("month", "user_id"), labels)
    told = added(facts for each in lake.results for facts in each[LABELS])
    assert told == count_labels(labels, LABEL)
    staged = lake.tasks.files.staged(OLDER)[()]
    assert_frame_equal(
        staged.sort("month", "user_id"),
        labels.filter(pl.col(LABEL).is_not_null()).select("user_id", "month", pl.col(LABEL).alias("label")),
    )


def test_what_a_guard_wants_to_look_at_is_put_down() -> None:
    world = made_world(4)
    lake = Lake(world)
    lake.build(months_of(world), candidates=_labelled_features)
    staged = lake.tasks.files.staged(CANDIDATES)[()]
    features = lake.table("features").sort("month", "user_id")
    assert_frame_equal(
        staged.sort("month", "user_id").select(features.columns), features.select(features.columns)
    )
    assert "label" in staged.columns


LABEL_KNOWN = "known"


def _some(labelled: pl.DataFrame, *, only: str) -> pl.DataFrame:
    assert only == LABEL_KNOWN
    return labelled.drop_nulls("label")


def _labelled_features(labelled: pl.DataFrame, features: pl.DataFrame) -> pl.DataFrame:
    return labelled.join(features, on=["user_id", "month"])
