"""Decisions of a side that was stopped are held back, but for those that were released before."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.moderation.decided import not_held_back
from pozytywka_spark.moderation.queue import write_queue
from pozytywka_spark.moderation.run import run
from pozytywka_spark.months import as_micros
from tests.moderation.world import case, day, put

MODELS = {
    "build_id": pl.String,
    "group": pl.String,
    "side": pl.String,
    "state": pl.String,
    "effective_at": pl.Int64,
}
DECISIONS = {
    "case_id": pl.String,
    "group": pl.String,
    "build_id": pl.String,
    "decision": pl.String,
    "mode": pl.String,
    "release_at": pl.Int64,
}


def due(decisions: list[tuple], models: list[tuple]) -> list[str]:
    rows = not_held_back(
        pl.DataFrame(decisions, schema=DECISIONS, orient="row"),
        pl.DataFrame(models, schema=MODELS, orient="row"),
    )
    return rows["case_id"].to_list()


def test_only_what_was_due_before_its_own_side_was_stopped_is_carried_out() -> None:
    decisions = [
        ("before", "pace", "b1", "refuse", "live", 9),
        ("as it stops", "pace", "b1", "refuse", "live", 10),
        ("after", "pace", "b1", "refuse", "live", 11),
        ("other side", "pace", "b1", "approve", "live", 11),
        ("other build", "pace", "b2", "refuse", "live", 11),
        ("other group", "skips", "b1", "refuse", "live", 11),
        ("a person's", "pace", "b1", "person", "live", None),
    ]
    models = [
        ("b1", "pace", "refuse", "shadow", 1),
        ("b1", "pace", "refuse", "live", 2),
        ("b1", "pace", "refuse", "stopped", 10),
        ("b1", "pace", "approve", "live", 2),
    ]
    expected = ["before", "other side", "other build", "other group", "a person's"]
    assert due(decisions, models) == expected
    assert due(decisions, models[:2]) == [row[0] for row in decisions]
    assert due(decisions, []) == [row[0] for row in decisions]


@pytest.mark.thorough
@given(
    releases=st.lists(st.integers(0, 20), max_size=8),
    stops=st.lists(st.integers(0, 20), max_size=3),
    moment=st.integers(0, 20),
)
def test_a_later_stop_changes_nothing_that_was_carried_out_by_then(releases, stops, moment) -> None:
    decisions = [(f"c{n}", "pace", "b1", "refuse", "live", when) for n, when in enumerate(releases)]
    models = [("b1", "pace", "refuse", "stopped", when) for when in stops]
    by_then = {row[0] for row in decisions if row[5] <= moment}
    known = [row for row in models if row[4] <= moment]
    assert set(due(decisions, models)) & by_then == set(due(decisions, known)) & by_then


def test_a_stop_holds_back_what_is_not_yet_released_and_people_are_asked(
    spark: SparkSession, settings: Settings
) -> None:
    lake = open_lake(settings, spark)
    put(lake, schemas.CASES, *(case(name, user, 0) for user, name in enumerate(("early", "late"), 1)))
    put(
        lake,
        schemas.DECISIONS,
        *(
            {"case_id": name, "group": "pace", "decision": "refuse", "mode": "live", "score": 0.9,
             "decided_at": day(1), "release_at": day(when), "build_id": "b1"}
            for name, when in (("early", 2), ("late", 6))
        ),
    )  # fmt: skip
    live = {"build_id": "b1", "group": "pace", "side": "refuse", "state": "live", "effective_at": day(0)}
    put(lake, schemas.FACTORY_MODELS, live)
    out = f"{settings.home}/queue.jsonl"
    assert write_queue(lake, out) == 0
    run(settings, lake, as_micros(day(3)), asked=True)
    put(lake, schemas.FACTORY_MODELS, {**live, "state": "stopped", "effective_at": day(4)})
    run(settings, lake, as_micros(day(30)), asked=True)
    assert [(row["case_id"], row["cause"]) for row in lake.rows("releases").to_pylist()] == [
        ("early", "model")
    ]
    assert [row["user_id"] for row in lake.rows("fouls").to_pylist()] == [1]
    assert write_queue(lake, out) == 1
