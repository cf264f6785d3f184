"""Made worlds through the kernels that find rings, month by month, without a lake."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import polars as pl

from pozytywka_spark.config import Synthetic
from pozytywka_spark.fraud.rings.excess import Far, far_more, tastes_of, together, weights_of, with_hits
from pozytywka_spark.fraud.rings.groups import Least, rings_among
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.events import LIKE, PLAY, SKIP, events_of
from pozytywka_spark.synthetic.life import life_of, plan_of
from pozytywka_spark.synthetic.who import accounts_of

DAYS = 60
DAY_MS = 86_400_000


@dataclass(frozen=True)
class RingScores:
    """By account: what it is, whether it is in a ring of any month, its highest score, and plain figures."""

    kind: pd.Series
    in_a_ring: pd.Series
    score: pd.Series
    figures: pd.DataFrame


@cache
def ring_scores(world: Synthetic) -> RingScores:
    """Every account with a play."""
    plan = plan_of(world)
    catalogue = catalogue_of(plan)
    chunks, kinds = [], {}
    for chunk in range(plan.chunks):
        life = life_of(plan, chunk)
        events = events_of(plan, life)
        user = life.people.user_id[events.user].astype(np.int64)
        chunks.append(
            pl.DataFrame({"user_id": user, "track": events.track, "ms": events.time_ms, "kind": events.kind})
        )
        kinds |= {account.user_id: account.kind for account in accounts_of(plan, chunk)}
    everything = pl.concat(chunks)
    plays = everything.filter(pl.col("kind") == PLAY)
    plays = plays.with_columns(pl.Series("track_id", catalogue.tracks["id"][plays["track"].to_numpy()]))
    genres = [[str(catalogue.genres[g]) for g in row if g >= 0] for row in catalogue.genre_of.tolist()]
    tastes = tastes_of(
        pl.DataFrame({"id": catalogue.tracks["id"], "id_artist": catalogue.tracks["id_artist"]}),
        pl.DataFrame({"id": catalogue.artists["id"], "genres": genres}),
    )
    found = [_rings(plays, tastes, int(end)) for end in plan.month_starts_ms()[1:]]
    best = (
        pl.concat(found).group_by("user_id").agg(pl.col("score").max()).to_pandas().set_index("user_id").score
    )
    users = np.sort(plays["user_id"].unique().to_numpy())
    score = best.reindex(users, fill_value=0.0)
    kind = pd.Series([kinds.get(user, "plain") for user in users], index=users)
    return RingScores(kind, score > 0, score, _figures(everything, users))


def _rings(plays: pl.DataFrame, tastes: pl.DataFrame, end_ms: int) -> pl.DataFrame:
    inside = plays.filter(pl.col("ms").is_between(end_ms - DAYS * DAY_MS, end_ms, closed="left"))
    pairs = inside.group_by("user_id", "track_id").agg(pl.len().cast(pl.Int64).alias("plays"))
    weights = together(weights_of(pairs))
    known = with_hits(tastes.join(weights, on="track_id", how="semi"), weights)
    return rings_among(far_more(pairs, weights, known, Far()), Least())


def _figures(everything: pl.DataFrame, users: np.ndarray) -> pd.DataFrame:
    """What an outlier detector can be given of an account: how much, how varied, how often again."""
    play = pl.col("kind") == PLAY
    day = pl.col("ms") // DAY_MS
    by_track = everything.filter(play).group_by("user_id", "track").len()
    repeats = by_track.group_by("user_id").agg(
        most=pl.col("len").max(), tracks=pl.len(), top=pl.col("len").top_k(6).sum(), mean=pl.col("len").mean()
    )
    whole = everything.group_by("user_id").agg(
        plays=play.sum(),
        skips=(pl.col("kind") == SKIP).sum() / play.sum(),
        likes=(pl.col("kind") == LIKE).sum() / play.sum(),
        days=day.n_unique(),
        a_day=play.sum() / day.n_unique(),
    )
    figures = whole.join(repeats, on="user_id").with_columns(
        variety=pl.col("tracks") / pl.col("plays"), top_share=pl.col("top") / pl.col("plays")
    )
    return figures.to_pandas().set_index("user_id").reindex(users).astype(float)
