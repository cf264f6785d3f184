"""From cases and verdicts in the lake to decisions: built, watched, promoted, withdrawn by audits."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.factory.build import Asked, build
from pozytywka_spark.factory.decide import decide
from pozytywka_spark.factory.promote import promote, stop
from pozytywka_spark.factory.report import report
from pozytywka_spark.factory.states import read_states
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.schemas import CASES, FACTORY_BOOSTERS, FACTORY_MODELS, VERDICTS
from pozytywka_spark.schemas.fraud import signals_table

FIRST = date(2024, 1, 1)
SIGNALS = signals_table(["pace", "calm"])
BUILT = datetime(2024, 3, 21, tzinfo=UTC)
PROMOTED = datetime(2024, 4, 21, tzinfo=UTC)
END = datetime(2024, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Day:
    case: str
    user: int
    day: date
    pace: float
    bad: bool

    @property
    def opened(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC) + timedelta(days=1)


def days(first: int, last: int, each: int = 40, *, fallen: bool = False) -> list[Day]:
    rng = np.random.default_rng(first)
    made = []
    for number in range(first, last):
        for place in range(each):
            bad = bool(rng.random() < 0.5)
            pace = float(round(rng.normal()) + (9 if bad else 0))
            user = 1_000 * number + place
            truly = (bool(rng.random() < 0.5)) if fallen else bad
            made.append(Day(f"{user:032x}", user, FIRST + timedelta(days=number), pace, truly))
    return made


def put(lake: Lake, made: list[Day]) -> None:
    def month(day: date) -> date:
        return day.replace(day=1)

    cases = [
        {"case_id": d.case, "group": "pace", "accounts": [d.user], "day": d.day, "cut_off": d.opened,
         "opened_at": d.opened, "rules": ["fast"], "ring": None, "harm": 1.0, "month": month(d.day)}
        for d in made
    ]  # fmt: skip
    signals = [
        {"user_id": d.user, "day": d.day, "pace": d.pace, "calm": 0.5, "month": month(d.day),
         "user_bucket": 0}
        for d in made
    ]  # fmt: skip
    said = [
        {"case_id": d.case, "reviewer": "r1", "verdict": "bad" if d.bad else "ok",
         "decided_at": d.opened + timedelta(hours=1 + d.user % 30), "source": "person"}
        for d in made
    ]  # fmt: skip
    for rows, table in ((cases, CASES), (signals, SIGNALS), (said, VERDICTS)):
        lake.append(pa.Table.from_pylist(rows, schema=arrow_schema(table.schema)), table)


def erring(made: list[Day], every: int) -> list[Day]:
    """The same with one first verdict of so many wrong."""
    return [replace(d, bad=not d.bad) if place % every == 0 else d for place, d in enumerate(made)]


def look_again(lake: Lake, made: list[Day], at: datetime) -> None:
    """Two more people, who don't err, answer what they are asked of these."""
    truly = {d.case: "bad" if d.bad else "ok" for d in made}
    said = [
        {"case_id": case, "reviewer": reviewer, "verdict": truly[case], "decided_at": at, "source": "person"}
        for case in sorted({str(row["case_id"]) for row in table(lake, "second_looks")} & truly.keys())
        for reviewer in ("r2", "r3")
    ]
    lake.upsert(pa.Table.from_pylist(said, schema=arrow_schema(VERDICTS.schema)), VERDICTS)


def table(lake: Lake, name: str) -> list[dict[str, object]]:
    return lake.rows(name).to_pylist()


def test_from_shadow_to_live_to_withdrawn(spark: SparkSession, settings: Settings) -> None:
    lake = open_lake(settings, spark)
    put(lake, days(0, 80))
    with pytest.raises(UsageError, match="group nobody"):
        build(settings, lake, Asked(group="nobody", at=BUILT))
    first = build(settings, lake, Asked(at=BUILT))
    assert {(row["side"], row["state"]) for row in first.sides} == {
        ("refuse", "shadow"),
        ("approve", "shadow"),
    }
    assert all(row["precision_low"] >= 0.99 for row in first.sides)
    models = table(lake, "factory_models")
    assert build(settings, lake, Asked(at=BUILT)).unchanged
    assert table(lake, "factory_models") == models
    asked_again = table(lake, "second_looks")
    assert asked_again
    assert {row["looks"] for row in asked_again} == {3}

    assert not promote(settings, lake, "pace", "refuse", BUILT).is_done  # nothing fresh yet

    put(lake, days(80, 111))
    decide(settings, lake, PROMOTED)
    shadow = table(lake, "decisions")
    assert {row["mode"] for row in shadow} == {"shadow", "audit"}
    assert 0.05 < np.mean([row["mode"] == "audit" for row in shadow]) < 0.16
    decide(settings, lake, PROMOTED)
    assert len(table(lake, "decisions")) == len(shadow)  # once each

    after = PROMOTED + timedelta(days=2)
    assert promote(settings, lake, "pace", "refuse", after).is_done
    put(lake, days(113, 150, fallen=True))
    withdrawn = decide(settings, lake, END).withdrawn
    assert [(row["side"], row["state"]) for row in withdrawn] == [("refuse", "stopped")]
    later = [row for row in table(lake, "decisions") if row["decided_at"] >= after]
    live = [row for row in later if row["mode"] == "live"]
    assert live
    assert {row["decision"] for row in live} <= {"refuse", "person"}  # approve still watches
    assert all(row["release_at"] >= row["decided_at"] for row in live if row["decision"] == "refuse")
    delays = {row["release_at"] - row["decided_at"] for row in live if row["decision"] == "refuse"}
    assert delays <= {timedelta(hours=hours) for hours in range(1, 31)}

    assert decide(settings, lake, END).withdrawn == []
    with pytest.raises(UsageError, match="was stopped"):
        promote(settings, lake, "pace", "refuse", END)
    assert stop(settings, lake, "pace", "approve", END).row["state"] == "stopped"
    page = Path(report(settings, lake)).read_text(encoding="utf-8")
    assert "withdrawn" in page


