"""Alarms on a made world: outages of the service and of a city, quiet days, a last day cut at noon.

    python -m tests.bench.bench_alarms HOME [--seeds 20]
    python -m tests.bench.bench_alarms HOME --make [--world-seed 7]

HOME is the folder of a world with its lake, its series and forecasts of two origins, 30 days apart, with 30
complete days after the last: `--make` makes it (20,000 users, 14 months, with a week, a year and growth; ten
minutes). The quiet days are checked as `forecast check` does. Then, of each seed, a day and a city are
drawn; 60% of the day's sessions are taken out of it, or 90% of the city's, and the day's series are counted
again from the events that are left, and judged. Aims: all of 20 outages of the service, 16 of 20 of a city,
at most 2 of 60 quiet days alarmed, none of a day cut at noon. Exits with 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.forecasting.alarms import Alarm, alarms_of_day
from pozytywka_spark.forecasting.check import check, past_of
from pozytywka_spark.forecasting.measures import ALL
from pozytywka_spark.forecasting.series import build_series
from pozytywka_spark.forecasting.stored import DAILY, KEYS, daily_values, forecast_rows, origins_of
from pozytywka_spark.forecasting.surprise import Spreads, spread_of
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import EVENTS, FORECAST_ALARMS, FORECAST_CHECKS, FORECAST_ERRORS, FORECASTS
from pozytywka_spark.spark.session import build_session
from tests.bench.bench_fraud import beside

ROOT = Path(__file__).resolve().parents[2]
DAYS = 60
RHYTHM = ("rhythm.weekly=0.3", "rhythm.yearly=0.2", "rhythm.growth=0.2")
_BY_EVENT = {
    "plays": "PLAY",
    "skips": "SKIP",
    "likes": "LIKE",
    "adverts": "ADVERTISEMENT",
    "purchases": "BUY_PREMIUM",
}


@dataclass(frozen=True)
class Loss:
    """What is taken out of a day: a share of the sessions of a city, or of all."""

    day: date
    city: str
    share: float
    seed: int


def options(home: Path) -> list[str]:
    """Settings of the world at `home`."""
    given = (f"home={home}", f"lake.root={home}/lake", f"raw.path={home}/raw", "spark.master=local[2]")
    return [word for value in given for word in ("--set", value)]


def make(home: Path, seed: int) -> None:
    """World, lake, series and two forecasts."""
    rhythm = [word for each in RHYTHM for word in ("--set", f"synthetic.{each}")]
    world = ["--out", f"{home}/raw", "--users", "20000", "--months", "14", "--seed", str(seed), *rhythm]
    run("synthesize", *world, *options(home))
    run("ingest", *options(home))
    settings, _, lake = opened(home)
    end = build_series(settings, lake).end
    for back in (DAYS, DAYS // 2):
        run("forecast", "run", "--origin", str(end - timedelta(days=back)), *options(home))


def run(job: str, *words: str) -> None:
    """A job as people run it."""
    subprocess.run([sys.executable, str(ROOT / "jobs" / f"{job}.py"), *words], check=True, cwd=ROOT)


def opened(home: Path) -> tuple[Settings, SparkSession, Lake]:
    """Settings, session and lake."""
    settings = load_settings("local", options(home)[1::2])
    spark = build_session(settings, "bench alarms")
    return settings, spark, open_lake(settings, spark)


def forget_checks(lake: Lake) -> None:
    """As if nothing had been checked."""
    for table in (FORECAST_CHECKS, FORECAST_ALARMS):
        if lake.exists(table.name):
            lake.overwrite(lake.rows(table.name).slice(0, 0), table)


def day_rows(lake: Lake, loss: Loss) -> pl.DataFrame:
    """A day's series beside its forecast, with what is lost taken out of them."""
    origin = max(each for each in origins_of(lake, DAILY) if each <= loss.day)
    values = daily_values(lake, loss.day, loss.day + timedelta(days=1)).rename({"value": "quiet"})
    foretold = forecast_rows(lake, DAILY, origin).select(*KEYS, "day", "mean", "high_90")
    rows = values.join(foretold, on=[*KEYS, "day"])
    shares = left_of_day(lake, loss)
    left = pl.DataFrame(
        [(measure, city, share) for (measure, city), share in shares.items()],
        {"measure": pl.String, "city": pl.String, "left": pl.Float64},
        orient="row",
    )
    return rows.join(left, on=["measure", "city"], how="left").with_columns(
        actual=pl.col("quiet") * pl.col("left").fill_null(1.0)
    )


