"""The moderation job as its user meets it: from the queue to blocks, appeals and the page."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import cli, schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.jobs.moderation import main
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.moderation.world import SIGNALS, case, day, play, put, signal_row


def run(settings: Settings, *words: str) -> tuple[int, str]:
    with cli.OUT.capture() as shown:
        code = main([*words, "--set", f"home={settings.home}"])
    return code, shown.get()


@pytest.fixture
def lake(spark: SparkSession, settings: Settings) -> Lake:
    """Accounts 1 and 2 cheat on several days, 3 plays honestly, 4 and 5 are a ring."""
    found = open_lake(settings, spark)
    put(
        found,
        schemas.CASES,
        case("a", 1, 0, harm=5.0),
        case("b", 1, 4, harm=50.0),
        case("c", 2, 0, harm=7.0, group="skips"),
        case("d", 3, 2, harm=None),
        case("r", [4, 5], 30, group="rings", ring="4", harm=20.0),
        case("e", 2, 9, harm=6.0, group="skips"),
    )
    put(
        found,
        schemas.EVENTS,
        *(
            play(user, number + hour / 24, f"t{hour % 3}")
            for user in range(1, 6)
            for number in range(40)
            for hour in range(4)
        ),
        play(1, 0.9, "t1", "SKIP"),
    )
    put(
        found,
        schemas.RINGS,
        *(
            {"month": day(0).date(), "ring": "4", "user_id": user, "score": 9.0, "tracks": ["t2"]}
            for user in (4, 5)
        ),
    )
    put(
        found,
        SIGNALS,
        signal_row(1, 0, 9.0),
        signal_row(4, 1, 1.0),
        signal_row(5, 1, 3.0),
        signal_row(3, 0, 7.0),
    )
    return found


def queue(settings: Settings, *words: str) -> list[dict[str, Any]]:
    out = Path(settings.home) / "out" / "queue.jsonl"
    assert run(settings, "queue", "--out", str(out), *words)[0] == 0
    assert [path.name for path in out.parent.iterdir()] == ["queue.jsonl"]
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def verdicts(settings: Settings, *rows: tuple[str, str, str, float]) -> str:
    file = Path(settings.home) / "verdicts.csv"
    lines = [f"{name},{who},{word},{day(at):%Y-%m-%dT%H:%M:%S}" for name, who, word, at in rows]
    file.write_text("\n".join(["case_id,reviewer,verdict,decided_at", *lines]), encoding="utf-8")
    code, shown = run(settings, "verdicts", "--from", str(file))
    assert code == 0
    return shown


def appeals(settings: Settings, *rows: dict[str, Any]) -> str:
    file = Path(settings.home) / "appeals.jsonl"
    file.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows), encoding="utf-8")
    code, shown = run(settings, "appeals", "--from", str(file))
    assert code == 0
    return shown


def discounted(lake: Lake) -> dict[tuple[str, str], int]:
    if not lake.exists("discounted_plays"):
        return {}
    rows = lake.rows("discounted_plays").to_pylist()
    return {(row["track_id"], f"{row['month']:%Y-%m}"): row["plays"] for row in rows}


def exported(settings: Settings, at: float) -> dict[int, str]:
    out = Path(settings.home) / "blocked.jsonl"
    assert run(settings, "export", "--at", day(at).isoformat(), "--out", str(out))[0] == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        assert set(row) == {"user_id", "blocked_until", "message"}
        assert not any(word in row["message"] for word in ("too fast", "pace", "skips", "score", "model"))
    return {row["user_id"]: row["blocked_until"] for row in rows}


def test_from_the_queue_to_the_page(lake: Lake, settings: Settings) -> None:
    lines = queue(settings)
    assert [line["case_id"] for line in lines] == ["b", "r", "c", "e", "a", "d"]
    assert lines[4] == {
        "case_id": "a",
        "group": "pace",
        "accounts": [1],
        "day": "2023-03-01",
        "cut_off": "2023-03-02T00:00:00Z",
        "opened_at": "2023-03-02T00:00:00Z",
        "rules": ["too fast"],
        "signals": {"pace": 9.0, "repeats": 1.0},
    }
    assert lines[1]["signals"] == {"pace": 2.0, "repeats": 1.0}  # of a ring, the mean of its accounts
    assert lines[0]["signals"] is None
    assert [line["case_id"] for line in queue(settings, "--at", "2023-03-04")] == ["c", "a", "d"]

    put(
        lake,
        schemas.DECISIONS,
        *(
            {
                "case_id": name,
                "decision": what,
                "mode": mode,
                "release_at": day(at),
                "decided_at": day(at),
                "build_id": mode,
            }
            for name, what, mode, at in [
                ("c", "refuse", "live", 2),
                ("d", "refuse", "shadow", 3),
                ("e", "person", "audit", 11),
            ]
        ),
    )
    shown = verdicts(
        settings,
        ("a", "Ann", "bad", 2),
        ("b", "Ann", "bad", 6),
        ("d", "Ben", "ok", 4),
        ("e", "Ben", "bad", 11),
        ("r", "Ben", "bad", 35),
        ("z", "Ben", "bad", 5),
        ("b", "Ann", "ok", 7),
    )
    assert "7 rows = 5 verdicts taken + 2 aside + 0 duplicates" in shown
    assert "unknown case" in shown
    assert "second answer of the reviewer" in shown
    assert queue(settings) == []

    assert "released what was due" in run(settings, "run", "--until", "2023-03-20")[1]
    assert exported(settings, 6.5) == {1: "2023-03-08T00:00:00.000000Z"}
    assert exported(settings, 7) == {}  # half-open
    assert exported(settings, 11.5) == {2: "2023-03-13T00:00:00.000000Z"}
    whole = {("t0", "2023-03"): 8, ("t1", "2023-03"): 4, ("t2", "2023-03"): 4}
    assert discounted(lake) == whole

    code, shown = run(settings, "status", "--user", "1", "--at", day(6.5).isoformat())
    assert code == 0
    assert "user 1 at 2023-03-07 12:00:00: blocked until 2023-03-08 00:00:00" in shown
    before = run(settings, "status", "--user", "1", "--at", day(8).isoformat())[1]
    shown = appeals(
        settings,
        {
            "user_id": 1,
            "case_id": "b",
            "appealed_at": day(7),
            "reviewer": "Ann",
            "verdict": "upheld",
            "decided_at": day(21),
        },
        {
            "user_id": 1,
            "case_id": "a",
            "appealed_at": day(7),
            "reviewer": "Cat",
            "verdict": "upheld",
            "decided_at": day(21),
        },
    )
    assert "2 rows = 1 appeals taken + 1 refused + 0 duplicates" in shown
    assert "judged by a person who said bad" in shown
    assert run(settings, "run")[0] == 0  # up to the data's end
    assert "taken back" in run(settings, "status", "--user", "1")[1]
    assert (
        run(settings, "status", "--user", "1", "--at", day(8).isoformat())[1].splitlines()[1:]
        == before.splitlines()[1:]
    )
    # day 0 of account 1 was given back; of the ring its track's plays in March
    assert discounted(lake) == {
        ("t0", "2023-03"): 6,
        ("t1", "2023-03"): 3,
        ("t2", "2023-03"): 3 + 2 * 31,
    }
    assert {
        row["case_id"]: row["source"] for row in lake.rows("verdicts").to_pylist() if row["verdict"] == "ok"
    } == {
        "d": "person",
        "a": "appeal",
    }

    march = date(2023, 3, 1)
    put(
        lake,
        schemas.TRACK_PLAYS,
        *({"track_id": f"t{place}", "plays": 100 + place, "month": march} for place in range(4)),
    )
    code, shown = run(settings, "report")
    assert code == 0
    assert "precision of what was released" in shown
    page = (Path(settings.home) / "reports" / "moderation.html").read_text(encoding="utf-8")
    assert "Fouls and blocks" in page
    assert "Most discounted in 2023-03" in page


def test_second_looks_are_asked_like_any_other(lake: Lake, settings: Settings) -> None:
    verdicts(settings, ("b", "Ann", "bad", 6), ("c", "Ann", "bad", 3))
    put(lake, schemas.SECOND_LOOKS, {"case_id": "c", "requested_at": day(8), "looks": 3, "build_id": "x"})
    lines = queue(settings)
    assert [line["case_id"] for line in lines] == ["r", "c", "e", "a", "d"]
    assert {tuple(line) for line in lines} == {tuple(lines[0])}
    assert [line["case_id"] for line in queue(settings, "--reviewer", "Ann")] == ["r", "e", "a", "d"]
    verdicts(settings, ("c", "Ben", "ok", 9), ("c", "Cat", "ok", 10))
    assert "c" not in [line["case_id"] for line in queue(settings)]
    run(settings, "run", "--until", "2023-04-01")
    fouls = [row for row in lake.rows("fouls").to_pylist() if row["case_id"] == "c"]
    assert [
        (row["cancelled"], row["recorded_at"]) for row in sorted(fouls, key=lambda row: row["recorded_at"])
    ] == [
        (False, day(3)),
        (True, day(10)),
    ]


def test_chargebacks_are_taken_once(lake: Lake, settings: Settings) -> None:
    file = Path(settings.home) / "charged.csv"
    file.write_text(
        "user_id,bought_at,charged_back_at\n"
        f"1,{day(0.5):%Y-%m-%dT%H:%M:%S},{day(9):%Y-%m-%dT%H:%M:%S}\n"
        f"77,{day(0.5):%Y-%m-%dT%H:%M:%S},{day(9):%Y-%m-%dT%H:%M:%S}\n"
    )
    words = ("verdicts", "--chargebacks", "--from", str(file))
    code, shown = run(settings, *words)
    assert code == 0
    assert "2 chargebacks are answers to 1 cases" in shown
    assert "1 rows = 1 verdicts taken" in shown
    assert "1 rows = 0 verdicts taken + 0 aside + 1 duplicates" in run(settings, *words)[1]
    taken = lake.rows("verdicts").to_pylist()
    assert [(row["case_id"], row["verdict"], row["source"]) for row in taken] == [("a", "bad", "chargeback")]
    assert taken[0]["decided_at"] == day(9)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["verdicts", "--from", "no.csv"], 1, "--from no.csv: there is no such file"),
        (["appeals", "--from", "pyproject.toml"], 2, "--from pyproject.toml: say what it is"),
        (["run", "--until", "2023-03-04"], 2, "--until 2023-03-04 00:00:00: a run went up to"),
        (["queue", "--out", "/proc/no/queue.jsonl"], 1, "--out /proc/no/queue.jsonl: can't be written"),
    ],
)
def test_wrong_use_is_one_line(
    lake: Lake, settings: Settings, words: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings, "run", "--until", "2023-03-05")[0] == 0
    assert run(settings, *words)[0] == code
    error = capsys.readouterr().err
    assert error.startswith(f"error: {told}")
    assert error.count("\n") == 1


def test_an_empty_lake_names_the_job_to_run(
    spark: SparkSession, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings, "queue", "--out", "queue.jsonl")[0] == 1
    assert "run fraud scan first" in capsys.readouterr().err


def test_times_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["run", "--until", "soon"])
    assert left.value.code == 2
    assert "expected a time such as" in capsys.readouterr().err
