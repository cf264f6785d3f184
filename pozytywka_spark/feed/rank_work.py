"""Pages of slices of users, by tasks: each writes its rows of the table `feed`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, cast

import numpy as np
import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.about import batches
from pozytywka_spark.feed.arrange.memory import FEED as FEED_SCHEMA
from pozytywka_spark.feed.arrange.memory import SEEN as SEEN_SCHEMA
from pozytywka_spark.feed.arrange.shortlist import TrackTraits
from pozytywka_spark.feed.block_list import mask_of
from pozytywka_spark.feed.catalogue import NOBODY
from pozytywka_spark.feed.earlier import Earlier, earlier_of
from pozytywka_spark.feed.integrity import Barred
from pozytywka_spark.feed.inventory.sources import lists_of
from pozytywka_spark.feed.prepare_work import Batch
from pozytywka_spark.feed.ranking import Count, Plan, Ranked, Ranker, Shared, rank
from pozytywka_spark.feed.rows import feed_rows
from pozytywka_spark.feed.track_side import Tracks
from pozytywka_spark.feed.users import only
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

SHARED, STAGES = "shared", "stages"


@dataclass(frozen=True)
class MakeShared:
    """Work on one item: stages SHARED, what all users share as of the cut-off."""

    tracks: Parcel
    farmed: Parcel
    blocked: tuple[str, ...]
    promoted: tuple[str, ...]
    most: int

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for _ in items:
            tracks = blobs.unpack(files, self.tracks, Tracks)
            files.stage(SHARED, blobs.pack(self.made(tracks, blobs.unpack(files, self.farmed, np.ndarray))))
        return iter(())

    def made(self, tracks: Tracks, farmed: Any) -> Shared:
        """Of the track side and the mask of farmed tracks."""
        side = tracks.side
        unknown = side.artist_id[side.artist] == NOBODY if len(side) else np.zeros(0, bool)
        barred = Barred(np.asarray(unknown, bool), mask_of(self.blocked, side.track_id), farmed)
        traits = TrackTraits.of(
            side.artist, side.genres, mask_of(self.promoted, side.track_id), side.embedding
        )
        return Shared(tracks, lists_of(tracks, self.most), barred, traits)


@dataclass(frozen=True)
class Look:
    """How a slice's users are ranked. `feed`, `seen`: rows of earlier feeds by number of slice."""

    shared: Parcel
    ranker: Parcel
    plan: Plan
    feed: Mapping[int, tuple[Parcel, ...]]
    seen: Mapping[int, tuple[Parcel, ...]]

    def ranked(self, batch: Batch, number: int, files: TaskFiles) -> Iterator[tuple[Ranked, Shared]]:
        """Some users at a time."""
        shared = blobs.shared(files, self.shared, Shared)
        ranker = cast(Ranker, blobs.shared(files, self.ranker, object))
        earlier = self.earlier(batch, number, shared, files)
        tracks, first = len(shared.tracks.side), 0
        for part in batches(batch.listeners, tracks):
            own = earlier.of_users(first, first + len(part), tracks)
            first += len(part)
            yield rank(part, own, shared, ranker, self.plan), shared

    def earlier(self, batch: Batch, number: int, shared: Shared, files: TaskFiles) -> Earlier:
        """What earlier feeds say."""
        feed = files.read(self.feed[number]) if number in self.feed else FEED_SCHEMA.to_frame()
        seen = files.read(self.seen[number]) if number in self.seen else SEEN_SCHEMA.to_frame()
        return earlier_of(batch, feed, seen, shared.tracks.side.track_id, self.plan.day)


@dataclass(frozen=True)
class RankUsers:
    """Work on LISTENERS: writes `feed`, tells the counts of each stage and rule."""

    look: Look
    only_free: bool
    buckets: int
    model_version: str
    feed_id: str

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for item in items:
            batch = blobs.unpack(files, item, Batch)
            if self.only_free:
                batch = only(batch, ~np.isin(batch.listeners.user_id, batch.buyers))
            counts: dict[tuple[str, str], list[Count]] = {}
            frames = []
            for ranked, shared in self.look.ranked(batch, int(item.key[0]), files):
                everyone = np.ones(len(ranked.kept.user_id), bool)
                promoted = shared.traits.promoted
                frames.append(
                    feed_rows(ranked, shared.tracks, promoted, everyone, self.model_version, self.feed_id)
                )
                for key, count in ranked.counts.items():
                    counts.setdefault(key, []).append(count)
            if frames:
                self._write(pl.concat(frames), files)
            yield {STAGES: [_told(*key, reduce(add, parts)) for key, parts in counts.items()]}

    def _write(self, rows: pl.DataFrame, files: TaskFiles) -> None:
        bucket = user_bucket(pl.col("user_id"), self.buckets)
        for (number,), part in rows.group_by(bucket.alias("bucket"), maintain_order=True):
            partition = {"feed_date": self.look.plan.day, "user_bucket": number}
            files.write(
                schemas.FEED, part.drop("bucket", strict=False).sort("user_id", "position"), partition
            )


def _told(stage: str, rule: str, count: Count) -> list[Any]:
    return [stage, rule, count.users, count.tracks_in, count.tracks_out, count.seconds]
