"""Accuracy on public series: error relative to the seasonal naive's, and coverage of 90% intervals.

Six sets have a bound; others stand beside them, and the last are held out: nothing was ever chosen by them.

    python -m tests.bench.bench_forecast_public [--folder FOLDER] [--only NAME] [--keep]

Each set is forecast from its last two horizons, by the settings that `forecast table` takes for its step;
nothing is chosen by set. `--keep` writes tests/bench/results/forecast_public.json; without it the figures are
compared to those kept, and a set that has become worse by over 0.02 ends it with 1, as does a missed bound.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.one_bucket import forecast_bucket
from pozytywka_spark.forecasting.spec import Spec
from pozytywka_spark.forecasting.table import table_spec
from tests.bench.held_out_series import held_out
from tests.bench.public_series import PublicSet, beside, named

ORIGINS = 2
BOUND_MEAN, BOUND_SET, BOUND_COVER = 0.92, 1.05, (0.86, 0.95)
WORSE = 0.02
KEPT = Path(__file__).parent / "results" / "forecast_public.json"
Figures = dict[str, float]


def figures_of(public: PublicSet) -> Figures:
    """Error over the naive's, coverage, points, core-seconds a series and origin."""
    spec = table_spec(public.freq, public.season, public.horizon)
    rows = []
    began = time.process_time()
    for back in range(ORIGINS, 0, -1):
        numbered = public.frame.with_columns(
            left=pl.len().over("series") - pl.int_range(pl.len()).over("series") - back * public.horizon
        )
        past = numbered.filter(pl.col("left") > 0).drop("left")
        truth = numbered.filter(pl.col("left").is_between(1 - public.horizon, 0)).drop("left")
        rows.append(_judged(past, truth, public, spec).with_columns(back=pl.lit(back)))
    spent = (time.process_time() - began) / ORIGINS / public.frame["series"].n_unique()
    judged = pl.concat(rows)
    by_series = judged.group_by("series", "back").agg(pl.col("error", "naive").mean())
    return {
        "relative": float(by_series["error"].sum() / by_series["naive"].sum()),
        "covers_90": float(judged["in_90"].mean()),
        "covers_80": float(judged["in_80"].mean()),
        "points": judged.height,
        "core_seconds_a_series": spent,
    }


def _judged(past: pl.DataFrame, truth: pl.DataFrame, public: PublicSet, spec: Spec) -> pl.DataFrame:
    """A row a point: scaled errors of ours and of the seasonal naive, whether intervals hold it."""
    forecasts = forecast_bucket(past, spec).forecasts
    naive = (
        past.drop_nulls()
        .group_by("series", maintain_order=True)
        .agg(
            last=pl.col("value").tail(public.season),
            scale=(pl.col("value") - pl.col("value").shift(public.season)).abs().mean(),
        )
    )
    together = forecasts.join(truth, left_on=["series", "time"], right_on=["series", "day"]).join(
        naive, on="series"
    )
    place = (pl.col("ahead").cast(pl.Int64) - 1) % public.season
    return together.drop_nulls("value").select(
        "series",
        error=(pl.col("mean") - pl.col("value")).abs() / pl.col("scale"),
        naive=(pl.col("last").list.get(place) - pl.col("value")).abs() / pl.col("scale"),
        in_90=pl.col("value").is_between("low_90", "high_90"),
        in_80=pl.col("value").is_between("low_80", "high_80"),
    )


def missed(
    figures: Mapping[str, Figures], bound_by: Mapping[str, PublicSet], kept: Mapping[str, Figures]
) -> list[str]:
    """What isn't as it has to be, a line each."""
    said = [
        f"{name}: {now['relative']:.3f} of the naive's error, {kept[name]['relative']:.3f} before"
        for name, now in figures.items()
        if name in kept and now["relative"] > kept[name]["relative"] + WORSE
    ]
    of_bound = [figures[name] for name in bound_by if name in figures]
    if len(of_bound) < len(bound_by):
        return said
    mean = float(np.mean([figure["relative"] for figure in of_bound]))
    worst = max(figure["relative"] for figure in of_bound)
    covers = pooled(of_bound)
    print(
        f"six sets: mean {mean:.3f} (at most {BOUND_MEAN}), worst {worst:.3f} (at most {BOUND_SET}), "
        f"90% covers {covers:.3f}"
    )
    if mean > BOUND_MEAN or worst > BOUND_SET or not BOUND_COVER[0] <= covers <= BOUND_COVER[1]:
        said.append("the six sets miss a bound")
    return said


def pooled(figures: list[Figures]) -> float:
    """Share of all points in their 90% interval."""
    return sum(each["covers_90"] * each["points"] for each in figures) / sum(
        each["points"] for each in figures
    )


def main() -> int:
    """Measure, print, compare or keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("var/public_series"), help="where the wheel lies")
    parser.add_argument("--only", action="append", help="a set's name; again for more")
    parser.add_argument("--keep", action="store_true", help="these figures are the ones to compare to")
    flags = parser.parse_args()
    bound_by = named(flags.folder)
    unseen = held_out(flags.folder)
    sets = {**bound_by, **beside(flags.folder), **unseen}
    figures: dict[str, Figures] = {}
    for name in flags.only or sets:
        figures[name] = figures_of(sets[name])
        print(name, {key: round(value, 3) for key, value in figures[name].items()}, flush=True)
    of_unseen = [figures[name] for name in unseen if name in figures]
    if of_unseen:
        relative = [figure["relative"] for figure in of_unseen]
        print(
            f"held out: mean {np.mean(relative):.3f}, worst {max(relative):.3f}, "
            f"90% covers {pooled(of_unseen):.3f}"
        )
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    said = missed(figures, bound_by, {} if flags.keep else kept)
    if flags.keep:
        rounded = {name: {key: round(value, 4) for key, value in of.items()} for name, of in figures.items()}
        KEPT.write_text(json.dumps({**kept, **rounded}, indent=1) + "\n")
    print("\n".join(said))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