def test_people_err_and_a_good_side_goes_live_and_stays(spark: SparkSession, settings: Settings) -> None:
    lake = open_lake(settings, spark)
    put(lake, days(0, 80))
    build_id = build(settings, lake, Asked(at=BUILT)).build_id
    of_build = len(table(lake, "second_looks"))
    fresh = days(80, 111)
    put(lake, erring(fresh, 30))
    decide(settings, lake, PROMOTED)
    after = PROMOTED + timedelta(days=2)
    first = promote(settings, lake, "pace", "refuse", after)
    asked = table(lake, "second_looks")[of_build:]
    looks = [row for row in table(lake, "second_looks") if row["asked_for"] == "watch"]
    assert len(asked) == len(looks) > 10
    assert not first.is_done
    waiting = f"0 of [0-9]+ fresh accounts wrong, {len(looks)} more wait for a second look"
    assert re.search(waiting, first.reason)
    decided = {row["case_id"]: row["decision"] for row in table(lake, "decisions")}
    said = {d.case: d.bad for d in erring(fresh, 30)}
    assert {row["case_id"] for row in looks} == {
        case for case, decision in decided.items() if decision == "refuse" and not said.get(case, True)
    }
    assert {(row["looks"], row["build_id"], row["requested_at"]) for row in looks} == {(3, build_id, after)}
    assert promote(settings, lake, "pace", "refuse", after) == first  # nothing new
    assert len(table(lake, "second_looks")) == of_build + len(looks)

    look_again(lake, fresh, after + timedelta(hours=1))
    later = after + timedelta(days=1)
    assert not promote(settings, lake, "pace", "refuse", after).is_done  # as of then nobody had looked
    live = promote(settings, lake, "pace", "refuse", later)
    assert live.is_done
    assert (live.row["wrong"], live.row["precision_low"] >= 0.99) == (0, True)

    audited = days(114, 150)
    put(lake, erring(audited, 8))
    report_of = decide(settings, lake, END)
    assert report_of.withdrawn == []  # one in eight, but by first verdicts alone
    asked_now = [row for row in table(lake, "second_looks") if row["requested_at"] == END]
    assert len(asked_now) == report_of.waiting > 0
    assert {row["build_id"] for row in asked_now} == {build_id}
    decide(settings, lake, END)
    assert len([row for row in table(lake, "second_looks") if row["requested_at"] == END]) == len(asked_now)
    page = Path(report(settings, lake)).read_text(encoding="utf-8")
    assert "wait for a second look" in page
    look_again(lake, erring(audited, 8), END + timedelta(hours=1))  # had they been right at first
    withdrawn = decide(settings, lake, END + timedelta(days=1)).withdrawn
    assert [row["side"] for row in withdrawn] == ["refuse"]


def test_features_that_changed_since_the_build_are_refused(spark: SparkSession, settings: Settings) -> None:
    lake = open_lake(settings, spark)
    put(lake, days(0, 80))
    build(settings, lake, Asked(at=BUILT))
    put(lake, days(80, 82))
    other = signals_table(["pace", "calm", "later"])
    lake.grow(other)
    with pytest.raises(DataError, match="features have changed since the build"):
        decide(settings, lake, PROMOTED)


def test_states_of_before_there_were_sources_are_read_and_go_on(
    spark: SparkSession, settings: Settings
) -> None:
    lake = open_lake(settings, spark)
    put(lake, days(0, 80))
    build(settings, lake, Asked(at=BUILT))
    first, whole = FACTORY_MODELS.schema.fields[:-1], table(lake, "factory_models")
    earlier = replace(FACTORY_MODELS, schema=StructType(first))
    of_table = [{**row, "build_id": "t"} for row in whole]
    columns = arrow_schema(earlier.schema)
    lake.overwrite(pa.Table.from_pylist([*whole, *of_table], schema=columns), earlier)
    booster = {"build_id": "t", "group": "pace", "inputs": json.dumps({"inputs": "a digest"})}
    row = {name: booster.get(name) for name in FACTORY_BOOSTERS.columns}
    lake.append(pa.Table.from_pylist([row], schema=arrow_schema(FACTORY_BOOSTERS.schema)), FACTORY_BOOSTERS)
    assert "source" not in table(lake, "factory_models")[0]
    sources = {(row["build_id"] == "t", row["source"]) for row in read_states(lake).rows}
    assert sources == {(True, "table"), (False, "lake")}
    stop(settings, lake, "pace", "refuse", BUILT)
    stopped = [row for row in table(lake, "factory_models") if row["state"] == "stopped"]
    assert [(row["build_id"] == "t", row["source"]) for row in stopped] == [(False, "lake")]
