"""The pipeline from raw files to scores, as people start it, beside the script they would write instead.

    python -m tests.bench.bench_pipeline [--events 500000 10000000 40000000] [--home FOLDER] [--memory 4GB]

Run on a quiet machine. Worlds are made once under `--home` (raw-10m and so on, with their truth) and used
again; 500,000 events stand for the embedded world, others have the catalogue and the months of headline size
and as many users as that takes. Told of each size: the script (`plain_script`, with `--memory`, and without a
limit where that wasn't enough); `jobs/pipeline.py` from an empty lake, and again with nothing new; each a
process of its own, imports and Spark's start included; the parts of both; `train` beside plain xgboost and
scikit-learn on the same rows; the most memory at one instant (JVM and Python together, shared pages once).
ROC AUC of the same test rows: all features, the analysts' 25 alone, and the truth that made the purchases.

Stops if script and pipeline weren't given the same rows.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.kept_worlds import worlds
from tests.bench.memory import most_together
from tests.bench.timed import seconds

PROJECT = Path(__file__).resolve().parents[2]
EMBEDDED = 500_000
HEADLINE_EVENTS, HEADLINE_USERS = 10_000_000, 20_000
SCRIPT, PIPELINE = "script: raw files to scores", "pipeline: raw files to scores"
STAGES = ("ingest", "features", "train", "score")
# the table that the pipeline ends with
_STAGE = re.compile(rf"^(start Spark|{'|'.join(STAGES)}) +(\d+\.\d)", re.MULTILINE)
_MODEL = re.compile(r"^(logistic|xgboost) +(0\.\d+)", re.MULTILINE)
_SIDE = re.compile(r"^(train|validation|test) .*? ([\d,]+) +([\d,]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """A process that ended: what it printed, its seconds, the most memory it and its children had (GB)."""

    text: str
    error: str
    code: int
    seconds: float
    most: float


@dataclass(frozen=True)
class Place:
    """Where a size's raw files are, and a folder for what is made of them."""

    events: int
    home: Path

    @property
    def name(self) -> str:
        return f"{self.events / 1e6:g}m"

    @property
    def raw(self) -> Path:
        return self.home / f"raw-{self.name}"

    @property
    def made(self) -> Path:
        return self.home / f"pipeline-{self.name}"

    def tell(self, name: str, taken: float, most: float | None = None, *notes: str) -> None:
        """A line that `tests.bench.everything` reads."""
        memory = "" if most is None else f"  peak {1e3 * most:6,.0f} MB"
        print(
            f"{self.events:>11,} {name:<34} {taken:8.2f} s{memory}  {'  '.join(notes)}".rstrip(), flush=True
        )


