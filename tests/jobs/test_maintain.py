"""The job `maintain` on lakes of this release and of the last, and what other jobs say of the latter."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import load_settings
from pozytywka_spark.doctor import stores
from pozytywka_spark.doctor.findings import Finding
from pozytywka_spark.doctor.stage import examine
from pozytywka_spark.hashing import identity_spark
from pozytywka_spark.lake import open_any_lake, open_lake
from pozytywka_spark.schemas import EVENTS, table
from tests.running import run

OLD = table(
    "events",
    "event_id string, event_time timestamp, event_type string, user_id bigint, session_id bigint, "
    "track_id string, repaired boolean, repair_reason string, event_month date",
    keys=["event_id"],
    partition_by=["event_month"],
)
AT, MONTH = datetime(2023, 1, 3, 5, 9, 55, tzinfo=UTC), date(2023, 1, 1)
ROWS = [
    ("4b322c16dcdcf1640eb723ceba07d9b2", AT, "PLAY", 101, 7, "5vxyzABCDEF0123456789a", False, None, MONTH),
    ("7c2d65a4b6bb5811f8c8dde70320a28f", AT, "SKIP", 101, 7, "5vxyzABCDEF0123456789a", False, None, MONTH),
]
REFUSED = "table events has the layout of an older release; bring it up to date with: maintain --upgrade"
JOBS = {
    "bandits": ("sum",),
    "experiment": ("list",),
    "factory": ("report",),
    "features": (),
    "featurestore": ("materialize",),
    "feed": ("rank", "--at", "2023-02-01"),
    "feedback": ("score",),
    "forecast": ("run",),
    "fraud": ("scan",),
    "gate": (),
    "ingest": (),
    "maintain": (),
    "moderation": ("queue", "--out", "queue.jsonl"),
    "monitor": (),
    "pipeline": (),
    "reproduce": ("0" * 32,),
    "score": (),
    "simulate": (),
    "topics": (),
    "train": (),
}


def write_old(spark: SparkSession, home: Path) -> None:
    lake = open_any_lake(load_settings("local", [f"home={home}"]), spark)
    lake.append(spark.createDataFrame(ROWS, OLD.schema), OLD)


def test_every_job_refuses_a_lake_of_the_last_release_in_one_line(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_old(spark, tmp_path)
    others = {file.stem for file in (Path(__file__).parents[2] / "jobs").glob("*.py")} - {"__init__"}
    assert others - set(JOBS) == {"doctor", "synthesize"}, "which say it in their own way, or need no lake"
    for name, flags in JOBS.items():
        assert run(name, f"home={tmp_path}", flags=flags) == 1, name
        assert capsys.readouterr().err == f"error: lake {tmp_path}/lake: {REFUSED}\n", name
    assert run("pipeline", f"home={tmp_path}", flags=("--status",)) == 1
    assert run("maintain", f"home={tmp_path}", flags=("--buckets", "2")) == 1
    assert [REFUSED in line for line in capsys.readouterr().err.splitlines()] == [True, True]


def test_an_upgrade_then_other_buckets_each_told_and_done_once(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_old(spark, tmp_path)

    def maintain(*flags: str) -> str:
        assert run("maintain", f"home={tmp_path}", flags=flags) == 0
        return capsys.readouterr().out

    told = maintain("--upgrade")
    assert "events: 2 rows rewritten, ids as 16 bytes, users in 1 bucket\nthe lake is up to date" in told
    assert "nothing to do: the lake has this release's layout" in maintain("--upgrade")
    assert "2 events, buckets of users: 1 before, 16 now" in maintain("--buckets", "16")
    assert "nothing to do: buckets of users before and after: 16" in maintain("--buckets", "16")
    lake = open_lake(load_settings("local", [f"home={tmp_path}"]), spark)
    assert lake.version("events") == 2
    rows = lake.read("events").collect()
    assert sorted(bytes(row["event_id"]).hex() for row in rows) == [row[0] for row in ROWS]
    assert {row["user_bucket"] for row in rows} == {14}
    assert lake.read("events").where(identity_spark.event_id() != F.col("event_id")).count() == 0
    assert run("maintain", f"home={tmp_path}", "lake.user_buckets=4") == 0
    assert (
        "note: events lie in 16 buckets of users, lake.user_buckets says 4: maintain --buckets 4 changes it"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize("number", ["0", "1001", "-1"])
def test_a_number_of_buckets_that_is_none(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("maintain", flags=("--buckets", number)) == 2
    assert capsys.readouterr().err == f"error: --buckets {number}: expected 1 to 1000\n"


def test_the_doctor_finds_the_layout(spark: SparkSession, tmp_path: Path) -> None:
    def found(home: Path, *overrides: str) -> list[Finding]:
        return stores.layout(load_settings("local", [f"home={home}", *overrides]), spark)

    assert found(tmp_path / "none") == []
    write_old(spark, tmp_path)
    trouble = Finding(
        "layout",
        "trouble",
        "table events has the layout of an older release",
        "bring it up to date with: maintain --upgrade",
    )
    assert found(tmp_path) == [trouble]
    assert trouble in examine(load_settings("local", [f"home={tmp_path}"]), lambda: spark)
    lake = open_any_lake(load_settings("local", [f"home={tmp_path / 'new'}"]), spark)
    lake.append(spark.createDataFrame([], EVENTS.schema), EVENTS)
    assert found(tmp_path / "new") == [Finding("layout", "ok", "events in buckets of users: 1")]
    assert found(tmp_path / "new", "lake.user_buckets=4") == [
        Finding(
            "layout",
            "warning",
            "events in buckets of users: 1, lake.user_buckets=4",
            "run maintain --buckets 4",
        )
    ]
