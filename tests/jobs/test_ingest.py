"""The job as a person runs it: what it says, and how it ends."""

import json

import pytest

from pozytywka_spark.jobs import ingest as job
from tests.worlds.deliveries import sessions, users, write


def arguments(spark, home, raw, *more):
    """The running session's own settings, for a session in use can't change them."""
    conf = ("spark.driver_memory=3g", "spark.master=local[2]", "spark.shuffle_partitions=2")
    keep = f"spark.conf.spark.sql.warehouse.dir={spark.conf.get('spark.sql.warehouse.dir')}"
    pairs = [f"home={home}", f"raw.path={raw}", *conf, keep]
    return [*(part for pair in pairs for part in ("--set", pair)), *more]


def test_a_run_with_its_summary_then_nothing_new(spark, tmp_path, capsys) -> None:
    raw = tmp_path / "raw"
    write(raw / "users.jsonl", users())
    rows = sessions(12)
    write(raw / "sessions.jsonl", [*rows, rows[0] | {"user_id": 424242, "session_id": 5555}, "{"])

    assert job.main(arguments(spark, tmp_path, raw, "--fail-on", "error")) == 1

    told = capsys.readouterr()
    page = tmp_path / "reports" / "ingest.html"
    assert "Ingest 1: raw rows" in told.out
    assert "not in this delivery: artists, tracks, track_storage" in told.out
    assert "event months touched: 2023-01, 2023-02" in " ".join(told.out.split()) or "2023-01" in told.out
    assert f"quality report: {page}" in told.out
    summary = [" ".join(line.split()) for line in told.out.splitlines()]
    assert "sessions malformed 1" in summary[summary.index("quarantined") :]
    assert f"sessions {len(rows) + 2} {len(rows) + 1} 0 1 0" in summary
    assert "  error: events: user unknown: 1 of " in told.out
    assert told.err == "error: error: events: user unknown: 1 of " + f"{len(rows) + 1:,}\n"
    assert page.exists()

    assert job.main(arguments(spark, tmp_path, raw, "--fail-on", "error")) == 1  # what was wrong still is
    assert "nothing new: no table was changed" in capsys.readouterr().out

    assert job.main(arguments(spark, tmp_path, raw, "--replay")) == 0
    assert "nothing new" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--set", "raw.path=/no/such/folder"), 1, "error: raw.path=/no/such/folder: no such folder"),
        (("--set", "ingest.max_line_bytes=5"), 2, "error: setting ingest.max_line_bytes=5: "),
        (("--set", "ingest.speed=5"), 2, "error: unknown setting ingest.speed; keys of ingest: "),
    ],
)
def test_wrong_use_is_one_line(spark, tmp_path, capsys, more, code, told) -> None:
    assert job.main(arguments(spark, tmp_path, tmp_path / "raw", *more)) == code
    error = capsys.readouterr().err
    assert error.startswith(told)
    assert error.count("\n") == 1


def test_help_tells_of_both_flags(capsys) -> None:
    with pytest.raises(SystemExit) as left:
        job.main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "--replay" in text
    assert "--fail-on" in text
    assert json.dumps(job.__doc__).strip('"') in text.replace("\n", " ")
