"""Rows that uplift models are fitted on, month by month of entry: who entered, what became of them, their
features of the month before. No Spark here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.experiments.assignment.allocation import CONTROL
from pozytywka_spark.experiments.assignment.groups import ASSIGNED, current
from pozytywka_spark.experiments.assignment.hashing import buckets
from pozytywka_spark.experiments.purchases import NOBODY, first_purchases
from pozytywka_spark.experiments.slices import Slice
from pozytywka_spark.hashing.digest import Digest, digest_of
from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import DAY_MICROS, cut_off_micros, start_micros

# Kind of parcels, by fold: a user of each row, KEYS and `MATRIX`
ROWS = "uplift_rows"
KEYS = ("user_id", "month", "revision", "treated", "bought", "fold", "score")
MATRIX = "features"  # an array of 32-bit floats, NaN where null
FOLDS = 2
ROWS_AT_ONCE = 400_000  # rows of 115 features that a task joins: 370 MB as doubles
FOLD_SCOPE = "uplift:fold"  # what folds are hashed under
_NO_SCORES = pl.Schema({"user_id": pl.Int64(), "score": pl.Float64(), "label": pl.String()})


@dataclass(frozen=True)
class EntryMonth:
    """The month before an entry, with its files of `features` and of `predictions`."""

    month: date
    features: tuple[DataFile, ...]
    predictions: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        """Users with features."""
        return sum(file.rows for file in self.features)

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in (*self.features, *self.predictions))


@dataclass(frozen=True)
class JoinUsers:
    """Work on `EntryMonth`s: stages ROWS by fold, tells `RowFacts` of each part of a month as a dictionary.

    Rows are users of `group` or control whose horizon of so many days is over at `until`, who had not bought
    at entry. `score` is the margin of the latest model that scored the month, null where none did.
    `labelled`: whether predictions say for which label they are.
    """

    group: str
    order: tuple[str, ...]
    salt: str
    horizon_days: int
    until: date
    assigned: tuple[DataFile, ...]
    bought: tuple[Parcel, ...]
    labelled: bool
    rows_at_once: int = ROWS_AT_ONCE

    def __call__(self, items: Sequence[EntryMonth], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each part."""
        for item in items:
            parts = slices_for(item.rows, self.rows_at_once)
            for number in range(parts):
                yield from self._part(item, Slice(number, parts), files)

    def _part(self, item: EntryMonth, part: Slice, files: TaskFiles) -> Iterator[dict[str, Any]]:
        users = self._users(item.month, part, files)
        if not users.height:
            return
        columns = ["user_id", *self.order]
        ids = users.select("user_id")
        features = [files.read([file], columns).join(ids, on="user_id", how="semi") for file in item.features]
        if not features:
            return
        rows = users.join(pl.concat(features), on="user_id", how="inner").sort("user_id")
        rows = rows.join(self._scores(item, ids, files), on="user_id", how="left", maintain_order="left")
        if rows.height:
            for (fold,), mine in rows.group_by("fold", maintain_order=True):
                files.stage(ROWS, self._block(mine), (int(str(fold)),))
            yield self._facts(rows)

    def _users(self, month: date, part: Slice, files: TaskFiles) -> pl.DataFrame:
        entry, purchase = pl.col("entered_at"), pl.col("purchased_at")
        horizon = self.horizon_days * DAY_MICROS
        entered = current(part.read(self.assigned, ASSIGNED, files)).filter(
            pl.col("first_group").is_in([self.group, CONTROL]),
            entry == cut_off_micros(month),
            entry + horizon <= start_micros(self.until),
        )
        bought = first_purchases(part.read(self.bought, NOBODY, files))
        users = entered.join(bought, on="user_id", how="left").filter(
            purchase.is_null() | (purchase >= entry)
        )
        folds = buckets(self.salt, FOLD_SCOPE, users.get_column("user_id")) % FOLDS
        return users.select(
            "user_id",
            pl.lit(month).alias("month"),
            "revision",
            (pl.col("first_group") == self.group).cast(pl.Int8).alias("treated"),
            (purchase < entry + horizon).fill_null(value=False).cast(pl.Int8).alias("bought"),
            folds.alias("fold"),
        )

    def _scores(self, item: EntryMonth, ids: pl.DataFrame, files: TaskFiles) -> pl.DataFrame:
        """Grain user who was scored: `user_id`, `score`, `label`, of the latest model version."""
        columns = ["user_id", "margin", "model_version", *(["label"] if self.labelled else [])]
        parts = [files.read([file], columns).join(ids, on="user_id", how="semi") for file in item.predictions]
        if not parts:
            return pl.DataFrame(schema=_NO_SCORES)
        # tables of older releases lack the column, or have null there: then nobody knows better
        label = pl.col("label") if self.labelled else pl.lit(None, pl.String)
        latest = pl.concat(parts).sort("model_version").group_by("user_id").last()
        return latest.select("user_id", pl.col("margin").alias("score"), label.alias("label"))

    def _block(self, rows: pl.DataFrame) -> pl.DataFrame:
        floats = rows.select(pl.col(self.order).cast(pl.Float32).fill_null(float("nan")))
        matrix = pl.Series(MATRIX, floats.to_numpy(order="c"), pl.Array(pl.Float32, len(self.order)))
        return rows.select(KEYS).with_columns(matrix)

    def _facts(self, rows: pl.DataFrame) -> dict[str, Any]:
        sizes = rows.group_by("fold", "treated").agg(pl.len(), pl.col("bought").cast(pl.Int64).sum())
        plain = [rows.get_column(name).to_physical() for name in ("user_id", "month", *KEYS[2:5])]
        values = (
            rows.get_column(name).cast(pl.Float64).fill_null(float("nan")).to_numpy()
            for name in sorted(self.order)
        )
        arrays = [column.to_numpy() for column in plain]
        scores = rows.get_column("score").fill_null(float("nan")).to_numpy()
        return {
            "sizes": [list(size) for size in sizes.iter_rows()],
            "lacking": rows.get_column("score").null_count(),
            "labels": rows.get_column("label").drop_nulls().unique().to_list(),
            "content": asdict(digest_of(column for columns in (arrays, values) for column in columns)),
            "scores": asdict(digest_of([arrays[0], arrays[1], scores])),
        }


@dataclass(frozen=True)
class RowFacts:
    """Of all rows: users and purchases by fold and group (1: treated), whether `score` is a ranking, and
    what the rows come to.

    Scores are one only if all rows have one, and models of one label gave them: margins for different labels
    are no ranking.
    """

    sizes: Mapping[tuple[int, int], tuple[int, int]]
    scored: bool
    content: str

    @property
    def users(self) -> int:
        """How many rows."""
        return sum(users for users, _ in self.sizes.values())


def facts_told(results: Sequence[Mapping[str, Any]], order: Sequence[str]) -> RowFacts:
    """The facts of all parts together."""
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    for fold, treated, users, bought in (size for line in results for size in line["sizes"]):
        before = sizes.get((fold, treated), (0, 0))
        sizes[fold, treated] = (before[0] + users, before[1] + bought)
    labels = {label for line in results for label in line["labels"]}
    scored = sum(line["lacking"] for line in results) == 0 and len(labels) <= 1
    content = sum((Digest(**line["content"]) for line in results), Digest())
    names = [content.named([*KEYS[:5], *sorted(order)])]
    if scored:
        names.append(sum((Digest(**line["scores"]) for line in results), Digest()).named(["score"]))
    return RowFacts(sizes, scored, ":".join(names))
