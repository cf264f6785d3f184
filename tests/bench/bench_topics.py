"""Genre groups on the real artists, beside LDA and NMF; and how long the job takes on many artists.

    python -m tests.bench.bench_topics judge [--draws 5] [--methods communities,nmf,ward,lda,last_word]
    python -m tests.bench.bench_topics size --artists 1000000 [--tracks-each 1]

`judge` reads ../shared/data/dirty beside the checkout; `size` draws its artists and titles from there and
from ../shared/data/sample with replacement.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
import psutil
from scipy import sparse

from pozytywka_spark.config import load_settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.schemas import ARTISTS, TRACKS
from pozytywka_spark.spark.session_on_demand import session_on_demand
from pozytywka_spark.topics.counts import count_genres, genre_rows
from pozytywka_spark.topics.stage import make_topics
from tests.bench.memory import together
from tests.topics import judge

GROUPS = 31  # as many as communities find, give or take
Method = Callable[[pl.DataFrame], Mapping[str, object]]


def matrix(artists: pl.DataFrame) -> tuple[list[str], sparse.csr_matrix]:
    """Genres, and a row an artist with a genre: 1 where it has it."""
    rows = genre_rows(artists)
    genres = rows.get_column("genre").unique().sort().to_list()
    place = {genre: number for number, genre in enumerate(genres)}
    artist = rows.get_column("artist").rank("dense").to_numpy().astype(np.int64) - 1
    genre = np.array([place[name] for name in rows.get_column("genre")])
    return genres, sparse.csr_matrix((np.ones(len(genre)), (artist, genre)))


def nmf(artists: pl.DataFrame) -> Mapping[str, object]:
    """The component that weighs most for each genre."""
    from sklearn.decomposition import NMF

    genres, counts = matrix(artists)
    model = NMF(GROUPS, init="nndsvd", max_iter=300, random_state=7).fit(counts)
    return dict(zip(genres, model.components_.argmax(axis=0).tolist(), strict=True))


def ward(artists: pl.DataFrame) -> Mapping[str, object]:
    """Ward's clusters of 50 singular vectors of positive pointwise mutual information."""
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    genres, counts = matrix(artists)
    both = (counts.T @ counts).tocoo()
    uses = np.asarray(counts.sum(axis=0)).ravel()
    mutual = np.log(both.data * counts.shape[0] / (uses[both.row] * uses[both.col]))
    positive = sparse.csr_matrix((np.maximum(mutual, 0), (both.row, both.col)))
    vectors = normalize(TruncatedSVD(50, random_state=7).fit_transform(positive))
    labels = AgglomerativeClustering(GROUPS, linkage="ward").fit_predict(vectors)
    return dict(zip(genres, labels.tolist(), strict=True))


def lda(artists: pl.DataFrame) -> Mapping[str, object]:
    """Spark's latent Dirichlet allocation, artists as documents: the likeliest topic of each genre."""
    from pyspark.ml.clustering import LDA
    from pyspark.ml.linalg import Vectors

    genres, counts = matrix(artists)
    settings = load_settings("local", [f"home={tempfile.mkdtemp()}"])
    spark = session_on_demand(settings, "bench")
    rows = [
        (Vectors.sparse(len(genres), sorted(counts[n].indices.tolist()), [1.0] * counts[n].nnz),)
        for n in range(counts.shape[0])
    ]
    frame = spark.createDataFrame(rows, ["features"])
    model = LDA(k=GROUPS, maxIter=40, seed=7, subsamplingRate=0.1).fit(frame)
    topics = model.topicsMatrix().toArray()
    shares = topics / topics.sum(axis=0)
    return dict(zip(genres, shares.argmax(axis=1).tolist(), strict=True))


def last_word(artists: pl.DataFrame) -> Mapping[str, object]:
    """The last word of the name; rare ones together."""
    uses = count_genres(artists).uses.with_columns(word=pl.col("genre").str.split(" ").list.last())
    words = uses.group_by("word").agg(pl.col("artists").sum()).top_k(GROUPS - 1, by="artists")
    common = set(words.get_column("word").to_list())
    return {g: w if w in common else "" for g, w in uses.select("genre", "word").iter_rows()}


METHODS: dict[str, Method] = {
    "communities": judge.fitted,
    "nmf": nmf,
    "ward": ward,
    "lda": lda,
    "last_word": last_word,
}


