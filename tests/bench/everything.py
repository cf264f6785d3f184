"""Every stage's bench at every size, each in a process of its own; a table with growth exponents, a picture.

What a bench told is kept in `results.json` as soon as it ended, so that a run that was stopped, or whose
`--minutes` were over, goes on with what is missing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.kept_worlds import worlds

HERE = Path(__file__).resolve().parent
COMMANDS = {
    "ingest": "tests.bench.bench_ingest {events}",
    "features": "tests.bench.bench_features --runs 1 --events {events} --home {home}",
    "models": "tests.bench.bench_models --events {events} --home {home}",
    "pipeline": "tests.bench.bench_pipeline --events {events} --home {home}",
}
_TIMED = re.compile(r"^\s*[\d,]+(?: events\s+\d+ MB)?\s+(?P<name>\S.*?)\s+(?P<seconds>\d+\.\d+) s\b")
_OWN_PEAK = re.compile(r"peak\s+([\d,]+) MB")
_ROC_AUC = re.compile(r"ROC AUC (\d\.\d+)")
_PEAK = re.compile(
    r"peak memory of (?P<whose>the JVM|xgboost)(?: and its Python workers| so far)? (?P<peak>[\d.]+) GB"
)

Timing = dict[str, float]
Results = dict[str, dict[str, dict[str, Timing]]]  # stage, events, what: seconds, peak in GB, roc_auc


def read_timings(text: str) -> dict[str, Timing]:
    """What a bench printed, by name; memory apart from a line belongs to all before it that ran there."""
    found: dict[str, Timing] = {}
    for line in text.splitlines():
        if timed := _TIMED.match(line):
            found[timed["name"]] = {"seconds": float(timed["seconds"])}
            if peak := _OWN_PEAK.search(line):
                found[timed["name"]]["peak"] = float(peak[1].replace(",", "")) / 1e3
            if area := _ROC_AUC.search(line):
                found[timed["name"]]["roc_auc"] = float(area[1])
        elif told := _PEAK.search(line):
            for name, timing in found.items():
                if told["whose"] == _runs_in(name):
                    timing.setdefault("peak", float(told["peak"]))
    return found


def _runs_in(name: str) -> str | None:
    """What a bench of this name runs in, as memory is told of it; None for DuckDB, of which none is told."""
    if "duckdb" in name:
        return None
    return "xgboost" if "xgboost" in name else "the JVM"


def exponent(by_size: Mapping[int, float]) -> float | None:
    """b of seconds = a · events^b, by least squares over the logarithms; None for less than two sizes."""
    if len(by_size) < 2:
        return None
    points = [(math.log(events), math.log(max(taken, 1e-3))) for events, taken in by_size.items()]
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def curves(results: Results) -> dict[str, dict[int, Timing]]:
    """Of each thing measured, its timings by size."""
    found: dict[str, dict[int, Timing]] = defaultdict(dict)
    for stage, sizes in results.items():
        for events, timings in sizes.items():
            for name, timing in timings.items():
                found[f"{stage}: {name}"][int(events)] = timing
    return {name: dict(sorted(sizes.items())) for name, sizes in found.items()}


def as_table(results: Results) -> str:
    """Markdown: seconds (peak memory, ROC AUC) at each size, and how they grow."""
    found = curves(results)
    sizes = sorted({events for by_size in found.values() for events in by_size})
    heads = ["what", *(f"{events / 1e6:g} M" for events in sizes), "exponent"]
    lines = [heads, ["---"] * len(heads)]
    for name, by_size in found.items():
        grows = exponent({events: timing["seconds"] for events, timing in by_size.items()})
        cells = [_cell(by_size[events]) if events in by_size else "" for events in sizes]
        lines.append([name, *cells, "" if grows is None else f"{grows:.2f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(timing: Timing) -> str:
    beside = [f"{timing['peak']:.1f} GB"] if "peak" in timing else []
    beside += [f"ROC AUC {timing['roc_auc']:.3f}"] if "roc_auc" in timing else []
    return f"{timing['seconds']:.1f} s" + (f" ({', '.join(beside)})" if beside else "")


def draw(results: Results, path: Path) -> None:
    """A panel a stage: seconds over events, both logarithmic; the exponent stands beside each name."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "pozytywka"  # the same picture from the same figures
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(
        ncols=len(results), figsize=(6 * len(results), 6.5), sharey=True, squeeze=False, layout="constrained"
    )
    for axes, stage in zip(panels[0], results, strict=True):
        for name, by_size in curves({stage: results[stage]}).items():
            taken = {events: timing["seconds"] for events, timing in by_size.items()}
            grows = exponent(taken)
            label = name.removeprefix(f"{stage}: ") + ("" if grows is None else f" (^{grows:.2f})")
            theirs = any(other in name for other in ("duckdb", "polars", "xgboost", "script"))
            axes.plot(list(taken), list(taken.values()), "o--" if theirs else "o-", label=label)
        axes.set(xscale="log", yscale="log", xlabel="events", title=f"{stage}, {os.cpu_count()} cores")
        axes.grid(alpha=0.3, which="both")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.12), fontsize=8, ncols=2)
    panels[0][0].set_ylabel("seconds")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def measure(stage: str, events: int, home: Path, seconds: float) -> dict[str, Timing] | None:
    """What a bench tells, None if it took longer than `seconds`. Raises `SystemExit` if it fails.

    Benches of one size find in `home` what those before them made.
    """
    asked = (part.format(events=events, home=home) for part in COMMANDS[stage].split())
    command = [sys.executable, "-m", *asked]
    try:
        done = subprocess.run(
            command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr[-1500:]}")
    return read_timings(done.stdout)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is missing while there is time; table and picture of all there is."""
    parser = argparse.ArgumentParser(prog="scripts/bench.sh", description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000, 40_000_000])
    parser.add_argument("--stages", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--again", action="store_true", help="measure these stages and sizes anew")
    parser.add_argument("--home", type=Path, help="keep the worlds here, and use those that are there")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    kept, deadline = args.out / "results.json", time.monotonic() + 60 * args.minutes
    results: Results = json.loads(kept.read_text()) if kept.exists() else {}
    if args.again:
        for stage, events in itertools.product(args.stages, args.events):
            results.get(stage, {}).pop(str(events), None)
    for events in sorted(args.events):  # the small ones first: they tell most for their time
        with worlds(args.home) as home:
            for stage in args.stages:
                if str(events) in results.get(stage, {}):
                    continue
                left = deadline - time.monotonic()
                found = measure(stage, events, home, left) if left > 0 else None
                if found is None:
                    print(f"{stage} at {events:,} events: no time left; start again", file=sys.stderr)
                    continue
                results.setdefault(stage, {})[str(events)] = found
                kept.write_text(json.dumps(results, indent=1))
    (args.out / "results.md").write_text(as_table(results))
    draw(results, args.out / "results.svg")
    print(as_table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
