"""Alarms on made worlds: outages of the service and of a city, quiet days, a last day cut at noon.

    python -m tests.bench.bench_alarms HOME:SEED … [--make] [--keep]

HOME is the folder of a world of that seed with its lake and forecasts of two origins, 59 and 29 days before
its last, incomplete day: `--make` makes it through the jobs (20,000 users, 14 months, a week, a year, growth
and `synthetic.outages`: on ten of the days 60% of the service's sessions don't happen, on ten more 90% of a
city's, most of them after the second origin; ten minutes). All days are checked by the job, as the days of
two months come. Aims over all worlds: each outage of the service alarms on its day as such, of a city's 16 of
20; on 60 quiet days at most 2 alarmed; none of a day cut at noon. Exits with 1 where an aim is missed, or
where a world does worse than the figures in `tests/bench/results/alarms.json`, which `--keep` writes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.config.rhythm import EVERYWHERE
from pozytywka_spark.forecasting.alarms import Alarm
from pozytywka_spark.forecasting.check import check
from pozytywka_spark.forecasting.measures import ALL
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import EVENTS, FORECAST_ALARMS, FORECAST_CHECKS, FORECAST_ERRORS, FORECASTS
from pozytywka_spark.spark.session import build_session
from pozytywka_spark.synthetic.words import CITIES
from tests.bench.bench_fraud import beside

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).parent / "results" / "alarms.json"
MONTHS, END = 14, date(2023, 2, 28)  # the day that isn't complete
FIRST, SECOND = date(2022, 12, 31), date(2023, 1, 30)  # the origins
RHYTHM = ("rhythm.weekly=0.3", "rhythm.yearly=0.2", "rhythm.growth=0.2")


@dataclass(frozen=True)
class Loss:
    """A day on which sessions don't happen, of a city or of all."""

    day: date
    city: str
    share: float


def outages_of(seed: int) -> list[Loss]:
    """Six days before the second origin and fourteen after it, half of them of the service."""
    dice = np.random.default_rng(seed)
    before = 1 + dice.choice(28, 6, replace=False)
    after = 31 + dice.choice(27, 14, replace=False)
    days = [FIRST + timedelta(days=int(n)) for n in [*before[:3], *after[:7], *before[3:], *after[7:]]]
    service = [Loss(day, EVERYWHERE, 0.6) for day in days[:10]]
    return service + [Loss(day, CITIES[int(dice.integers(len(CITIES)))], 0.9) for day in days[10:]]


def options(home: Path) -> list[str]:
    """Settings of the world at `home`."""
    given = (f"home={home}", f"lake.root={home}/lake", f"raw.path={home}/raw", "spark.master=local[2]")
    return [word for value in given for word in ("--set", value)]


def make(home: Path, seed: int) -> None:
    """World, lake, series and two forecasts."""
    outages = ",".join(f"{loss.day}:{loss.city}:{loss.share}" for loss in outages_of(seed))
    rhythm = [word for each in (*RHYTHM, f"outages={outages}") for word in ("--set", f"synthetic.{each}")]
    world = [
        "--out",
        f"{home}/raw",
        "--users",
        "20000",
        "--months",
        str(MONTHS),
        "--seed",
        str(seed),
        *rhythm,
    ]
    run("synthesize", *world, *options(home))
    run("ingest", *options(home))
    for origin in (FIRST, SECOND):
        run("forecast", "run", "--origin", str(origin), *options(home))


def run(job: str, *words: str, code: tuple[int, ...] = (0,)) -> None:
    """A job as people run it."""
    ended = subprocess.run([sys.executable, str(ROOT / "jobs" / f"{job}.py"), *words], check=False, cwd=ROOT)
    assert ended.returncode in code, f"{job} ended with {ended.returncode}"


def checked(home: Path, lake: Lake) -> dict[date, set[str]]:
    """By checked day the cities that alarmed, as the job leaves them when nothing was checked before."""
    for table in (FORECAST_CHECKS, FORECAST_ALARMS):
        if lake.exists(table.name):
            lake.overwrite(lake.rows(table.name).slice(0, 0), table)
    run("forecast", "check", *options(home), code=(0, 4))
    days: dict[date, set[str]] = {
        day: set() for day in lake.rows(FORECAST_CHECKS.name).column("day").to_pylist()
    }
    for row in lake.rows(FORECAST_ALARMS.name).to_pylist():
        days[row["day"]].add(row["city"])
        print(f"  {row['day']} {row['city']} p {row['p']:.1e} {row['detail']}")
    return days


