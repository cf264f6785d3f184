"""Listening drawn at random, and the same as a table: for kernels and for the plain code beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pozytywka_spark.feed.listening import Listening


def drawn(seed: int, users: int = 12, tracks: int = 15, plays: int = 300) -> tuple[Listening, pd.DataFrame]:
    """Plays (and likes in some of them) over 90 days, and a row a play: user, track, us, skipped, liked."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "user": rng.integers(0, users, plays),
            "track": np.minimum(rng.geometric(0.2, plays), tracks) - 1,
            "us": rng.permutation(90 * 86_400)[:plays] * 1_000_000,
            "skipped": rng.random(plays) < 0.3,
            "liked": rng.random(plays) < 0.2,
        }
    ).sort_values(["user", "us"], ignore_index=True)
    likes = table[table.liked]
    listening = Listening(
        play_user=table.user.to_numpy(),
        play_track=table.track.to_numpy(),
        play_us=table.us.to_numpy(),
        play_finished=~table.skipped.to_numpy(),
        play_skipped=table.skipped.to_numpy(),
        like_user=likes.user.to_numpy(),
        like_track=likes.track.to_numpy(),
        like_us=likes.us.to_numpy(),
    )
    return listening, table
