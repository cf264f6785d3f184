"""All tracks of a slice by number: those of the catalogue by theirs, strays by numbers after them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.features.build.lookups import NONE, Lookups

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TrackNumbers:
    """`strays`: identifiers that the catalogue lacks, each once."""

    sides: Lookups
    strays: pl.Series

    @property
    def end(self) -> int:
        """The first number that nothing has."""
        return self.sides.top + len(self.strays)

    def of(self, rows: pl.DataFrame) -> Whole:
        """The number of each row's `track` or `stray`; NONE for a row that names no track."""
        tracks = rows.get_column("track").cast(pl.Int64)
        strays = rows.get_column("stray")
        if strays.null_count() < len(strays):
            tracks = rows.select(tracks.fill_null(self._of_strays(strays))).to_series()
        return tracks.fill_null(NONE).to_numpy()

    def of_ids(self, track_ids: pl.Series) -> Whole:
        """The number of each identifier."""
        numbers = self.sides.tracks.select("track_id", pl.col("track").cast(pl.Int64))
        rows = pl.DataFrame({"track_id": track_ids}, schema={"track_id": pl.String})
        tracks = rows.join(numbers, on="track_id", how="left", maintain_order="left").get_column("track")
        if tracks.null_count():
            tracks = rows.select(tracks.fill_null(self._of_strays(track_ids))).to_series()
        return tracks.fill_null(NONE).to_numpy()

    def ids(self, numbers: Whole) -> pl.Series:
        """The identifier of each number."""
        return self._ids.gather(numbers).alias("track_id")

    def in_catalogue(self, numbers: Whole) -> Whole:
        """The numbers, those of strays and NONE replaced by `Sides.top`, which stands for all of them."""
        top = self.sides.top
        return np.minimum(np.where(numbers == NONE, top, numbers), top)

    @cached_property
    def _ids(self) -> pl.Series:
        return pl.concat([self.sides.track_ids, self.strays])

    def _of_strays(self, texts: pl.Series) -> pl.Series:
        numbers = pl.DataFrame(
            {"stray": self.strays, "number": np.arange(self.sides.top, self.end, dtype=np.int64)}
        )
        rows = pl.DataFrame({"stray": texts}, schema={"stray": pl.String})
        return rows.join(numbers, on="stray", how="left", maintain_order="left").get_column("number")


def number_tracks(sides: Lookups, strays: Iterable[pl.Series], held_ids: pl.Series | None) -> TrackNumbers:
    """Numbers for all that a slice names: strays of its rows, and held identifiers, stray or not."""
    named = [each.drop_nulls() for each in strays]
    if held_ids is not None:
        listed = sides.tracks.select("track_id")
        named.append(held_ids.to_frame("track_id").join(listed, on="track_id", how="anti").to_series())
    return TrackNumbers(sides, pl.concat(named).unique().sort().alias("stray"))
