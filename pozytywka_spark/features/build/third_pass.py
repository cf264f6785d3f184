"""Job three: everything of some users over all months, written as the tables' files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.features.build.items import Source, UserSlice
from pozytywka_spark.features.build.label_rows import LabelPlan, count_labels, label_rows
from pozytywka_spark.features.build.lookups import Lookups, lookups_of
from pozytywka_spark.features.build.parcels import PLAYED_ROWS
from pozytywka_spark.features.build.purchases import purchases_of
from pozytywka_spark.features.build.slice_files import slice_rows
from pozytywka_spark.features.build.suspicion_sample import CANDIDATES, OLDER
from pozytywka_spark.features.build.user_kernel import SliceMade, make_slice
from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import Table

if TYPE_CHECKING:
    from pozytywka_spark.features.build.plan import CataloguePlan

# Cells of users' months (rows and the plan's columns), and rows of LISTENED, that are in memory at once: a
# slice of more goes in parts of its users
CELLS_AT_ONCE = 40_000_000
PLAYS_AT_ONCE = 3_000_000
# what is told of an item: rows of each table, and `LabelCount.told` of each month
ROWS, LABELS = "rows", "labels"
# labels and features, or labels alone: user_id, month and label; what a guard wants to look at of them
Candidates = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]
OlderCandidates = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class TracksPlayed:
    """All parcels PLAYED of the real world: they become the months' files of `track_plays`."""

    months: tuple[date, ...]
    played: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(one.size for one in self.played)


@dataclass(frozen=True)
class OlderLabels:
    """A month that is not built now, in a bucket of users: its labels follow from later purchases too."""

    month: date
    bucket: int
    user_month: tuple[DataFile, ...]
    written: bool = True  # else the labels are as they were, and only looked at

    @property
    def size(self) -> int:
        """Bytes of the files, of which one column is read."""
        return sum(one.size for one in self.user_month)


Item = UserSlice | TracksPlayed | OlderLabels


