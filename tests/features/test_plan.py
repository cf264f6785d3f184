"""What tasks are sent of the catalogue."""

from __future__ import annotations

import pickle

import polars as pl

from pozytywka_spark.features.build.plan import plan_of, sum_columns
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.values import Measure

SECONDS = Measure(
    name="seconds", aggregate=lambda: pl.col("length").sum(), level="session", arithmetic="sum of length"
)
NUMBER = Measure(name="number", aggregate=lambda: pl.len(), arithmetic="count of events")


def feature(name: str, *measures: Measure, months: int = 1) -> Feature:
    over, under = (each.over(months) if months > 1 else each for each in measures)
    return Feature(name=name, meaning=name, unit="s", kind="average", null="never null", value=over / under)


def test_measures_and_sums_stand_once_in_order_of_first_use() -> None:
    plan = plan_of(
        [
            feature("mean", SECONDS, NUMBER),
            feature("slow_mean", SECONDS, NUMBER, months=6),
            feature("other_mean", NUMBER, SECONDS, months=3),
            feature("same_again", SECONDS, NUMBER, months=6),
        ]
    )
    assert [(each.name, each.level) for each in plan.measures] == [
        ("seconds", "session"),
        ("number", "event"),
    ]
    assert plan.sums == (("seconds", 6), ("number", 6), ("number", 3), ("seconds", 3))
    assert sum_columns(plan) == ["seconds_over_6", "number_over_6", "number_over_3", "seconds_over_3"]
    assert [each.name for each in plan.features] == ["mean", "slow_mean", "other_mean", "same_again"]
    assert [each.name for each in plan.at("event", "gap")] == ["number"]


def test_a_plan_computes_the_same_after_it_was_sent() -> None:
    plan = pickle.loads(pickle.dumps(plan_of([feature("mean", SECONDS, NUMBER, months=3)])))
    seconds, number = plan.measures
    events = pl.DataFrame({"user_id": [1, 1, 2], "length": [4, 5, 6]})
    by_user = events.group_by("user_id", maintain_order=True).agg(
        seconds.made.alias(seconds.name), number.made.alias(number.name)
    )
    assert by_user.schema == {"user_id": pl.Int64, "seconds": pl.Int64, "number": pl.Int64}
    assert by_user.rows() == [(1, 9, 2), (2, 6, 1)]
    sums = by_user.rename({"seconds": "seconds_over_3", "number": "number_over_3"})
    made = sums.select(plan.features[0].made.alias("mean"))
    assert made.schema == {"mean": pl.Float64}
    assert made["mean"].to_list() == [4.5, 6.0]


def test_the_whole_catalogue_can_be_sent() -> None:
    plan = plan_of(CATALOGUE)
    sent = pickle.loads(pickle.dumps(plan))
    assert sent.sums == plan.sums
    for before, after in zip((*plan.measures, *plan.features), (*sent.measures, *sent.features), strict=True):
        assert (before.name, before.level) == (after.name, after.level)
        assert before.made.meta.eq(after.made)
