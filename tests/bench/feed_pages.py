"""Pass 2 alone: 10,000 users' 500 candidates to fifty places; prints seconds of this process's CPU.

python -m tests.bench.feed_pages 10000
"""

from __future__ import annotations

import sys
import time
from datetime import date

import numpy as np

from pozytywka_spark.feed.arrange.pages import Valued, arrange
from pozytywka_spark.feed.arrange.rules import Rules
from pozytywka_spark.feed.arrange.shortlist import TrackTraits

CANDIDATES, TRACKS, FACTORS = 500, 10_000, 32


def main(users: int) -> None:
    """Values with a long tail, every fiftieth track passed over, every tenth by an artist new to the user."""
    rng = np.random.default_rng(0)
    embedding = rng.normal(size=(TRACKS, FACTORS)).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    artist, genres = rng.integers(0, 2000, TRACKS), rng.integers(0, 50, (TRACKS, 3))
    traits = TrackTraits.of(artist, genres, rng.random(TRACKS) < 0.02, embedding)
    pairs = users * CANDIDATES
    valued = Valued(
        np.arange(users),
        np.arange(users + 1) * CANDIDATES,
        np.sort(rng.integers(0, TRACKS, (users, CANDIDATES)), axis=1).ravel(),
        rng.gamma(0.5, size=pairs),
        (rng.random(pairs) < 0.02).astype(np.int64),
        rng.random(pairs) < 0.1,
    )
    begin = time.process_time()
    pages = arrange(valued, traits, Rules(), date(2023, 5, 1))
    seconds = time.process_time() - begin
    relaxed = float((pages.broken > 0).mean())
    print(f"{users:,} users: {seconds:.2f} s of CPU, {relaxed:.4%} of places with a rule relaxed")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
