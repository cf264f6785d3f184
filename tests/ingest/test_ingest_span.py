"""Stray clocks through ingest: told, drawn, recorded, and none of the data's end."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Data, Settings
from pozytywka_spark.features.stage import build_features
from pozytywka_spark.ingest import stage
from pozytywka_spark.ingest.quality.data_span_findings import caption, days_chart, span_findings, spanned
from pozytywka_spark.lake import open_lake
from tests.worlds.deliveries import at, rows_in, sessions, users, write
from tests.worlds.histories import some_features

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"
DAYS = {date(2023, 1, 1 + n): 100 for n in range(31)} | {date(2023, 2, n): 90 for n in range(1, 29)}


@pytest.mark.parametrize(
    ("strays", "expected"),
    [
        ({}, [("ok", 0), ("ok", 0)]),
        ({date(2023, 3, 1): 2}, [("ok", 0), ("info", 2)]),
        ({date(2023, 3, 2): 2}, [("ok", 0), ("warn", 2)]),
        ({date(2022, 12, 31): 3, date(2031, 5, 5): 1}, [("info", 3), ("warn", 1)]),
        ({date(1970, 1, 1): 300, date(2001, 5, 5): 1}, [("warn", 301), ("ok", 0)]),
    ],
)
def test_what_lies_more_than_a_day_outside_is_a_warning(
    strays: dict[date, int], expected: list[tuple[str, int]]
) -> None:
    seen = spanned(DAYS | strays, Data())
    assert seen is not None
    found = span_findings(seen)
    assert [(f.severity, f.rows) for f in found] == expected
    assert ["data.start=" in found[0].meaning, "data.end=" in found[1].meaning] == [True, True]
    assert seen.thin == set(strays)
    bars = [bar for bar in days_chart(seen).bars if bar.high]
    near = [day for day in strays if date(2022, 12, 1) < day < date(2023, 4, 1)]
    assert len(bars) == len(DAYS) + len(near), "a stray decades away doesn't stretch the figure"
    assert ("Not drawn" in caption(seen)) == (len(near) < len(strays))


def test_without_events_there_is_no_span() -> None:
    assert spanned({}, Data()) is None


def test_a_delivery_with_stray_clocks_tells_and_records_its_span(
    spark: SparkSession, settings: Settings, tmp_path: Path
) -> None:
    raw, lake = tmp_path / "raw", open_lake(settings, spark)
    rows = [
        row for row in sessions(60) if row["timestamp"] >= "2023-01-31"
    ]  # begun on the 30th, late at night
    for time in ("2025-05-05T10:00:00", "2001-05-05T10:00:00"):
        rows.append(rows[0] | {"timestamp": time, "session_id": 9000})
    write(raw / "sessions.jsonl", rows)
    write(raw / "users.jsonl", users())
    report = stage.ingest(spark, at(settings, raw), lake)
    assert report.span is not None
    days = sorted(row["timestamp"][:10] for row in rows[:-2])
    assert report.span.described() == (
        f"data from {days[0]} to {days[-1]} (1 event on 1 day before, 1 event on 1 day after are outside)"
    )
    told = {f.check: (f.severity, f.rows) for f in report.findings if "the data's" in f.check}
    assert told == {"before the data's start": ("warn", 1), "after the data's end": ("warn", 1)}
    history = next(f for f in report.findings if f.check == "months of history")
    assert history.rows == len({day[:7] for day in days})
    row = rows_in(lake, "data_span")[0]
    assert (row["stage"], row["first_event"], row["last_event"]) == (
        "ingest", date(2001, 5, 5), date(2025, 5, 5),
    )  # fmt: skip
    assert {each["day"].isoformat() for each in row["days"]} == {each["timestamp"][:10] for each in rows}
    assert "Events of each day" in Path(report.page or "").read_text(encoding="utf-8")
    version = lake.version("data_span")
    again = stage.ingest(spark, at(settings, raw), lake)
    assert (again.ingest_id, again.span) == (None, report.span)
    assert lake.version("data_span") == version


@pytest.mark.parametrize("stray", ["2031-05-05T10:00:00", "2001-05-05T10:00:00"])
def test_one_stray_clock_makes_no_month_mature(
    spark: SparkSession, settings: Settings, tmp_path: Path, stray: str
) -> None:
    if not CASES.is_dir():
        pytest.skip(f"the odd deliveries {CASES} are not on this machine")
    raw, case = tmp_path / "raw", CASES / "stray-clock"
    raw.mkdir()
    for file in case.iterdir():
        lines = file.read_text(encoding="utf-8").splitlines()
        odd = [line for line in lines if '"2031-' in line]
        kept = [line for line in lines if line not in odd]
        moved = [line.replace(json.loads(line)["timestamp"], stray) for line in odd]
        (raw / file.name).write_text("\n".join([*kept, *moved]) + "\n", encoding="utf-8")
    chosen = at(settings, raw)
    chosen = chosen.model_copy(update={"guards": chosen.guards.model_copy(update={"perturbation": False})})
    lake = open_lake(chosen, spark)
    assert stage.ingest(spark, chosen, lake).span is not None
    report = build_features(spark, chosen, lake, features=some_features()[:30])
    assert (report.span.start.date(), report.span.end.date()) == (date(2023, 1, 5), date(2023, 3, 24))
    assert list(report.months) == [date(2023, month, 1) for month in (1, 2, 3)]
    assert [row["mature"] > 0 for row in report.labels] == [True, False, False]
    assert [row["complete"] for row in report.labels] == [False, True, False]
    assert {row["month"] for row in lake.rows("features", ["month"]).to_pylist()} == set(report.months)
