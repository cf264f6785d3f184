"""How near total plays are foretold to what nobody could foretell better, on worlds with a rhythm.

    python -m tests.bench.bench_forecast_rhythm [--worlds 12] [--first-seed 101] [--keep]

Worlds of 20,000 users and 14 months: their sessions and what is played in them, as the generator draws them,
without the rest of a world, so that a world takes half a second. From 60 and from 30 days before its end each
is forecast as the job does, by city and total, from what was complete then; the first 30 days of both are
judged: the mean absolute error of the total over that of the true expected series. One world's figure is
partly chance, so the bound (1.1) is on their mean.

Beside it what an unbiased estimate could reach (Cramér and Rao): of one who knows the form of everything, but
has to estimate level, week, growth, a yearly wave, how users stay and what a month's length does from the
same days. Exits with 1 where the mean misses the bound. `--keep` writes results/forecast_rhythm.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from pozytywka_spark.config import load_settings
from pozytywka_spark.forecasting.joined import JoinedByCity, joined_of
from pozytywka_spark.forecasting.one_bucket import forecast_bucket
from pozytywka_spark.forecasting.past import Values
from pozytywka_spark.forecasting.series_names import series_name
from pozytywka_spark.forecasting.spec import Spec
from pozytywka_spark.forecasting.stored import ALL
from pozytywka_spark.synthetic.expected import _active_share, expected_of, means_of
from pozytywka_spark.synthetic.people import passports, people_of
from pozytywka_spark.synthetic.plan import DAY_MS, Plan
from pozytywka_spark.synthetic.sessions import sessions_of
from tests.bench.bench_alarms import RHYTHM

BOUND = 1.1
BACK, JUDGED, HORIZON = (60, 30), 30, 35
KEPT = Path(__file__).parent / "results" / "forecast_rhythm.json"


@dataclass(frozen=True)
class World:
    """By city (`all` too) a value a day: plays, users whose first session it is, expected plays."""

    first: date
    plays: Mapping[str, Values]
    new: Mapping[str, Values]
    expected: Values
    plan: Plan


def world_of(seed: int) -> World:
    """A world's sessions, chunk by chunk."""
    wanted = ("users=20000", "months=14", f"seed={seed}", *RHYTHM)
    plan = Plan(load_settings("local", [f"synthetic.{each}" for each in wanted]).synthetic)
    starts = plan.month_starts_ms() // DAY_MS
    days = int(starts[-1] - starts[0])
    cities, _ = means_of(plan, 0)
    plays, new = np.zeros((len(cities), days)), np.zeros((len(cities), days))
    mean = np.zeros(len(cities))
    for chunk in range(plan.chunks):
        city = np.searchsorted(cities, passports(plan, chunk)["city"])
        mean += means_of(plan, chunk)[1]
        sessions = sessions_of(plan, plan.rng(3, chunk), people_of(plan, chunk))
        day = sessions.planned_ms // DAY_MS - starts[0]
        np.add.at(plays, (city[sessions.user], day), sessions.plays)
        first = sessions.number == 0
        np.add.at(new, (city[sessions.user[first]], day[first]), 1)
    expected = expected_of(plan, dict(zip(cities, mean, strict=True)))["plays", ALL]
    return World(plan.world.start, _by_city(cities, plays), _by_city(cities, new), expected, plan)


def _by_city(cities: Values, values: Values) -> dict[str, Values]:
    return {ALL: values.sum(axis=0), **dict(zip(cities.tolist(), values, strict=True))}


def joined(world: World, origin: int) -> JoinedByCity | None:
    """Users who joined in the months that were over then."""
    over = (world.first + timedelta(days=origin)).replace(day=1)
    days = pl.Series([world.first + timedelta(days=n) for n in range(len(world.expected))])
    months = days.dt.truncate("1mo")
    rows = pl.concat(
        pl.DataFrame({"city": [city] * len(days), "month": months, "value": values})
        for city, values in world.new.items()
    )
    known = rows.filter(pl.col("month") < over).group_by("city", "month").agg(pl.col("value").sum())
    return joined_of(known.sort("city", "month"))