def run(command: Sequence[str | Path], log: Path) -> Ran:
    """Run Python to its end, as a person at the project's folder would."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYSPARK_PYTHON": sys.executable}
    log.parent.mkdir(parents=True, exist_ok=True)
    out, error = log.with_suffix(".out"), log.with_suffix(".err")
    most: list[float] = []

    def to_the_end() -> None:
        most.append(most_together(process))

    with out.open("w") as written, error.open("w") as complained:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=PROJECT,
            env=environment,
            stdout=written,
            stderr=complained,
            text=True,
        )
        taken = seconds(to_the_end)
    return Ran(out.read_text(), error.read_text(), process.returncode, taken, most[0])


def succeeded(ran: Ran) -> Ran:
    """The same. Raises `SystemExit` for what failed."""
    if ran.code:
        raise SystemExit(f"failed with code {ran.code}: {ran.error[-1500:]}")
    return ran


def job(name: str, place: Place, log: str, *sets: str) -> Ran:
    """A job on the lake of a size; it must succeed."""
    chosen = [f"raw.path={place.raw}", f"home={place.made}", "spark.master=local[2]", *sets]
    flags = [part for each in chosen for part in ("--set", each)]
    return succeeded(run([PROJECT / "jobs" / f"{name}.py", *flags], place.made / log))


def make_world(place: Place) -> None:
    """The raw files, unless they are there; synthesize puts them in place when they are whole."""
    users = round(HEADLINE_USERS * place.events / HEADLINE_EVENTS)
    scale = [] if place.events == EMBEDDED else ["--scale", "headline", "--users", f"{users}"]
    flags = ["--out", place.raw, *scale, "--set", f"home={place.home / 'synthesize'}"]
    succeeded(run([PROJECT / "jobs" / "synthesize.py", *flags], place.home / f"synthesize-{place.name}"))


def script(place: Place, memory: str) -> dict[str, Any]:
    """The plain script, within `memory` if it can; its figures, and how long it took as `whole`."""
    out = place.made / "script"
    command = ["-m", "tests.bench.plain_script", str(place.raw), "--out", str(out)]
    limited = run([*command, "--memory", memory], place.made / "script-limited")
    found = limited if limited.code == 0 else succeeded(run(command, place.made / "script"))
    figures: dict[str, Any] = json.loads((out / "figures.json").read_text())
    if limited.code:
        reason = " ".join(limited.error.split())[-200:]
        print(f"{'':>11} the script fails with {memory} after {limited.seconds:.1f} s: {reason}", flush=True)
        print(f"{'':>11} so it is given what it wants:", flush=True)
    place.tell(SCRIPT, found.seconds, found.most, _roc_auc(figures["metrics"]["xgboost"]["roc_auc"][0]))
    for part, taken in figures["seconds"].items():
        place.tell(f"script: {part}", taken)
    return figures | {"whole": found.seconds}


def pipeline(place: Place, heap: Sequence[str], theirs: Mapping[str, Any]) -> float:
    """The pipeline from an empty lake, and again; seconds of its `train`."""
    first = job("pipeline", place, "first", *heap)
    again = job("pipeline", place, "again", *heap)
    if again.text.count("nothing new") < len(STAGES):
        raise SystemExit(f"the second run did work again: {again.text[-1500:]}")
    sides = {side: [_number(rows), _number(bought)] for side, rows, bought in _SIDE.findall(first.text)}
    if sides != theirs["sides"]:
        raise SystemExit(f"the pipeline's rows are {sides}, the script's {theirs['sides']}")
    spent = {name: float(taken) for name, taken in _STAGE.findall(first.text)}
    aucs = {model: float(value) for model, value in _MODEL.findall(first.text)}
    ratio = f"{first.seconds / theirs['whole']:.2f} x the script"
    place.tell(PIPELINE, first.seconds, first.most, ratio, _roc_auc(aucs["xgboost"]))
    for stage, taken in spent.items():
        place.tell(f"pipeline: {stage}", taken)
    place.tell("pipeline: again, nothing new", again.seconds, again.most)
    return spent["train"]


def beside_xgboost(place: Place, train: float) -> None:
    """Plain xgboost and scikit-learn on the rows that `train` had."""
    out = place.made / "training"
    command = ["-m", "tests.bench.plain_training", str(place.made / "lake"), "--out", str(out)]
    succeeded(run(command, place.made / "plain-training"))
    figures = json.loads((out / "figures.json").read_text())
    whole = sum(figures["seconds"].values())
    parts = ", ".join(f"{name} {taken:.1f}" for name, taken in figures["seconds"].items())
    name = "plain: xgboost, metrics, same rows"
    place.tell(name, whole, None, f"({parts})", _roc_auc(figures["metrics"]["xgboost"]["roc_auc"][0]))
    print(f"{'':>11} train took {train / whole:.2f} x that", flush=True)


def accuracy(place: Place) -> None:
    """What trees reach with the 25 alone, and what no model can pass, on the same test rows."""
    from tests.bench.reachable import reachable_roc_auc  # scikit-learn: not to read flags

    runs = place.made / "the-25"
    shutil.rmtree(runs, ignore_errors=True)
    runs.mkdir()
    others = f"features.drop=[{','.join(_beyond_the_25())}]"
    alone = job("train", place, "the-25-alone", others, f"mlflow.tracking_uri=sqlite:///{runs}/mlflow.db")
    aucs = {model: float(value) for model, value in _MODEL.findall(alone.text)}
    place.tell("train on the analysts' 25 alone", alone.seconds, alone.most, _roc_auc(aucs["xgboost"]))
    found: list[float] = []
    taken = seconds(lambda: found.append(reachable_roc_auc(place.raw, place.made / "lake")))
    place.tell("reading the truth", taken, None, _roc_auc(found[0]))


def _beyond_the_25() -> list[str]:
    from pozytywka_spark.features.declared.catalogue import ANALYSTS, CATALOGUE

    known = {feature.name for feature in ANALYSTS}
    return [feature.name for feature in CATALOGUE if feature.name not in known]


def _roc_auc(value: float) -> str:
    return f"ROC AUC {value:.4f}"


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def main() -> None:
    """Parse, measure each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, nargs="+", default=[EMBEDDED, 10_000_000, 40_000_000])
    parser.add_argument("--memory", default="4GB", help="the script's")
    parser.add_argument("--heap", help="of the pipeline's JVM, such as 2g; unset: the default")
    parser.add_argument("--home", type=Path, help="keep the worlds here, and use those that are there")
    args = parser.parse_args()
    with worlds(args.home and args.home.resolve()) as home:
        for events in args.events:
            place = Place(events, home)
            make_world(place)
            shutil.rmtree(place.made, ignore_errors=True)
            figures = script(place, args.memory)
            train = pipeline(place, [f"spark.driver_memory={args.heap}"] if args.heap else [], figures)
            beside_xgboost(place, train)
            accuracy(place)


if __name__ == "__main__":
    main()