def left_of_day(lake: Lake, loss: Loss) -> Mapping[tuple[str, str], float]:
    """By measure and city the share of the day's value that the sessions left come to.

    Of events exactly; hours as plays; active users and new ones by who has an event left.
    """
    month = loss.day.replace(day=1)
    columns = ["user_id", "event_time", "event_type", "session_id"]
    events = pl.DataFrame(lake.rows("events", columns, [{"event_month": month}]))
    users = pl.DataFrame(lake.rows("users", ["user_id", "city"]))
    begins = pl.col("event_time").min().over("user_id", "session_id").dt.date()
    mine = events.with_columns(begins=begins).join(users, on="user_id")
    here = (pl.col("begins") == loss.day) & (
        (pl.col("city") == loss.city) if loss.city != ALL else pl.lit(value=True)
    )
    sessions = mine.filter(here).get_column("session_id").unique().sort()
    lost = sessions.filter(pl.Series(np.random.default_rng(loss.seed).random(len(sessions)) < loss.share))
    of_day = mine.filter(pl.col("event_time").dt.date() == loss.day)
    stays = of_day.filter(~pl.col("session_id").is_in(lost.implode()))
    shares: dict[tuple[str, str], float] = {}
    for city in (ALL, *users.get_column("city").unique().to_list()):
        in_city = pl.lit(value=True) if city == ALL else pl.col("city") == city
        before, after = of_day.filter(in_city), stays.filter(in_city)
        for measure, kind in _BY_EVENT.items():
            counts = [frame.filter(pl.col("event_type") == kind).height for frame in (before, after)]
            shares[measure, city] = counts[1] / max(counts[0], 1)
        shares["listened_hours", city] = shares["plays", city]
        everyone = [frame.get_column("user_id").n_unique() for frame in (before, after)]
        shares["active_users", city] = shares["new_users", city] = everyone[1] / max(everyone[0], 1)
        shares["revenue", city] = (shares["purchases", city] + shares["adverts", city]) / 2
    return shares


def judged(lake: Lake, loss: Loss, spreads: Spreads) -> list[Alarm]:
    """Alarms of a day with a loss."""
    return alarms_of_day(loss.day, day_rows(lake, loss), spreads, 1.0)


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
    checked = check(settings, other)
    shutil.rmtree(copy)
    assert last not in checked.days
    return [alarm for alarm in checked.alarms if alarm.day >= last]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--world-seed", type=int, default=7)
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    if args.make:
        make(args.home, args.world_seed)
    settings, spark, lake = opened(args.home)
    forget_checks(lake)
    quiet = check(settings, lake)
    alarmed = sorted({alarm.day for alarm in quiet.alarms})
    print(f"quiet: {len(alarmed)} of {len(quiet.days)} days alarmed, {len(quiet.alarms)} alarms")
    for alarm in quiet.alarms:
        print(f"  {alarm.day} {'/'.join(alarm.node.place)} p {alarm.node.p():.1e} {alarm.detail}")
    spreads = spread_of(past_of(lake, frozenset()))
    cities = sorted(set(lake.rows("users", ["city"]).column("city").to_pylist()))
    found = {ALL: 0, "city": 0}
    more = {ALL: 0, "city": 0}
    for seed in range(args.seeds):
        dice = np.random.default_rng(seed)
        day = quiet.days[int(dice.integers(len(quiet.days)))]
        city = cities[int(dice.integers(len(cities)))]
        for name, loss in (("all", Loss(day, ALL, 0.6, seed)), ("city", Loss(day, city, 0.9, seed))):
            places = {alarm.node.place: alarm for alarm in judged(lake, loss, spreads)}
            hit = places.get((loss.city, ALL))
            found[name] += hit is not None
            more[name] += len(places) - (hit is not None)
            if hit is None:
                print(f"  missed: {loss}; {sorted(places)}")
            elif seed < 3:
                print(f"  {loss.day} {loss.city}: p {hit.node.p():.1e}, {hit.detail}")
    for name, least in (("all", args.seeds), ("city", args.seeds * 4 // 5)):
        print(f"outages, {name}: {found[name]} of {args.seeds} (aim {least}); {more[name]} other alarms")
    noon = cut_at_noon(args.home, spark, lake, quiet.days[-1])
    print(f"a last day cut at noon: {len(noon)} alarms")
    spark.stop()
    sys.exit(
        int(len(alarmed) > 2 or bool(noon) or found[ALL] < args.seeds or found["city"] < args.seeds * 4 // 5)
    )


if __name__ == "__main__":
    main()