def foretold(world: World, origin: int) -> tuple[Values, float]:
    """Means of the total's days judged, and the share of all series' days within their 90% interval."""
    days = [world.first + timedelta(days=n) for n in range(origin + JUDGED)]
    frame = pl.concat(
        pl.DataFrame({"series": series_name("plays", city, ALL), "day": days, "value": values[: len(days)]})
        for city, values in sorted(world.plays.items())
    )
    begin = days[origin]
    spec = Spec(HORIZON, origin=f"{begin}", joined=joined(world, origin))
    made = forecast_bucket(frame.filter(pl.col("day") < begin), spec, coherent=True).forecasts
    rows = made.join(frame, left_on=["series", "time"], right_on=["series", "day"]).sort("series", "ahead")
    total = rows.filter(series=series_name("plays", ALL, ALL)).get_column("mean").to_numpy()
    return total, float(rows.select(pl.col("value").is_between("low_90", "high_90").mean()).item())


def unbiased(world: World) -> float:
    """What the ratio would be of an estimate as good as unbiased ones can be, of a known form."""
    expected = world.expected
    day = np.arange(len(expected))
    days = np.datetime64(world.first, "D") + day
    month = (days.astype("datetime64[M]") - days[0].astype("datetime64[M]")).astype(int)
    length = np.log(np.bincount(month))[month]
    turn = 2 * np.pi * day / 365.25
    how = world.plan.behaviour
    stays = {"stay": how.stay, "comeback": how.comeback}
    step = 1e-3
    staying = [
        (_log_users(world, {**stays, name: value + step}) - _log_users(world, stays))[month] / step
        for name, value in stays.items()
    ]
    week = (day[:, None] % 7 == np.arange(7)).astype(float)
    design = np.column_stack([week, day / 365.25, np.sin(turn), np.cos(turn), length, *staying])
    # plays of a session are uniform, sessions come as Poisson's: the variance of a day's plays over its mean
    low_high = np.arange(1, how.plays[2] + 1)
    spread = float((low_high**2).mean() / low_high.mean())
    noise = spread / expected
    off, least = 0.0, 0.0
    for back in BACK:
        origin = len(expected) - 1 - back
        seen, ahead = design[:origin], design[origin : origin + JUDGED]
        told = np.linalg.inv(seen.T @ (seen / noise[:origin, None]))
        missed = np.einsum("ij,jk,ik->i", ahead, told, ahead)
        of_days, size = noise[origin : origin + JUDGED], expected[origin : origin + JUDGED]
        off += float(size @ np.sqrt(of_days + missed))
        least += float(size @ np.sqrt(of_days))
    return off / least


def _log_users(world: World, how: Mapping[str, float]) -> Values:
    behaviour = world.plan.behaviour.__class__(**how)
    return np.log(_active_share(Plan(world.plan.world, behaviour)))


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--worlds", type=int, default=12)
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--keep", action="store_true", help="these figures are the ones to compare to")
    flags = parser.parse_args()
    ratios, covers, reached = [], [], []
    for seed in range(flags.first_seed, flags.first_seed + flags.worlds):
        world = world_of(seed)
        off = least = 0.0
        for back in BACK:
            origin = len(world.expected) - 1 - back  # the last day isn't complete
            judged = slice(origin, origin + JUDGED)
            mean, cover = foretold(world, origin)
            off += float(np.abs(mean - world.plays[ALL][judged]).sum())
            least += float(np.abs(world.expected[judged] - world.plays[ALL][judged]).sum())
            covers.append(cover)
        ratios.append(off / least)
        reached.append(unbiased(world))
        print(f"world {seed}: {ratios[-1]:.3f} of the expected series' error", flush=True)
    figures = {
        "worlds": len(ratios),
        "ratio": float(np.mean(ratios)),
        "median": float(np.median(ratios)),
        "worst": max(ratios),
        "within_bound": float(np.mean(np.array(ratios) <= BOUND)),
        "covers_90": float(np.mean(covers)),
        "best_unbiased": float(np.mean(reached)),
    }
    print({name: round(value, 3) for name, value in figures.items()})
    if flags.keep:
        rounded = {name: round(value, 4) for name, value in figures.items()}
        KEPT.write_text(json.dumps(rounded, indent=1) + "\n")
    return int(figures["ratio"] > BOUND)


if __name__ == "__main__":
    sys.exit(main())
