"""The whole loop on a made world, through the jobs: what models decided, how right, what blocks held off.

    python -m tests.bench.bench_loop --home var/bench/loop [--users 5000] [--seed 77] [--precision 0.95]

Month by month cases are decided, judged by made-up reviewers and released; models are built every second
month and promoted once fresh cases prove them. All is judged by the world's truth, which no job reads. Where
few accounts of a world cheat in one way, nothing is proven of that group: an account counts once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pozytywka_spark.months import month_after

START = date(2022, 1, 1)
PROJECT = Path(__file__).resolve().parents[2]
CHEATS = ("bot", "skimmer", "hijacked", "ring", "quick_buyer")
LASTING_DAYS = 45


@dataclass(frozen=True)
class Loop:
    """Jobs on one delivery and home, all with the same precision to prove."""

    home: Path
    precision: float

    def job(self, name: str, *flags: str, allowed: tuple[int, ...] = (0,)) -> None:
        """Run a job. Raises `SystemExit` with its words where it ends otherwise than allowed."""
        sets = [f"home={self.home}", f"raw.path={self.raw}", f"factory.precision={self.precision}"]
        overrides = [part for each in sets for part in ("--set", each)]
        done = subprocess.run(
            [sys.executable, PROJECT / "jobs" / f"{name}.py", *flags, *overrides],
            capture_output=True, text=True, check=False, cwd=PROJECT,
        )  # fmt: skip
        if done.returncode not in allowed:
            raise SystemExit(f"{name} {' '.join(flags)}: exit {done.returncode}\n{done.stderr[-2000:]}")

    @property
    def raw(self) -> Path:
        """The delivery."""
        return self.home / "raw"

    def month(self, number: int) -> None:
        """The trust team's month: decide, ask, answer, release; build and promote at its end."""
        cut_off = month_after(START, number + 1).isoformat()
        queue, answers = self.home / f"queue-{cut_off}.jsonl", self.home / f"verdicts-{cut_off}.jsonl"
        if number > 2:
            self.job("factory", "decide", "--until", cut_off)
        self.job("moderation", "queue", "--out", str(queue), "--at", cut_off)
        self.job("synthesize", "--verdicts", str(queue), "--delivery", str(self.raw), "--out", str(answers),
                 "--error", "0.002", "--reviewers", "200", "--at", cut_off)  # fmt: skip
        self.job("moderation", "verdicts", "--from", str(answers))
        self.job("moderation", "run", "--until", cut_off)
        if number > 1 and number % 2 == 0:
            self.job("factory", "build", "--at", cut_off)
        if number > 2:
            for group, side in self.sides_in_shadow():
                self.job(
                    "factory", "promote", "--group", group, "--side", side, "--at", cut_off, allowed=(0, 3)
                )

    def sides_in_shadow(self) -> list[tuple[str, str]]:
        """Group and side of whatever watches and doesn't decide yet."""
        sides = ["build_id", "group", "side"]
        latest = self.table("factory_models").sort("effective_at").group_by(sides).last()
        return (
            latest.filter(pl.col("state") == "shadow").select("group", "side").unique().sort("group").rows()
        )

    def table(self, name: str) -> pl.DataFrame:
        """All rows of a table."""
        return pl.read_delta(str(self.home / "lake" / name))

    def truth(self) -> pl.DataFrame:
        """Grain account that cheats or looks like it: `user_id`, `kind`, `starts_at`, `ends_at`."""
        files = sorted(Path(f"{self.raw}_truth", "accounts").glob("*.jsonl"))
        rows = pl.concat([pl.read_ndjson(file) for file in files], how="diagonal_relaxed")
        times = pl.col("starts_at", "ends_at").str.to_datetime(time_zone="UTC")
        return rows.select("user_id", "kind", times)