def figures_of(days: dict[date, set[str]], losses: list[Loss]) -> dict[str, int]:
    """How many outages of each kind were found, and how many quiet days alarmed."""
    figures = Counter[str]()
    for loss in losses:
        kind = "service" if loss.city == EVERYWHERE else "city"
        place = ALL if loss.city == EVERYWHERE else loss.city
        figures[kind] += 1
        figures[f"{kind}_found"] += place in days[loss.day]
        figures["beside"] += len(days[loss.day] - {place})
        if place not in days[loss.day]:
            print(f"  missed: {loss}")
    quiet = set(days) - {loss.day for loss in losses}
    figures["quiet"] = len(quiet)
    figures["quiet_alarmed"] = sum(bool(days[day]) for day in quiet)
    return dict(figures)


def cut_at_noon(home: Path, spark: SparkSession, lake: Lake, last: date) -> list[Alarm]:
    """Alarms of the last day of a lake whose data end at its noon, beside the forecasts of this one."""
    copy = home.with_name(f"{home.name}-noon")
    shutil.rmtree(copy, ignore_errors=True)
    settings, other = beside(home / "lake", copy, spark)
    for table in (FORECASTS.name, FORECAST_ERRORS.name):
        Path(other.path(table).removeprefix("file:")).symlink_to((home / "lake" / table).absolute())
    Path(other.path(EVENTS.name).removeprefix("file:")).unlink()
    noon = datetime.combine(last, time(12), UTC)
    other.append(EVENTS.conform(lake.read(EVENTS.name).where(F.col("event_time") < F.lit(noon))), EVENTS)
    found = check(settings, other)
    shutil.rmtree(copy)
    assert last not in found.days
    return [alarm for alarm in found.alarms if alarm.day >= last]


def opened(home: Path) -> tuple[Settings, SparkSession, Lake]:
    """Settings, session and lake."""
    settings = load_settings("local", options(home)[1::2])
    spark = build_session(settings, "bench alarms")
    return settings, spark, open_lake(settings, spark)


def missed(figures: dict[str, dict[str, int]], kept: dict[str, dict[str, int]]) -> list[str]:
    """Aims that all worlds together miss, and worlds that do worse than they did."""
    every = sum((Counter(of) for of in figures.values()), Counter[str]())
    said = []
    for kind, share in (("service", 1.0), ("city", 0.8)):
        print(f"outages, {kind}: {every[f'{kind}_found']} of {every[kind]}")
        if every[f"{kind}_found"] < share * every[kind]:
            said.append(f"too few outages found: {kind}")
    print(f"quiet: {every['quiet_alarmed']} of {every['quiet']} days alarmed; at noon {every['noon']}")
    if every["quiet_alarmed"] * 60 > 2 * every["quiet"] or every["noon"]:
        said.append("quiet days alarm")
    for name, of in figures.items():
        for figure in ("service_found", "city_found"):
            if of[figure] < kept.get(name, of)[figure]:
                said.append(f"world {name}: {figure} {of[figure]}, it was {kept[name][figure]}")
    return said


def main() -> int:
    """Measure, print, compare or keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("worlds", nargs="+", metavar="HOME:SEED")
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--keep", action="store_true", help="these figures are the ones to compare to")
    flags = parser.parse_args()
    figures: dict[str, dict[str, int]] = {}
    for world in flags.worlds:
        folder, _, seed = world.rpartition(":")
        home = Path(folder).absolute()
        if flags.make:
            make(home, int(seed))
        _, spark, lake = opened(home)
        print(f"world {seed}")
        days = checked(home, lake)
        figures[seed] = {**figures_of(days, outages_of(int(seed)))}
        figures[seed]["noon"] = len(cut_at_noon(home, spark, lake, max(days)))
        spark.stop()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    said = missed(figures, {} if flags.keep else kept)
    if flags.keep:
        KEPT.write_text(json.dumps({**kept, **figures}, indent=1, sort_keys=True) + "\n")
    print("\n".join(said))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
