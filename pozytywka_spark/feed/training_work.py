"""A training, by tasks: examples of slices of users, then one fit of heads and light model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.feed import blobs, light
from pozytywka_spark.feed.heads.examples import Examples, examples_of, together
from pozytywka_spark.feed.heads.features import NAMES
from pozytywka_spark.feed.heads.fit import How, fit_heads
from pozytywka_spark.feed.heads.model import Heads
from pozytywka_spark.feed.heads.perturbation import guard_counts
from pozytywka_spark.feed.inventory.collect import Wanted
from pozytywka_spark.feed.model import MEASURED
from pozytywka_spark.feed.model_files import TrainedRanker
from pozytywka_spark.feed.pairs import Array, Pairs
from pozytywka_spark.feed.prepare_work import Batch
from pozytywka_spark.feed.track_side import Catalogue, Tracks
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import HEADS

EXAMPLES, FILES = "examples", "files"
RECALL, PAIRS = "recall", "pairs"
NEGATIVES = 0.1  # share of pairs with nothing done that is taken
FIFTHS = 5


@dataclass(frozen=True)
class GatherExamples:
    """Work on LISTENERS until `at_us`: stages EXAMPLES as of the tracks' cut-off; tells how many PAIRS."""

    catalogue: Parcel
    tracks: Parcel
    wanted: Wanted
    horizon_days: int
    at_us: int

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        tracks = blobs.shared(files, self.tracks, Tracks)
        catalogue = blobs.shared(files, self.catalogue, Catalogue)
        for item in items:
            if not tracks.plays_90.any():  # as of so early a day there is nothing to tell by
                yield {PAIRS: 0}
                continue
            listeners = blobs.unpack(files, item, Batch).listeners
            guard_counts(listeners, catalogue, tracks.cut_off_us)
            found = examples_of(
                listeners,
                tracks,
                self.wanted,
                negatives=NEGATIVES,
                horizon_days=self.horizon_days,
                at_us=self.at_us,
            )
            if len(found):
                files.stage(EXAMPLES, blobs.pack(found), item.key)
            yield {PAIRS: len(found)}


@dataclass(frozen=True)
class FitRanker:
    """Work on one item: stages FILES (name, content), tells the RECALL of the light model."""

    examples: tuple[Parcel, ...]
    weights: Array
    keep: int
    how: How

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line."""
        for _ in items:
            ordered = sorted(self.examples, key=lambda parcel: parcel.key)
            examples = _numbered([blobs.unpack(files, parcel, Examples) for parcel in ordered])
            heads = fit_heads(examples, self.how)
            chances = heads.chances(examples.features[:, examples.whole])
            value = chances.astype(np.float64) @ self.weights
            user, features = examples.user[examples.whole], examples.features[:, examples.whole]
            terms = light.terms_of(features[[NAMES.index(name) for name in light.NAMES]])
            model = light.distilled(terms, value, user)
            recall = _recall(np.asarray(model.weight, np.float32) @ terms, value, user, self.keep)
            measured = {
                "recall": {f"first 50 kept by the light pass, of {self.keep}": recall},
                "calibration": _calibration(heads, chances, examples.done[examples.whole]),
                "examples": {head: int(examples.done[:, number].sum()) for number, head in enumerate(HEADS)},
                "left_out": [head for head in HEADS if head not in heads.trained],
                "pairs": len(examples),
            }
            content = TrainedRanker(heads, model).files() | {
                MEASURED: json.dumps(measured, indent=1).encode()
            }
            frame = pl.DataFrame({"name": list(content), "content": list(content.values())})
            files.stage(FILES, frame)
            yield {RECALL: recall}


def _numbered(parts: list[Examples]) -> Examples:
    """Together, users numbered on."""
    first, numbered = 0, []
    for part in parts:
        numbered.append(replace(part, user=part.user + first))
        first += int(part.user.max(initial=-1)) + 1
    return together(numbered)


def _recall(score: Array, value: Array, user: Array, keep: int) -> float:
    """Over held-out users with more candidates than are kept; 1 where there are none."""
    start = np.flatnonzero(np.append(True, user[1:] != user[:-1])) if len(user) else np.zeros(0, np.int64)
    pairs = Pairs(
        user[start],
        np.append(start, len(user)),
        np.arange(len(user), dtype=np.int32),
        np.zeros(len(user), np.uint16),
    )
    shares = light.recall_of(score, value, pairs, keep)
    return float(shares.mean()) if len(shares) else 1.0


def _calibration(heads: Heads, chances: Array, done: Array) -> list[dict[str, Any]]:
    """Predicted and observed rates by fifth of held-out pairs, of which the highest tell most."""
    rows = []
    for head in heads.trained:
        number = HEADS.index(head)
        chance = chances[:, number]
        edges = np.quantile(chance, [0.5, 0.8, 0.95, 0.99]) if len(chance) else np.zeros(FIFTHS - 1)
        group = np.searchsorted(edges, chance, side="right")
        for part in range(FIFTHS):
            mine = group == part
            if mine.any():
                rows.append(
                    {
                        "head": head,
                        "predicted": float(chance[mine].mean()),
                        "observed": float(done[mine, number].mean()),
                        "pairs": int(mine.sum()),
                    }
                )
    return rows