def figures(loop: Loop) -> dict[str, float]:
    """What came of it, each as a share."""
    truth, cases = loop.truth(), loop.table("cases")
    live = loop.table("decisions").filter((pl.col("mode") == "live") & (pl.col("decision") != "person"))
    if not live.height:
        raise SystemExit("no side ever went live: too few accounts cheat in one way, or too few months")
    later = cases.filter(pl.col("opened_at") >= live["decided_at"].min())
    refused = live.filter(pl.col("decision") == "refuse").join(cases, on="case_id").explode("accounts")
    known = refused.join(truth, left_on="accounts", right_on="user_id", how="left")
    day = pl.col("cut_off").dt.offset_by("-1d")
    bad = pl.col("kind").is_in(CHEATS) & (pl.col("starts_at") < pl.col("cut_off")) & (day < pl.col("ends_at"))
    honest = truth.filter(~pl.col("kind").is_in(CHEATS))
    plays = loop.table("events").filter(pl.col("event_type") == "PLAY").select("user_id", "event_time")
    plays = _with_blocked(loop, plays)
    whose = plays.join(truth, on="user_id", how="left")
    lasting = (pl.col("ends_at") - pl.col("starts_at")).dt.total_days() >= LASTING_DAYS
    cheating = pl.col("event_time").is_between("starts_at", "ends_at", closed="left")
    held_off = whose.filter(pl.col("kind").is_in(CHEATS[:3]) & lasting & cheating)
    plain = whose.filter(pl.col("kind").is_null() | ~pl.col("kind").is_in(CHEATS))
    alike = known.filter(pl.col("kind").is_in(honest["kind"].unique().implode()))
    return {
        "later cases decided by models": live["case_id"].n_unique() / later.height,
        "of what they refused truly bad": float(known.select(bad.fill_null(value=False).mean()).item()),
        "look-alikes refused": alike["accounts"].n_unique() / max(1, honest.height),
        "plays of lasting bots, skimmers, hijackers inside blocks": float(held_off["blocked"].mean()),  # type: ignore[arg-type]
        "plays of honest accounts inside blocks": float(plain["blocked"].mean()),  # type: ignore[arg-type]
    }


def _with_blocked(loop: Loop, plays: pl.DataFrame) -> pl.DataFrame:
    """Blocks that overlap are made one, so that a play meets one at most."""
    blocks = loop.table("blocks").sort("recorded_at").unique(["user_id", "case_id"], keep="last")
    blocks = blocks.filter(pl.col("starts_at") < pl.col("ends_at")).sort("user_id", "starts_at")
    before = pl.col("ends_at").cum_max().shift(1).over("user_id")
    begins = (pl.col("starts_at") > before).fill_null(value=True)
    whole = blocks.group_by("user_id", begins.cum_sum().alias("number")).agg(
        pl.col("starts_at").min().alias("block"), pl.col("ends_at").max().alias("until")
    )
    met = plays.sort("event_time").join_asof(
        whole.sort("block").drop("number"),
        left_on="event_time",
        right_on="block",
        by="user_id",
        check_sortedness=False,
    )
    inside = (pl.col("event_time") < pl.col("until")).fill_null(value=False)
    return met.with_columns(blocked=inside).drop("block", "until")


def main() -> None:
    """Make the world, live through its months, print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--users", type=int, default=5000)
    parser.add_argument("--months", type=int, default=9)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--precision", type=float, default=0.95)
    args = parser.parse_args()
    loop = Loop(args.home.resolve(), args.precision)
    kinds = ("bots", "skimmers", "hijacked", "quick-buyers", "fans", "sleepers", "quick-stayers")
    flags = [("--fraud", "10"), *((f"--{kind}", str(args.users // 25)) for kind in kinds)]
    loop.job("synthesize", "--out", str(loop.raw), "--users", str(args.users), "--months", str(args.months),
             "--seed", str(args.seed), "--camouflage", "0.4", "--set", "synthetic.truth_paths=0",
             *(part for flag in flags for part in flag))  # fmt: skip
    loop.job("ingest")
    loop.job("fraud", "scan")
    for number in range(args.months - 1):
        loop.month(number)
    last = month_after(START, args.months).isoformat()
    loop.job("factory", "decide", "--until", last)
    loop.job("moderation", "run", "--until", last)
    sys.stdout.write(json.dumps(figures(loop), indent=2) + "\n")


if __name__ == "__main__":
    main()
