"""The experiment job as its user meets it: commands, tables, and errors in one line."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import cli
from pozytywka_spark.jobs.experiment import main
from tests.worlds.known_effect import Known


def run(known: Known, *words: str) -> tuple[int, str]:
    with cli.OUT.capture() as shown:
        code = main([*words, "--set", f"home={known.settings.home}"])
    return code, shown.get()


def test_from_plan_to_list(spark: SparkSession, known: Known) -> None:
    code, shown = run(
        known, "plan", "--at", "2022-08", "--share", "40", "--lift", "20", "--population", "all"
    )
    assert code == 0
    assert "users +20%" in shown
    code, shown = run(
        known, "assign", "--name", "told", "--group", "x=10", "--group", "y=20", "--at", "2022-08",
        "--layer", "shop", "--traffic", "70",
    )  # fmt: skip
    assert code == 0
    assert "outside the slot" in shown
    code, shown = run(known, "grow", "--name", "told", "--group", "y=30", "--at", "2022-09", "--move-control")
    assert code == 0
    assert "users moved from control into treatment" in shown
    code, shown = run(known, "list")
    assert code == 0
    assert "shop 0–7000" in shown
    assert "x 10, y 30, control 60" in shown
    code, shown = run(known, "report", "--name", "told")
    assert code == 0
    assert "moved into treatment later" in shown
    assert "page     " in shown
    assert "…" not in "".join(line for line in shown.splitlines() if not line.startswith("▸"))


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["report", "--name", "nothing"], 2, "no experiment nothing in "),
        (["assign", "--name", "fresh"], 2, "no experiment fresh in "),
        (["assign", "--name", "fresh", "--share", "100"], 2, "share 100 of treatment: expected a percentage"),
        (["assign", "--name", "fresh", "--share", "5", "--group", "a=5"], 2, "--share is for one treatment"),
        (["assign", "--name", "fresh", "--group", "a"], 2, "--group a: expected two names with = between"),
        (["grow", "--name", "nothing"], 2, "experiment grow: say to what"),
        (["plan", "--share", "0"], 2, "--share 0: expected a percentage"),
        (["import", "--name", "fresh", "--share", "5", "--from", "a.xls"], 2, "--from a.xls: say what it is"),
        (["import", "--name", "fresh", "--share", "5", "--from", "no.csv"], 1, "--from no.csv: can't"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line(
    spark: SparkSession,
    known: Known,
    words: list[str],
    code: int,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(known, *words)[0] == code
    error = capsys.readouterr().err
    assert error.startswith(f"error: {told}")
    assert error.count("\n") == 1


@pytest.mark.parametrize("at", ["2023-13", "2023-05-02", "May"])
def test_a_cut_off_is_the_first_of_a_month(at: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["assign", "--name", "fresh", "--share", "5", "--at", at])
    assert left.value.code == 2
    assert "expected" in capsys.readouterr().err


def test_an_empty_lake_names_the_job_to_run(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path_factory.mktemp("empty")
    assert main(["assign", "--name", "fresh", "--share", "5", "--set", f"home={home}"]) == 1
    assert "run the ingest job first" in capsys.readouterr().err
