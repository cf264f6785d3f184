"""How good pages were, by tasks: what was done in the days after, beside the feed and simpler rankings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.about import batches
from pozytywka_spark.feed.evaluation.als import fit_als
from pozytywka_spark.feed.evaluation.judge import Judged, Tally, added, judge
from pozytywka_spark.feed.evaluation.rankings import HALF_LIFE_DAYS, Known, baselines, ranked
from pozytywka_spark.feed.item_model import weighted_plays
from pozytywka_spark.feed.listening import Listeners
from pozytywka_spark.feed.outcomes import outcomes_of
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.prepare_work import Batch
from pozytywka_spark.feed.track_side import Tracks
from pozytywka_spark.feed.users import some_listeners
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

KNOWN, TALLY, FEED = "known", "tally", "feed"
PLACES = 50
ALS_SLICES = 20  # users whose plays the factors are fitted on, in slices: a thousand each
ROWS = "rows"


@dataclass(frozen=True)
class MakeKnown:
    """Work on one item: stages KNOWN, what the baselines know of all users. `listeners`: of the cut-off."""

    listeners: tuple[Parcel, ...]
    tracks: Parcel
    farmed: Parcel

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for _ in items:
            tracks = blobs.unpack(files, self.tracks, Tracks)
            farmed = blobs.unpack(files, self.farmed, np.ndarray)
            size = len(tracks.side)
            plays, parts = np.zeros(size), []
            for number, parcel in enumerate(self.listeners):
                batch = blobs.unpack(files, parcel, Batch).listeners
                past = batch.listening
                plays += np.bincount(past.play_track, minlength=size)
                if number < ALS_SLICES:
                    parts.append(_weighted(batch, size, tracks.cut_off_us))
            factors = fit_als(sparse.vstack(parts, format="csr"))
            known = Known(
                plays * ~farmed, tracks.side.plays, tracks.released & ~farmed, factors, tracks.model
            )
            files.stage(KNOWN, blobs.pack(known))
        return iter(())


@dataclass(frozen=True)
class JudgePages:
    """Work on LISTENERS of the cut-off: stages TALLY. `after`: the same slices until `days` after it.

    `feed`: rows of the day's pages by slice. Users without a page aren't judged.
    """

    after: Mapping[int, Parcel]
    feed: Mapping[int, tuple[Parcel, ...]]
    known: Parcel
    tracks: Parcel
    weights: Array
    days: int

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for item in items:
            number = int(item.key[0])
            if number in self.feed:
                tally = self._slice(blobs.unpack(files, item, Batch).listeners, number, files)
                files.stage(TALLY, blobs.pack(tally), item.key)
        return iter(())

    def _slice(self, listeners: Listeners, number: int, files: TaskFiles) -> Tally:
        tracks = blobs.unpack(files, self.tracks, Tracks)
        known = blobs.unpack(files, self.known, Known)
        pages = pages_of(files.read(self.feed[number]), listeners.user_id, tracks.side.track_id)
        whole = blobs.unpack(files, self.after[number], Batch).listeners
        first, tallies = 0, []
        for part in batches(listeners, len(tracks.side)):
            some = slice(first, first + len(part))
            after = whole.some(some.start, some.stop)
            first = some.stop
            tallies.append(self._batch(part, after, pages[some], tracks, known))
        return added(tallies)

    def _batch(self, past: Listeners, after: Listeners, pages: Array, tracks: Tracks, known: Known) -> Tally:
        chosen: Array = np.any(pages >= 0, axis=1)
        past, after, pages = some_listeners(past, chosen), some_listeners(after, chosen), pages[chosen]
        size, users = len(tracks.side), len(past)
        outcomes = outcomes_of(after.listening, tracks.cut_off_us, self.days, size)
        judged = Judged(users, tracks.side.artist, past.listening, outcomes, self.weights, tracks.released)
        scores = baselines(past.listening, users, known, tracks.cut_off_us)
        played = np.zeros((users, size), bool)
        played[past.listening.play_user, past.listening.play_track] = True
        rankings = {name: ranked(score, PLACES) for name, score in scores.items()}
        novel = {name: ranked(score, PLACES, played) for name, score in scores.items()}
        return judge(judged, {FEED: pages, **rankings}, novel)


@dataclass(frozen=True)
class AddTallies:
    """Work on one item: tells ROWS of all TALLY, added in the order of their slices."""

    tallies: tuple[Parcel, ...]
    tracks: Parcel

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line."""
        for _ in items:
            ordered = sorted(self.tallies, key=lambda parcel: parcel.key)
            tally = added([blobs.unpack(files, parcel, Tally) for parcel in ordered])
            offered = int(blobs.unpack(files, self.tracks, Tracks).released.sum())
            # a slice that nobody is in has no figures
            yield {ROWS: [list(row) for row in tally.rows(offered) if not np.isnan(row[3])]}


def pages_of(rows: pl.DataFrame, user_id: Array, track_id: Array) -> Array:
    """Users × places of track indices, -1 without one. `rows`: `user_id`, `position`, `track_id`."""
    users = pl.DataFrame({"user_id": user_id}).with_row_index("user")
    index = pl.DataFrame({"track_id": track_id}, schema={"track_id": pl.String}).with_row_index("track")
    joined = rows.join(users, on="user_id", how="inner").join(index, on="track_id", how="inner")
    joined = joined.filter(pl.col("position") <= PLACES)
    pages = np.full((len(user_id), PLACES), -1, np.int64)
    user, place, track = (joined.get_column(name).to_numpy() for name in ("user", "position", "track"))
    pages[user, place - 1] = track
    return pages


def _weighted(listeners: Listeners, size: int, cut_off_us: int) -> sparse.csr_matrix:
    past = listeners.listening
    return weighted_plays(
        (len(listeners), size), past.play_user, past.play_track, cut_off_us - past.play_us, HALF_LIFE_DAYS
    )
