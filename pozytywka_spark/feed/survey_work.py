"""Answers of surveys beside what was done at that moment, by tasks; then the weights that follow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.prepare_work import Batch
from pozytywka_spark.feed.track_side import Catalogue
from pozytywka_spark.feed.weights import MOMENT_HOURS, weights_of
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import HOUR_MICROS
from pozytywka_spark.names import HEADS

DEEDS = "deeds"
SURVEYS = ("user_id", "track_id", "asked_at", "answer")
_MOMENT = MOMENT_HOURS * HOUR_MICROS


@dataclass(frozen=True)
class GatherDeeds:
    """Work on LISTENERS: stages DEEDS, a row an answer asked for before `until_us`."""

    catalogue: Parcel
    surveys: Mapping[int, tuple[Parcel, ...]]
    until_us: int

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for item in items:
            mine = self.surveys.get(int(item.key[0]))
            if mine:
                asked = files.read(mine).with_columns(pl.col("asked_at").dt.epoch("us"))
                asked = asked.filter(pl.col("asked_at") < self.until_us)
                catalogue = blobs.shared(files, self.catalogue, Catalogue)
                files.stage(DEEDS, deeds_of(asked, blobs.unpack(files, item, Batch), catalogue.track_id))
        return iter(())


def deeds_of(asked: pl.DataFrame, batch: Batch, track_id: Array) -> pl.DataFrame:
    """Grain: answer of the batch's users: `user_id`, `answer`, and by head whether it was done.

    Of the plays in the `MOMENT_HOURS` before the question, one that finished, one that was skipped, more
    than one; and a like. `asked`: SURVEYS, the time in microseconds.
    """
    listening = batch.listeners.listening
    users = batch.listeners.user_id
    numbered = (
        asked.filter(pl.col("user_id").is_in(users))
        .sort("user_id", "asked_at", "track_id")
        .with_row_index("row")
    )

    def inside(user: Array, track: Array, time_us: Array, **more: Array) -> pl.DataFrame:
        wanted = np.isin(user, np.flatnonzero(np.isin(users, numbered.get_column("user_id").to_numpy())))
        events = pl.DataFrame(
            {
                "user_id": users[user[wanted]],
                "track_id": pl.Series(track_id[track[wanted]], dtype=pl.String),
                "time": time_us[wanted],
                **{name: each[wanted] for name, each in more.items()},
            }
        )
        near = (pl.col("time") < pl.col("asked_at")) & (pl.col("time") >= pl.col("asked_at") - _MOMENT)
        return numbered.join(events, on=["user_id", "track_id"], how="inner").filter(near)

    plays = (
        inside(
            listening.play_user,
            listening.play_track,
            listening.play_us,
            finished=listening.play_finished,
            skipped=listening.play_skipped,
        )
        .group_by("row")
        .agg(finish=pl.col("finished").any(), skip=pl.col("skipped").any(), again=pl.len() > 1)
    )
    likes = (
        inside(listening.like_user, listening.like_track, listening.like_us)
        .group_by("row")
        .agg(like=pl.lit(value=True))
    )
    return (
        numbered.join(plays, on="row", how="left")
        .join(likes.select("row", "like"), on="row", how="left")
        .sort("row")
        .select("user_id", "answer", *(pl.col(head).fill_null(value=False) for head in HEADS))
    )


@dataclass(frozen=True)
class FitWeights:
    """Work on one item: tells the weights, as JSON."""

    deeds: tuple[Parcel, ...]
    settings: Mapping[str, float]
    min_answers: int
    min_people: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line."""
        for _ in items:
            schema = {"user_id": pl.Int64, "answer": pl.Int32, **dict.fromkeys(HEADS, pl.Boolean)}
            rows = files.read(self.deeds) if self.deeds else pl.DataFrame(schema=schema)
            rows = rows.sort(rows.columns)  # sums in one order, however the answers came
            weights = weights_of(
                rows.get_column("user_id").to_numpy(),
                rows.get_column("answer").to_numpy(),
                rows.select(HEADS).to_numpy(),
                self.settings,
                self.min_answers,
                self.min_people,
            )
            yield {"weights": json.dumps(asdict(weights))}
