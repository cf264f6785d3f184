"""What the benches print is understood, and growth is what it says."""

from __future__ import annotations

import io
import json
import re
import runpy
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.bench import everything

INGEST = (
    "  1,000,000 events      128 MB  spark: parse+write       6.2 s    10.3 MB/s/core  peak  1,412 MB\n"
    "  1,000,000 events      128 MB  duckdb                   1.5 s    42.7 MB/s/core  peak    700 MB\n"
)
FEATURES = (
    "  1,000,000 duckdb 25                             1.20 s  peak    700 MB\n"
    "  1,000,000 25, the session's first               1.50 s  peak  1,100 MB    1.25 x duckdb\n"
    "            of the full build, guards: 2.1\n"
    "  1,000,000 full build, all guards                9.00 s  peak  1,520 MB    7.50 x duckdb\n"
    "            25 grows as events to the 0.92\n"
)
MODELS = (
    "  1,000,000 xgboost: fit                          1.20 s\n"
    "            peak memory of xgboost 0.61 GB\n"
    "  1,000,000 train                                21.00 s\n"
    "            peak memory of the JVM and its Python workers 3.10 GB\n"
)
PIPELINE = (
    "    500,000 script: raw files to scores           18.00 s  peak    316 MB  ROC AUC 0.7000\n"
    "    500,000 script: read                           1.94 s\n"
    "            the script fails with 1GB after 3.2 s: out of memory\n"
    "    500,000 pipeline: raw files to scores         30.00 s  peak  2,100 MB  1.67 x  ROC AUC 0.7348\n"
    "    500,000 reading the truth                      0.30 s  ROC AUC 0.8100\n"
)


def test_what_benches_print_is_read() -> None:
    assert everything.read_timings(INGEST) == {
        "spark: parse+write": {"seconds": 6.2, "peak": 1.412},
        "duckdb": {"seconds": 1.5, "peak": 0.7},
    }
    assert everything.read_timings(FEATURES) == {
        "duckdb 25": {"seconds": 1.2, "peak": 0.7},
        "25, the session's first": {"seconds": 1.5, "peak": 1.1},
        "full build, all guards": {"seconds": 9.0, "peak": 1.52},
    }
    assert everything.read_timings(MODELS) == {
        "xgboost: fit": {"seconds": 1.2, "peak": 0.61},
        "train": {"seconds": 21.0, "peak": 3.1},
    }
    assert everything.read_timings(PIPELINE) == {
        "script: raw files to scores": {"seconds": 18.0, "peak": 0.316, "roc_auc": 0.7},
        "script: read": {"seconds": 1.94},
        "pipeline: raw files to scores": {"seconds": 30.0, "peak": 2.1, "roc_auc": 0.7348},
        "reading the truth": {"seconds": 0.3, "roc_auc": 0.81},
    }


def test_a_bench_is_started_and_its_failure_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(everything.HERE.parents[1]))
    with pytest.raises(SystemExit, match=r"invalid (int|literal).*many"):
        everything.measure("pipeline", "many", tmp_path / "a folder", 60)  # type: ignore[arg-type]


@pytest.mark.parametrize("stage", sorted(set(everything.COMMANDS) - {"pipeline"}))
def test_each_other_bench_is_found_and_refuses_by_itself(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A size that none of them takes; in this process, for they import libraries for seconds."""

    def run_here(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        _, _, module, *words = command
        monkeypatch.setattr(sys, "argv", [module, *words])
        runpy.run_module(module, run_name="__main__")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(
        everything, "subprocess", SimpleNamespace(run=run_here, TimeoutExpired=subprocess.TimeoutExpired)
    )
    told = io.StringIO()
    with redirect_stderr(told), pytest.raises((SystemExit, ValueError)) as ended:
        everything.measure(stage, "many", tmp_path / "a folder", 60)  # type: ignore[arg-type]
    assert re.search(r"invalid (int|literal).*many", f"{told.getvalue()}{ended.value}")


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 1.7])
def test_the_exponent_is_that_of_the_law(power: float) -> None:
    by_size = {events: 3.0 * (events / 1e6) ** power for events in (1_000_000, 10_000_000, 40_000_000)}
    assert everything.exponent(by_size) == pytest.approx(power)
    assert everything.exponent({1_000_000: 2.0}) is None


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def measure(stage: str, events: int, home: Path, seconds: float) -> dict[str, everything.Timing] | None:
        asked.append((stage, events))
        return None if len(asked) == 3 else {"spark": {"seconds": events / 1e6}}

    monkeypatch.setattr(everything, "measure", measure)
    chosen = ["--events", "1000000", "2000000", "--out", str(tmp_path)]
    everything.main(chosen)
    first = list(asked)
    everything.main(chosen)
    assert asked[len(first) :] == [("models", 1_000_000)], "only what was missing"
    everything.main([*chosen, "--again", "--stages", "pipeline"])
    assert asked[len(first) + 1 :] == [("pipeline", 1_000_000), ("pipeline", 2_000_000)], (
        "only what was named"
    )
    assert "| ingest: spark | 1.0 s | 2.0 s | 1.00 |" in (tmp_path / "results.md").read_text()
    assert set(json.loads((tmp_path / "results.json").read_text())) == set(everything.COMMANDS)
    picture = (tmp_path / "results.svg").read_bytes()
    everything.main(chosen)
    assert (tmp_path / "results.svg").read_bytes() == picture
