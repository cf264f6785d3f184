"""A month and its reference, looked at by tasks: scored, edges of bins, counts per bin, performance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.monitoring.counts import Counts, count_bins, edges_of
from pozytywka_spark.monitoring.performance import Measured, measure
from pozytywka_spark.names import USER_MONTH
from pozytywka_spark.scoring.month_work import MARGIN, ROWS_AT_ONCE, matrix_of, parts_of

if TYPE_CHECKING:
    from pozytywka_spark.models.serving_model import ServingModel
    from pozytywka_spark.monitoring.counts import Floats

KEYS = list(USER_MONTH)
LABEL, SCORE, DICE = "label", "score", "dice"
# Kinds of parcels, by month (ISO) and number of the part: SCORED user_id, label, margin, score, in the order
# of the part's rows; SAMPLE dice, KEYS, features, margin
SCORED, SAMPLE = "scored", "sample"


@dataclass(frozen=True)
class MonthPart:
    """Some files of `features` of a month, and all of its files of `labels`."""

    month: date
    number: int
    features: tuple[DataFile, ...]
    labels: tuple[DataFile, ...]

    @property
    def key(self) -> tuple[str | int, ...]:
        """Of its parcels."""
        return self.month.isoformat(), self.number

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in (*self.features, *self.labels))


def parts_of_month(month: date, features: Sequence[DataFile], labels: Sequence[DataFile]) -> list[MonthPart]:
    """A month in parts that a task can hold."""
    return [MonthPart(month, part.number, part.files, tuple(labels)) for part in parts_of(features)]


@dataclass(frozen=True)
class ScoreMonths:
    """Work on `MonthPart`s: stages SCORED; of months but `month` SAMPLE, the `sample` rows of lowest dice.

    `label` is the model's own: null until the row is mature.
    """

    model: ServingModel
    month: date
    sample: int
    seed: int

    def __call__(self, items: Sequence[MonthPart], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for part in items:
            rows = files.read(part.features, [*KEYS, *self.model.features])
            chunks = rows.iter_slices(ROWS_AT_ONCE)
            margins = np.concatenate([np.empty(0), *map(self._margins, chunks)])
            scored = rows.with_columns(pl.Series(MARGIN, margins))
            files.stage(SCORED, self._labelled(scored, part, files), part.key)
            if part.month != self.month:
                files.stage(SAMPLE, lowest(scored, self.seed, self.sample), part.key)
        yield from ()

    def _margins(self, rows: pl.DataFrame) -> Floats:
        return self.model.predictor.margins(matrix_of(rows, self.model.features))

    def _labelled(self, scored: pl.DataFrame, part: MonthPart, files: TaskFiles) -> pl.DataFrame:
        score = self.model.calibrator.apply(scored.get_column(MARGIN).to_numpy())
        slim = scored.select("user_id", MARGIN, pl.Series(SCORE, score))
        if not part.labels:
            return slim.with_columns(pl.lit(None, pl.Float64).alias(LABEL))
        labels = files.shared(part.labels, ["user_id", "mature", self.model.label])
        labelled = labels.filter(pl.col("mature").fill_null(value=False)).select(
            "user_id", pl.col(self.model.label).cast(pl.Float64).alias(LABEL)
        )
        return slim.join(labelled, on="user_id", how="left", maintain_order="left", validate="m:1")


def lowest(rows: pl.DataFrame, seed: int, most: int) -> pl.DataFrame:
    """At most so many of the rows, those with the lowest dice, which are added if they aren't there."""
    if DICE not in rows.columns:
        rows = rows.with_columns(dice(rows, seed).alias(DICE))
    return rows if rows.height <= most else rows.sort(DICE, *KEYS).head(most)


@dataclass(frozen=True)
class Reference:
    """All parcels of the reference months."""

    sample: tuple[Parcel, ...]
    scored: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes that are read, about."""
        return sum(parcel.size for parcel in (*self.sample, *self.scored))


@dataclass(frozen=True)
class LookAtReference:
    """Work on the one `Reference`: tells `edges` of each of `names` (a list, or null), and its `users`."""

    names: tuple[str, ...]
    sample: int
    seed: int

    def __call__(self, items: Sequence[Reference], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """One line."""
        for reference in items:
            drawn = files.read(reference.sample[:1]).clear()
            users = pl.DataFrame(schema={"user_id": pl.Int64()})
            for parcel in reference.sample:  # so that few are held at once
                drawn = lowest(pl.concat([drawn, files.read([parcel])]), self.seed, self.sample)
            for parcel in reference.scored:
                users = pl.concat([users, files.read([parcel], ["user_id"])]).unique()
            edges = {name: edges_of(values_of(drawn, name)) for name in self.names}
            plain = {name: None if each is None else each.tolist() for name, each in edges.items()}
            yield {"edges": plain, "users": users.height}


@dataclass(frozen=True)
class CountedPart:
    """A part of a month and its SCORED."""

    part: MonthPart
    scored: Parcel

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return self.part.size + self.scored.size


@dataclass(frozen=True)
class CountRows:
    """Work on `CountedPart`s: tells `month` (ISO) and `counts`: bins and nulls of features and margin."""

    edges: dict[str, list[float] | None]

    def __call__(self, items: Sequence[CountedPart], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a part."""
        features = [name for name in self.edges if name != MARGIN]
        for item in items:
            rows = files.read(item.part.features, features)
            rows = rows.with_columns(files.read([item.scored], [MARGIN]).get_column(MARGIN))
            counted = {}
            for name, edges in self.edges.items():
                counts = count_bins(values_of(rows, name), None if edges is None else np.array(edges))
                counted[name] = [*counts.bins.tolist(), counts.nulls]
            yield {"month": item.part.month.isoformat(), "counts": counted}


@dataclass(frozen=True)
class ScoredMonth:
    """The SCORED of a month."""

    month: date
    scored: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(parcel.size for parcel in self.scored)


@dataclass(frozen=True)
class MeasureMonths:
    """Work on `ScoredMonth`s: tells `month` (ISO) and `measured`, by kind and metric `Measured` fields."""

    replicates: int
    seed: int

    def __call__(self, items: Sequence[ScoredMonth], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a month."""
        for item in items:
            rows = files.read(item.scored).sort("user_id")
            columns = [values_of(rows, name) for name in (LABEL, SCORE)]
            users = rows.get_column("user_id").to_numpy()
            measured = measure(users, *columns, replicates=self.replicates, seed=self.seed)
            plain = {
                kind: {name: asdict(value) for name, value in each.items()} for kind, each in measured.items()
            }
            yield {"month": item.month.isoformat(), "measured": plain}


def values_of(rows: pl.DataFrame, name: str) -> Floats:
    """A column's values, null as NaN."""
    return rows.get_column(name).cast(pl.Float64).fill_null(float("nan")).to_numpy()


def counts_told(results: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Counts]:
    """What `CountRows` told of some parts, added up."""
    counts = {name: Counts() for name in names}
    for line in results:
        for name in names:
            *bins, nulls = line["counts"][name]
            counts[name] += Counts(np.array(bins), nulls)
    return counts


def measured_told(results: Sequence[Mapping[str, Any]]) -> dict[date, dict[str, dict[str, Measured]]]:
    """What `MeasureMonths` told, by month."""
    return {
        date.fromisoformat(line["month"]): {
            kind: {name: Measured(**value) for name, value in each.items()}
            for kind, each in line["measured"].items()
        }
        for line in results
    }