@dataclass(frozen=True)
class MakeFeatures:
    """Work on `Item`s of the real world: writes all tables of the months of the build, and older labels.

    `tracks` and `favourite_groups`: parcels of the first job, None where there are none. `played`: parcels
    PLAYED of these months and files of `track_plays` of earlier ones. `bought`: parcels BOUGHT or files of
    `first_purchases` with all known first purchases. With `candidates` and `older_candidates`, what they
    choose of the labelled rows is staged as CANDIDATES and OLDER.

    Of each table a file a month and item is written, its rows in order of users. Told are ROWS and LABELS.
    """

    plan: CataloguePlan
    months: tuple[date, ...]
    tracks: Parcel | None
    played: tuple[Source, ...]
    bought: tuple[Source, ...]
    labels: LabelPlan
    candidates: Candidates | None = None
    older_candidates: OlderCandidates | None = None
    favourite_groups: Parcel | None = None
    cells_at_once: int = CELLS_AT_ONCE
    plays_at_once: int = PLAYS_AT_ONCE

    def __call__(self, items: Sequence[Item], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each item."""
        sides = lookups_of(
            self.tracks, self.played, files, grouped=self.plan.grouped, fond=self.favourite_groups
        )
        purchases = purchases_of(self.bought, files)
        for item in items:
            if isinstance(item, UserSlice):
                parts = parts_of(item, self.plan.columns, self.cells_at_once, self.plays_at_once)
                for part in range(parts):
                    yield self._make_part(item, part, parts, sides, purchases, files)
            elif isinstance(item, TracksPlayed):
                yield self._write_plays(item, sides, files)
            else:
                yield self._write_older(item, purchases, files)

    def _make_part(
        self,
        item: UserSlice,
        part: int,
        parts: int,
        sides: Lookups,
        purchases: pl.DataFrame,
        files: TaskFiles,
    ) -> dict[str, Any]:
        """In a function of its own, so that nothing of a part is held while the next one is made."""
        rows = slice_rows(item, files, self.plan, sides, part, parts)
        made = make_slice(rows, sides, self.plan, self.months)
        del rows
        return self._write_slice(made, item.bucket, purchases, files)

    def _write_slice(
        self, made: SliceMade, bucket: int, purchases: pl.DataFrame, files: TaskFiles
    ) -> dict[str, Any]:
        labels = label_rows(made.user_month.select("user_id", "month"), purchases, self.labels)
        by_bucket = {"user_bucket": bucket}
        names = [each.name for each in self.plan.features]
        user_month = schemas.user_month_table([each.name for each in self.plan.measures])
        _write(schemas.FIRST_LIKES, made.likes, files, by_bucket)
        _write(schemas.ARTIST_DEBUTS, made.artists, files, by_bucket)
        _write(schemas.USER_DEBUTS, made.users, files, by_bucket)
        _write(user_month, made.user_month, files, by_bucket)
        _write(schemas.features_table(names), made.features, files)
        _write(schemas.labels_table(self.labels.horizon_column), labels, files)
        if self.candidates is not None:
            files.stage(CANDIDATES, self.candidates(self._labelled(labels), made.features))
        written = {"user_month": made.user_month, "features": made.features, "labels": labels}
        return {ROWS: {name: rows.height for name, rows in written.items()}, LABELS: self._told(labels)}

    def _write_plays(self, item: TracksPlayed, sides: Lookups, files: TaskFiles) -> dict[str, Any]:
        played = files.read(item.played) if item.played else pl.DataFrame(schema=PLAYED_ROWS)
        named = plays_by_id(played.filter(pl.col("month").is_in(item.months)), sides)
        _write(schemas.TRACK_PLAYS, named, files)
        return {ROWS: {"track_plays": named.height}, LABELS: []}

    def _write_older(self, item: OlderLabels, purchases: pl.DataFrame, files: TaskFiles) -> dict[str, Any]:
        rows = files.read(item.user_month, ["user_id"]).with_columns(month=pl.lit(item.month)).sort("user_id")
        labels = label_rows(rows, purchases, self.labels)
        if item.written:
            _write(schemas.labels_table(self.labels.horizon_column), labels, files)
        if self.older_candidates is not None:
            files.stage(OLDER, self.older_candidates(self._labelled(labels)))
        return {ROWS: {"labels": labels.height}, LABELS: self._told(labels)}

    def _labelled(self, labels: pl.DataFrame) -> pl.DataFrame:
        return labels.select("user_id", "month", pl.col(self.labels.horizon_column).alias("label"))

    def _told(self, labels: pl.DataFrame) -> list[dict[str, Any]]:
        return [one.told() for one in count_labels(labels, self.labels.horizon_column)]


def parts_of(
    item: UserSlice, columns: int, cells_at_once: int = CELLS_AT_ONCE, plays_at_once: int = PLAYS_AT_ONCE
) -> int:
    """How many parts a slice's users go in, one after the other."""
    rows = sum(one.rows for one in item.measured)
    plays = sum(one.rows for one in item.listened)
    return max(slices_for(rows * columns, cells_at_once), slices_for(plays, plays_at_once))


def plays_by_id(played: pl.DataFrame, sides: Lookups) -> pl.DataFrame:
    """Grain: track and month, in order of month and id: `track_id`, `plays`. `played` as PLAYED_ROWS."""
    summed = played.group_by("month", "track", "stray").agg(pl.col("plays").sum())
    named = summed.join(sides.tracks.select("track", "track_id"), on="track", how="left")
    if not named.get_column("track").null_count():  # numbers are in the order of ids
        return named.sort("month", "track").select("track_id", "plays", "month")
    with_id = named.select(pl.coalesce("track_id", "stray"), "plays", "month")
    return with_id.drop_nulls("track_id").sort("month", "track_id")


def _write(
    table: Table, rows: pl.DataFrame, files: TaskFiles, partition: Mapping[str, Any] | None = None
) -> None:
    """A file for each month of rows that lie in order of months."""
    months = rows.get_column("month").rle().struct.unnest()
    runs = [(length, {"month": month, **(partition or {})}) for length, month in months.iter_rows()]
    files.write_runs(table, rows.drop("month"), runs)