def judged(artists: pl.DataFrame, names: Sequence[str], draws: int) -> None:
    """A line a method: agreement on a fifth held back, groups, the largest, adjusted Rand of two samples."""
    for name in names:
        begun = time.perf_counter()
        agreements, groups, largest, steady = [], 0, 0.0, []
        for seed in range(draws):
            tested, trained = judge.drawn(artists, 10 + seed, 0.2)
            found = METHODS[name](trained)
            agreements.append(judge.agreement(tested, found))
            groups, largest = judge.sizes(tested, found)
            two = [METHODS[name](judge.bootstrap(artists, 2 * seed + each)) for each in (0, 1)]
            steady.append(judge.steadiness(artists, *two))
        print(
            f"{name}: agreement {np.mean(agreements):.3f} (least {min(agreements):.3f}), {groups} groups, "
            f"largest {largest:.1%}, two samples {np.mean(steady):.3f} (least {min(steady):.3f}), "
            f"{time.perf_counter() - begun:.0f} s",
            flush=True,
        )
    if "communities" in names:
        moves = [refit(artists, seed) for seed in range(draws)]
        print(f"refit on a fifth more artists moves {np.mean(moves):.1%} of uses, at most {max(moves):.1%}")


def refit(artists: pl.DataFrame, seed: int) -> float:
    """The share of uses that a refit moves once a fifth more artists are there."""
    _, first = judge.drawn(artists, 30 + seed, 1 / 6)
    before = judge.fitted(first)
    after = judge.fitted(artists, {genre: str(group) for genre, group in before.items()})
    return judge.moved(artists, before, after)


def measure_size(artists: int, tracks_each: int) -> None:
    """The job's time and memory on artists and titles drawn from the real ones."""
    drawn = np.random.default_rng(7)
    real = judge.real_artists()
    titles = pl.Series([str(line["name"]) for line in judge.real_lines("sample", "tracks")])
    rows = real[drawn.integers(0, real.height, artists)].with_columns(
        id=pl.int_range(artists).cast(pl.String), name=pl.lit("")
    )
    tracks = pl.DataFrame(
        {
            "id": pl.int_range(artists * tracks_each, eager=True).cast(pl.String),
            "name": titles.gather(drawn.integers(0, len(titles), artists * tracks_each)),
            "id_artist": drawn.integers(0, artists, artists * tracks_each).astype(str),
        }
    )
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings("local", [f"home={home}"])
        lake = open_lake(settings, session_on_demand(settings, "bench"))
        for table, frame in ((ARTISTS, rows), (TRACKS, tracks)):
            missing = [pl.lit(None).alias(name) for name in table.columns if name not in frame.columns]
            lake.overwrite(frame.with_columns(missing).select(table.columns).to_arrow(), table)
        del rows, tracks
        for name in ("fit and assign", "the same again"):
            watch = Watch()
            make_topics(settings, lake)
            print(f"{artists:>10,} artists  {name}  {watch.told()}", flush=True)


class Watch:
    """Time, work on all cores, and the most memory that this process and those it started had together."""

    def __init__(self) -> None:
        self._begun, self._worked, self._most = time.perf_counter(), _worked(), 0.0
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    def _look(self) -> None:
        while not self._over.wait(1.0):
            self._most = max(self._most, together(os.getpid()))

    def told(self) -> str:
        """In words; the watch is stopped."""
        self._over.set()
        self._looking.join()
        elapsed, worked = time.perf_counter() - self._begun, _worked() - self._worked
        return f"{elapsed:.1f} s, {worked:.1f} s of work, together at most {self._most:.2f} GB"


def _worked() -> float:
    """Seconds of processor time of this process and those it started that still run."""
    mine = psutil.Process()
    times = [process.cpu_times() for process in (mine, *mine.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    judging = commands.add_parser("judge")
    judging.add_argument("--draws", type=int, default=5)
    judging.add_argument("--methods", default=",".join(METHODS))
    size = commands.add_parser("size")
    size.add_argument("--artists", type=int, default=1_000_000)
    size.add_argument("--tracks-each", type=int, default=1)
    args = parser.parse_args(argv)
    if args.command == "judge":
        judged(judge.real_artists(), args.methods.split(","), args.draws)
    else:
        measure_size(args.artists, args.tracks_each)
    return 0


if __name__ == "__main__":
    sys.exit(main())
