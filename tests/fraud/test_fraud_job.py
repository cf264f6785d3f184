"""The job as people run it: its flags, its errors of one line, and that little starts little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pozytywka_spark.jobs import fraud, ingest
from tests.worlds.deliveries import sessions, users, write

ROOT = Path(__file__).resolve().parents[2]


def test_rules_are_listed_without_a_lake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fraud.main(["rules", "--set", f"lake.root={tmp_path}/lake"]) == 0
    told = capsys.readouterr().out
    for words in ("bought_at_once", "quick_buyers", "plays_before_purchase <= 8", "night_share_change"):
        assert words in told
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["scan", "--months", "2023-13"], 2, "--months 2023-13: expected YYYY-MM..YYYY-MM"),
        (["rules", "--try", "nowhere.yaml"], 2, "rules nowhere.yaml can't be read"),
        (["scan"], 1, "run the ingest job first"),
        (["report"], 1, "run fraud scan first"),
    ],
)
def test_errors_are_one_line(
    argv: list[str], code: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--set", f"home={tmp_path}", "--set", f"lake.root={tmp_path}/lake"]
    assert fraud.main([*argv, *home]) == code
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert told in error[0]


def test_full_and_months_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fraud.main(["scan", "--full", "--months", "2023-01"])
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def sets_of(home: Path) -> list[str]:
    return ["--set", f"home={home}", "--set", f"raw.path={home}/raw"]


def run_script(*argv: str, home: Path) -> str:
    """A job as its file, in a process of its own."""
    command = [sys.executable, *argv, *sets_of(home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_from_a_delivery_to_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*argv: str) -> str:
        assert fraud.main([*argv, *sets_of(tmp_path)]) == 0
        told = capsys.readouterr()
        return told.out + told.err

    raw = tmp_path / "raw"
    write(raw / "sessions" / "part.jsonl", sessions(80))
    write(raw / "users" / "part.jsonl", users())
    for entity in ("artists", "tracks", "track_storage"):
        write(raw / entity / "part.jsonl", [])
    assert ingest.main(sets_of(tmp_path)) == 0
    told = run_script("jobs/fraud.py", "scan", "--since-last-ingest", home=tmp_path)
    assert "account-days" in told
    assert "guard perturbation" in told
    page = (tmp_path / "reports" / "fraud.html").read_text()
    assert "Rules" in page
    assert "nothing to do" in run("scan")
    rules = tmp_path / "try.yaml"
    rules.write_text("- {name: any, group: bots, meaning: any, conditions: [plays >= 1, plays <= 2]}\n")
    tried = run("rules", "--try", str(rules))
    assert "nothing is written" in tried
    assert "rules tried on" in tried
    assert "page" in run("report")
