"""What the feed's bounds in worlds with taste are, and whether measured figures keep them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pozytywka_spark.feed.evaluation.judge import ALL, HEAVY, LIGHT, Judged, Sums
from pozytywka_spark.feed.evaluation.rankings import LATELY, LINEAR, OWN
from pozytywka_spark.names import HEADS
from tests.bench.taste_rankings import FEED, TRUE_VALUE, TRUTH

MANY_PLAYS = 100
ALL_SUMS = Mapping[tuple[str, str, str], Sums]


def bounds(sums: ALL_SUMS) -> Iterator[str]:
    """A line a bound: what, the figure, the bound, whether it is kept."""

    def value(name: str, metric: str) -> float:
        return sums[(name, metric, ALL)].mean

    novel, worth = "novel_plays_ndcg_10", "novel_worth_ndcg"
    feed, linear, truth = (value(name, novel) for name in (FEED, LINEAR, TRUTH))
    yield _line("true chances : linear model, novel plays @10", truth / linear, 1.4)
    yield _line("feed : linear model, novel plays @10", feed / linear, 1.15)
    yield _line("feed : last month's popularity, novel plays @10", feed / value(LATELY, novel), 3)
    yield _line("of the way from linear model to true chances", (feed - linear) / (truth - linear), 0.35)
    for places, least in ((10, 1.2), (50, 1.03)):
        metric = f"{worth}_{places}"
        yield _line(
            f"feed : linear model, novel worth @{places}", value(FEED, metric) / value(LINEAR, metric), least
        )
    own = value(FEED, "plays_ndcg_10") / value(OWN, "plays_ndcg_10")
    yield _line("feed : own most played, plays @10", own, 1)
    for name, text in ((TRUTH, "true chances"), (TRUE_VALUE, "true chances in the order of V")):
        share = value(FEED, "plays_ndcg_50") / value(name, "plays_ndcg_50")
        yield _line(f"feed : {text}, plays @50", share, 0.87)


def strength(sums: ALL_SUMS) -> Iterator[str]:
    """How strong the taste is."""
    for part in (ALL, LIGHT, HEAVY):
        truth, linear, lately = (
            sums[(name, "novel_plays_ndcg_10", part)].mean for name in (TRUTH, LINEAR, LATELY)
        )
        yield _line(f"{part}: true chances : linear model, novel plays @10", truth / linear, 1.4)
        yield _line(f"{part}: true chances : last month's popularity, novel plays @10", truth / lately, 3)


def habits(judged: Judged, chances: np.ndarray, weights: np.ndarray) -> Iterator[str]:
    """Whether chances are personal. `chances`: users × tracks × heads, NaN where none was told."""
    told = ~np.isnan(chances[:, :, 0])
    plays = np.bincount(judged.past.play_user, minlength=judged.users)
    likes = np.bincount(judged.past.like_user, minlength=judged.users)
    like, value = weights[2] * chances[:, :, 2], chances @ weights
    shares = np.array(
        [_spread(like[user, told[user]], value[user, told[user]]) for user in range(judged.users)]
    )
    never = (plays >= MANY_PLAYS) & (likes == 0)
    others = (plays >= MANY_PLAYS) & (likes > 0)
    median = float(np.nanmedian(shares[never]))
    what = f"like term of the spread of V, {never.sum()} users who never like"
    yield f"{what:60} {median:7.3f}  at most 0.02  {_kept(median <= 0.02)}"
    yield _line("like term of the spread of V, others", float(np.nanmedian(shares[others])), 0.05)
    yield from _fifths(judged, chances, told, plays, likes)


def _spread(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.std() / whole.std()) if len(whole) > 1 and whole.std() > 0 else float("nan")


def _fifths(
    judged: Judged, chances: np.ndarray, told: np.ndarray, plays: np.ndarray, likes: np.ndarray
) -> Iterator[str]:
    """Told and observed rates of pairs, in fifths of users by their own rate of the head before."""
    done = np.zeros(chances.shape, dtype=bool)
    done[judged.outcomes.user, judged.outcomes.track] = judged.outcomes.done
    past, size = judged.past, len(judged.artist)

    def count(flags: np.ndarray) -> np.ndarray:
        return np.bincount(past.play_user, flags, judged.users)

    pairs, times = np.unique(past.play_user * size + past.play_track, return_counts=True)
    again = np.bincount(pairs[times > 1] // size, minlength=judged.users)
    different = np.bincount(pairs // size, minlength=judged.users)
    own = {
        "finish": count(past.play_finished) / np.maximum(plays, 1),
        "skip": count(past.play_skipped) / np.maximum(plays, 1),
        "like": likes / np.maximum(plays, 1),
        "again": again / np.maximum(different, 1),
    }
    for number, head in enumerate(HEADS):
        users = np.flatnonzero(plays > 0)
        for fifth, some in enumerate(np.array_split(users[np.argsort(own[head][users], kind="stable")], 5)):
            inside = told[some]
            expected = float(chances[some][inside][:, number].mean())
            observed = float(done[some][inside][:, number].mean())
            near = abs(expected - observed) <= max(0.25 * observed, 0.001)
            what = f"{head}, fifth {fifth + 1} by own rate"
            yield f"{what:60} told {expected:.4f}, observed {observed:.4f}  {_kept(near)}"


def _line(what: str, value: float, least: float) -> str:
    return f"{what:60} {value:7.3f}  at least {least:g}  {_kept(value >= least)}"


def _kept(kept: bool) -> str:
    return "kept" if kept else "NOT kept"
