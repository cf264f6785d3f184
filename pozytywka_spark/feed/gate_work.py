"""Champion and challenger on the same users, by tasks: novel nDCG of the order of the value, user by user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.evaluation.metrics import Gains, ndcg, without_played
from pozytywka_spark.feed.heads.examples import held_out
from pozytywka_spark.feed.outcomes import outcomes_of
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.prepare_work import Batch
from pozytywka_spark.feed.rank_work import Look
from pozytywka_spark.feed.ranking import Ranked
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

PLACES, DRAWS = 10, 2000
MEASURED_USERS = "novel ndcg by user"
_SEED = 27


@dataclass(frozen=True)
class CompareModels:
    """Work on LISTENERS of the cut-off: stages MEASURED_USERS, a column a model.

    `looks`: one a model. `only_held_out`: of users that the challenger wasn't fitted on.
    """

    looks: tuple[Look, ...]
    after: Mapping[int, Parcel]
    days: int
    only_held_out: bool

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for item in items:
            number = int(item.key[0])
            batch = blobs.unpack(files, item, Batch)
            after = blobs.unpack(files, self.after[number], Batch).listeners
            columns = [self._measured(look, batch, after, number, files) for look in self.looks]
            both = np.stack(columns, axis=1)
            there = ~np.isnan(both).any(axis=1)
            frame = pl.DataFrame(both[there], schema=[f"model_{place}" for place in range(len(self.looks))])
            files.stage(MEASURED_USERS, frame.with_columns(user_id=batch.listeners.user_id[there]))
        return iter(())

    def _measured(self, look: Look, batch: Batch, after: Any, number: int, files: TaskFiles) -> Array:
        """Of each user of the slice; NaN of those without a novel play, or not held out."""
        plain = replace(
            look, plan=replace(look.plan, rules=replace(look.plan.rules, arrange=False, page=look.plan.keep))
        )
        found, first = [], 0
        for ranked, shared in plain.ranked(batch, number, files):
            users = len(ranked.kept.user_id)
            part = after.some(first, first + users)
            first += users
            cut_off, size = shared.tracks.cut_off_us, len(shared.tracks.side)
            found.append(_novel(ranked, part, cut_off, self.days, size))
            if self.only_held_out:
                found[-1][~held_out(ranked.kept.user_id)] = np.nan
        measured: Array = np.concatenate(found) if found else np.zeros(0)
        return measured


@dataclass(frozen=True)
class BootstrapUsers:
    """Work on one item: tells both models' means, their difference and its 95% interval over users."""

    measured: tuple[Parcel, ...]

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line."""
        for _ in items:
            rows = files.read(self.measured).sort("user_id") if self.measured else pl.DataFrame()
            if not rows.height:
                yield {"users": 0}
                continue
            champion, challenger = (rows.get_column(f"model_{place}").to_numpy() for place in (0, 1))
            low, high = interval(challenger - champion)
            yield {
                "users": rows.height,
                "champion": float(champion.mean()),
                "challenger": float(challenger.mean()),
                "low": low,
                "high": high,
            }


def interval(difference: Array, draws: int = DRAWS) -> tuple[float, float]:
    """Of the mean, 95%, by drawing users with replacement; a stated seed."""
    rng = np.random.default_rng(_SEED)
    users = len(difference)
    means = [float(difference[rng.integers(0, users, users)].mean()) for _ in range(draws)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _novel(ranked: Ranked, after: Any, cut_off_us: int, days: int, size: int) -> Array:
    entry = ranked.pages.entry
    ranking = np.where(entry >= 0, ranked.kept.track[np.maximum(entry, 0)] if len(ranked.kept) else -1, -1)
    past = after.listening.between(None, cut_off_us)
    played = np.unique(past.play_user.astype(np.int64) * size + past.play_track)
    done = outcomes_of(after.listening, cut_off_us, days, size)
    gains = Gains.of(len(after), size, done.user, done.track, (done.plays > 0) * 1.0).without(played)
    return ndcg(without_played(ranking, size, played), gains, PLACES)
