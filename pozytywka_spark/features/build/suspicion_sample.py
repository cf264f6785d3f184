"""Sample for guard `suspicion`: how well each feature alone separates the known labels.

The sample is the same however the rows lie: the lowest dice of each class. Whoever makes rows puts down
those that may belong to it (CANDIDATES, with their features); of months that are not built now, whose
features lie in files, only keys and labels are put down (OLDER). Then `SingleFeatures` draws the sample from
both and reads the features of its rows, some features a task.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.lake.shards import DataFile, Parcel, batches
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import USER_MONTH

KEYS = list(USER_MONTH)
LABELLED = [*KEYS, "label"]
# Kinds of parcels: LABELLED, and in the first all features; key: ()
CANDIDATES, OLDER = "candidates", "older_candidates"
_AT_ONCE = 32  # parcels, of which only keys and labels are read
_ROWS_AT_ONCE = 150_000  # of a few dozen features


def candidates(labelled: pl.DataFrame, features: pl.DataFrame, *, rows: int, seed: int) -> pl.DataFrame:
    """Rows that may belong to the sample, with their features: for CANDIDATES.

    `labelled`: user_id, month and label (0, 1 or null), of some of the users or months; `features`: a row
    for each of them at least, user_id, month and features.
    """
    drawn = lowest(labelled, rows=rows, seed=seed)
    return drawn.join(features, on=KEYS, how="inner", maintain_order="left")


def lowest(labelled: pl.DataFrame, *, rows: int, seed: int) -> pl.DataFrame:
    """At most `rows` of the rows with a known label, at most a quarter of them positive: LABELLED.

    The share of positives doesn't move an AUC, so that taking more of the rare class only sharpens it.
    """
    with_label = labelled.filter(pl.col("label").is_not_null()).select(*KEYS, pl.col("label").cast(pl.Int8))
    thrown = with_label.with_columns(dice(with_label, seed).alias("_dice"))
    quota = {1: rows // 4, 0: rows - rows // 4}
    drawn = [
        thrown.filter(pl.col("label") == label).sort("_dice", *KEYS).head(most)
        for label, most in quota.items()
    ]
    return pl.concat(drawn).drop("_dice")


@dataclass(frozen=True)
class SingleFeatures:
    """Work on lists of features' names: tells of each feature how well it alone tells the label.

    `made`: CANDIDATES parcels; `older`: OLDER parcels, and `held` the files of table `features` that have
    their rows. Told are `feature`, `auc` (whichever way it points) and `value`, which is the feature's in the
    sample's first positive row, its `user_id` and `month` (ISO), `positives` and `rows`. `auc` is null and
    the row is missing where all labels are the same.
    """

    made: tuple[Parcel, ...]
    older: tuple[Parcel, ...]
    held: tuple[DataFile, ...]
    rows: int
    seed: int

    def __call__(self, items: Sequence[tuple[str, ...]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each feature."""
        sample = self._sample(files)
        for names in items:
            rows = self._with_features(sample, names, files)
            yield from tell_singles(rows, names)

    def _sample(self, files: TaskFiles) -> pl.DataFrame:
        """The lowest of all: some parcels at once, so that not all candidates are held."""
        parcels, drawn = (*self.made, *self.older), []
        for start in range(0, len(parcels), _AT_ONCE):
            drawn.append(files.read(parcels[start : start + _AT_ONCE], LABELLED))
            drawn = [lowest(pl.concat(drawn), rows=self.rows, seed=self.seed)]
        return drawn[0]

    def _with_features(self, sample: pl.DataFrame, names: Sequence[str], files: TaskFiles) -> pl.DataFrame:
        """The sample's rows with some features, read some files at a time."""
        columns = [*KEYS, *names]
        sources: list[DataFile | Parcel] = [*self.made, *self.held]
        parts = [
            sample.join(files.read(some, columns), on=KEYS, how="inner")
            for some in batches(sources, _ROWS_AT_ONCE)
        ]
        return pl.concat(parts)


def tell_singles(sample: pl.DataFrame, names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What `SingleFeatures` tells of these features of a sample: LABELLED and the features."""
    positive = (sample["label"] == 1).to_numpy()
    counts = {"positives": int(positive.sum()), "rows": sample.height}
    first = sample.filter(pl.col("label") == 1).sort("month", "user_id").head(1).to_dicts()
    for name in names:
        if not first or counts["positives"] == counts["rows"]:
            yield {"feature": name, "auc": None} | counts
            continue
        auc = auc_of(sample[name], positive)
        row = first[0]
        example = {"user_id": row["user_id"], "month": row["month"].isoformat(), "value": row[name]}
        yield {"feature": name, "auc": max(auc, 1 - auc)} | example | counts


def auc_of(values: pl.Series, positive: np.ndarray) -> float:
    """ROC AUC of one feature: ties share their mean rank, an unknown value counts as the lowest."""
    ranks = values.cast(pl.Float64).fill_nan(None).fill_null(-float("inf")).rank("average").to_numpy()
    positives = int(positive.sum())
    above = ranks[positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(ranks) - positives)))
