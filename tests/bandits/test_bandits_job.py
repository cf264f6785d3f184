"""The bandits job as its user meets it: a log taken in, learnt from, judged, planned; what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import cli
from pozytywka_spark.bandits import decide
from pozytywka_spark.config import Settings
from pozytywka_spark.jobs.bandits import main
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.schemas import USERS
from tests.bandits.made_log import ARMS, lines, slots, write

SMALL = "bandits.min_effective=100"


@pytest.fixture
def home(spark: SparkSession, settings: Settings) -> Path:
    assert spark
    return Path(settings.home)


@pytest.fixture
def lake(spark: SparkSession, settings: Settings) -> Lake:
    return open_lake(settings, spark)


class Job:
    """The job with a home and settings."""

    def __init__(self, home: Path, *overrides: str) -> None:
        self.home, self.overrides = home, overrides

    def __call__(self, *words: str) -> tuple[int, str]:
        sets = [part for each in (f"home={self.home}", *self.overrides) for part in ("--set", each)]
        with cli.OUT.capture() as shown:
            code = main([*words, *sets])
        return code, shown.get()


@pytest.fixture
def job(home: Path) -> Job:
    return Job(home, slots(), SMALL)


def table(lake: Lake, name: str) -> list[dict[str, Any]]:
    return lake.rows(name).to_pylist() if lake.exists(name) else []


def test_from_a_log_to_a_plan_that_comes_back(job: Job, lake: Lake, home: Path) -> None:
    log = write(home / "log.jsonl", lines(4000, 8))
    code, shown = job("take-in", "--from", str(log))
    assert code == 0
    assert "4,000 rows in 1 files = 4,000 kept + 0 quarantined + 0 duplicates" in shown
    assert "0 kept + 0 quarantined + 4,000 duplicates" in job("take-in", "--from", str(log))[1]
    assert job("sum")[0] == 0
    assert "unchanged" in job("sum")[1]

    assert "version 1" in job("learn", "--slot", "prompt")[1]
    assert "version 1 of slot prompt unchanged" in job("learn", "--slot", "prompt")[1]
    code, shown = job("gate", "--slot", "prompt")
    assert code == 0
    assert "version 1 is the champion" in shown
    assert "champion already" in job("gate", "--slot", "prompt")[1]
    assert job("gate", "--slot", "prompt", "--rollback")[0] == 1  # it was the first

    code, shown = job(
        "evaluate", "--slot", "prompt", "--policy", "uniform", "--days", "2024-01-01..2024-01-08"
    )
    assert code == 0
    assert "snips" in shown
    values = {(row["policy"], row["estimator"], row["against"]) for row in table(lake, "bandit_evaluations")}
    assert {("uniform", "dr", ""), ("1", "dr", ""), ("1", "dr", "uniform")} <= values
    # by a policy that has seen these days nothing is said
    code, _ = job("evaluate", "--slot", "prompt", "--policy", "1", "--days", "2024-01-01..2024-01-08")
    assert code == 1

    out = home / "policy.json"
    assert job("export", "--slot", "prompt", "--policy", "champion", "--out", str(out))[0] == 0
    document = json.loads(out.read_text())
    assert (document["slot"], document["version"], document["arms"]) == ("prompt", "1", list(ARMS))
    assert document["trained_days"] == ["2024-01-01", "2024-01-06"]

    people = [
        {"user_id": user, "city": "north", "favourite_genres": ["rock"], "premium_user": user % 10 == 0}
        for user in range(1, 400)
    ]
    lake.overwrite(as_table(people, USERS), USERS)
    planned = home / "plan.jsonl"
    code, shown = job("plan", "--slot", "prompt", "--day", "2024-01-09", "--out", str(planned))
    assert code == 0
    rows = [json.loads(line) for line in planned.read_text().splitlines()]
    assert sorted(row["user_id"] for row in rows) == [user for user in range(1, 400) if user % 10]
    policy = decide.load_policy(out)
    for row in rows:
        since = dict(zip(row["eligible"], row["days_since"], strict=True))
        told = decide.decide(
            policy, user_id=row["user_id"], group=row["group"], eligible=row["eligible"],
            days_since=since, key="2024-01-09",
        )  # fmt: skip
        assert (told.arm, told.stream) == (row["chosen"], row["stream"])
        assert told.probabilities == pytest.approx(
            dict(zip(row["eligible"], row["probabilities"], strict=True)), abs=1e-12
        )
    assert any(days is not None for row in rows for days in row["days_since"])
    assert f"{len(rows):,} kept + 0 quarantined" in job("take-in", "--from", str(planned))[1]
    first = table(lake, "bandit_plan")
    assert job("plan", "--slot", "prompt", "--day", "2024-01-09")[0] == 0
    assert sorted(map(str, table(lake, "bandit_plan"))) == sorted(map(str, first))


def test_a_fixed_table_in_a_file_is_valued(job: Job, home: Path) -> None:
    job("take-in", "--from", str(write(home / "log.jsonl", lines(3000, 4))))
    fixed = {"kind": "fixed", "probabilities": {"": {"plain": 0.2, "trial": 0.6, "heavy": 0.2}}}
    path = write(home / "fixed.json", [fixed])
    code, shown = job(
        "evaluate", "--slot", "prompt", "--policy", str(path), "--days", "2024-01-01..2024-01-04"
    )
    assert code == 0
    assert "Policy fixed in slot prompt" in shown
    assert "single decisions" in shown.lower()


def test_a_challenger_that_is_worse_is_kept_out_and_a_rollback_stays(job: Job, home: Path) -> None:
    """The first policy learns that `trial` brings more; from later days that reward nothing but `plain`."""
    job("take-in", "--from", str(write(home / "one.jsonl", lines(4000, 6, effect=3.0))))
    job("learn", "--slot", "prompt")
    assert job("gate", "--slot", "prompt")[0] == 0
    job("take-in", "--from", str(write(home / "two.jsonl", lines(4000, 6, seed=2, effect=3.0, first=6))))
    job("learn", "--slot", "prompt")
    code, shown = job("gate", "--slot", "prompt")
    assert code == 0
    assert "version 2 is the champion" in shown
    code, shown = job("gate", "--slot", "prompt", "--rollback")
    assert code == 0
    assert "version 1 is the champion" in shown
    code, shown = job("gate", "--slot", "prompt")
    assert code == 3
    assert "version 1 stays the champion" in shown
    assert "rolled back by hand" in shown


def test_a_day_after_the_other(job: Job, lake: Lake, home: Path) -> None:
    first = write(home / "one.jsonl", lines(3000, 6))
    code, shown = job("daily", "--day", "2024-01-07", "--from", str(first))
    assert code == 0
    assert "version 1 is the champion" in shown
    assert "nothing is planned" in shown  # there are no users
    again = job("daily", "--day", "2024-01-07", "--from", str(first))[1]
    assert "sums     unchanged" in again
    assert "version 1 of slot prompt unchanged" in again
    second = write(home / "two.jsonl", lines(500, 1, seed=2, first=6))
    code, shown = job("daily", "--day", "2024-01-08", "--from", str(second))
    assert code == 0
    # the day itself, and no other: what comes later changes no day before
    assert "sums     2024-01-07 summed" in shown
    days = {row["day"] for row in table(lake, "bandit_days")}
    assert len(days) == 7


BAD = [
    ("an empty log", ["take-in", "--from", "{home}/empty.jsonl"], 1, "no decision in it"),
    ("no file", ["take-in", "--from", "{home}/nowhere.jsonl"], 1, "no file of a log"),
    ("an empty folder", ["take-in", "--from", "{home}/folder"], 1, "no file of a log"),
    ("a cut gzip", ["take-in", "--from", "{home}/cut.jsonl.gz"], 1, "ends early"),
    ("a slot that isn't", ["learn", "--slot", "nowhere"], 2, "there is no such slot"),
    ("nothing was taken in", ["sum"], 1, "run bandits take-in first"),
    ("nothing to learn from", ["learn", "--slot", "prompt"], 1, "run bandits take-in first"),
    (
        "no champion",
        ["export", "--slot", "prompt", "--policy", "champion", "--out", "{home}/p"],
        1,
        "no champion",
    ),
    ("no champion to plan by", ["plan", "--slot", "prompt", "--day", "2024-01-09"], 1, "no champion"),
    ("no challenger", ["gate", "--slot", "prompt"], 1, "no challenger"),
    ("nothing to roll back", ["gate", "--slot", "prompt", "--rollback"], 1, "no champion"),
    (
        "another slot's file",
        ["evaluate", "--slot", "prompt", "--policy", "{home}/other.json"],
        1,
        "a policy of slot elsewhere",
    ),
]


@pytest.mark.parametrize(
    ("words", "code", "message"), [each[1:] for each in BAD], ids=[each[0] for each in BAD]
)
def test_bad_input_is_one_line(
    job: Job, home: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    (home / "folder").mkdir()
    (home / "empty.jsonl").write_text("\n")
    whole = gzip.compress("\n".join(map(json.dumps, lines(50, 2))).encode())
    (home / "cut.jsonl.gz").write_bytes(whole[:-20])
    write(home / "other.json", [{"kind": "uniform", "slot": "elsewhere"}])
    assert job(*(word.format(home=home) for word in words))[0] == code
    assert_one_line(capsys, message)
    for name in ("slot_decisions", "slot_decisions_aside", "bandit_days", "bandit_plan"):
        assert not (home / "lake" / name / "_delta_log").exists()


def assert_one_line(capsys: pytest.CaptureFixture[str], message: str) -> None:
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1, said
    assert message in said[0]
    assert said[0].startswith("error: ")


def test_days_in_the_wrong_order(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        job("evaluate", "--slot", "prompt", "--policy", "uniform", "--days", "2024-01-02..2024-01-01")
    assert stopped.value.code == 2
    assert "the first day is after the last" in capsys.readouterr().err


def test_logs_that_say_too_little(
    job: Job, home: Path, lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    """No probabilities: valued, not learnt from; no mature decision: neither."""
    job("take-in", "--from", str(write(home / "log.jsonl", lines(2000, 6, probabilities=None))))
    assert job("learn", "--slot", "prompt")[0] == 1
    assert_one_line(capsys, "can be evaluated, not learnt from")
    assert (
        job("evaluate", "--slot", "prompt", "--policy", "uniform", "--days", "2024-01-01..2024-01-06")[0] == 0
    )
    capsys.readouterr()
    assert (
        job("evaluate", "--slot", "prompt", "--policy", "uniform", "--days", "2030-01-01..2030-01-06")[0] == 1
    )
    assert_one_line(capsys, "no decision is logged from 2030-01-01")
    unknown = {"kind": "fixed", "probabilities": {"": {"plain": 0.5, "sold": 0.5}}}
    path = str(write(home / "unknown.json", [unknown]))
    days = ["--days", "2024-01-01..2024-01-06"]
    assert job("evaluate", "--slot", "prompt", "--policy", path, *days)[0] == 1
    assert_one_line(capsys, "sold")


def test_nothing_is_mature(job: Job, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job("take-in", "--from", str(write(home / "log.jsonl", lines(300, 6, reward=None))))
    job("sum")
    for words in (["learn"], ["evaluate", "--policy", "uniform"]):
        capsys.readouterr()
        assert job(words[0], "--slot", "prompt", *words[1:])[0] == 1
        assert_one_line(capsys, "mature")


def test_a_user_without_a_group_and_arms_that_nobody_knows(job: Job, lake: Lake, home: Path) -> None:
    rows = [
        *lines(20, 1, group=None),
        *lines(3, 1, seed=2, chosen="sold", eligible=["sold"], probabilities=[1.0], probability=1.0),
    ]
    code, shown = job("take-in", "--from", str(write(home / "log.jsonl", rows)))
    assert code == 0
    assert "20 kept + 3 quarantined" in shown
    assert "3: an arm that the slot doesn't have" in shown
    assert {row["group"] for row in table(lake, "slot_decisions")} == {None}


def test_a_rule_on_a_column_that_is_not_there(
    home: Path, lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    ruled = {arm: {} for arm in ARMS} | {"heavy": {"rules": [{"column": "plays", "op": "ge", "value": 3}]}}
    job = Job(home, slots(arms=ruled), SMALL)
    job("take-in", "--from", str(write(home / "log.jsonl", lines(3000, 6))))
    job("learn", "--slot", "prompt")
    job("gate", "--slot", "prompt")
    lake.overwrite(as_table([{"user_id": 1, "premium_user": False}], USERS), USERS)
    capsys.readouterr()
    assert job("plan", "--slot", "prompt", "--day", "2024-01-09")[0] == 1
    assert_one_line(capsys, "needs the column plays")
    assert not lake.exists("bandit_plan")


def test_a_folder_of_parts_of_every_kind(job: Job, lake: Lake, home: Path) -> None:
    folder = home / "log"
    folder.mkdir()
    rows = lines(300, 3)
    write(folder / "a.jsonl", rows[:100])
    (folder / "b.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows[50:200])).encode()))
    pl.DataFrame(rows[200:]).with_columns(
        pl.col("decided_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"),
        pl.lit(None, pl.List(pl.Float64)).alias("days_since"),
    ).write_parquet(folder / "c.parquet")
    shown = job("take-in", "--from", str(folder))[1]
    assert "350 rows in 3 files = 300 kept + 0 quarantined + 50 duplicates" in shown
    assert len(table(lake, "slot_decisions")) == 300
