"""What a day's pages come to, by tasks: tracks shown, and a few pages to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.feed.arrange.rules import EXPLORE
from pozytywka_spark.feed.rows import NEW_ARTIST
from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

SHOWN = "tracks shown"  # kind of parcels
PAGES, PLACES, EXPLORED, NEW, RELAXED = "pages", "places", "explored", "new", "relaxed"
SIDE_BY_SIDE, TOP = 3, 20
_COLUMNS = (
    "user_id",
    "feed_date",
    "position",
    "track_id",
    "artist_id",
    "value",
    "sources",
    "marks",
    "stream",
)
_SEED = 27


@dataclass(frozen=True)
class LookAtPages:
    """Work on files of a day's feed: stages SHOWN, tells counts and pages of a few users drawn by hash."""

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a file."""
        for item in items:
            rows = files.read([item], _COLUMNS)
            files.stage(SHOWN, rows.select("track_id", "artist_id").unique())
            yield {
                PLACES: rows.height,
                EXPLORED: int((rows.get_column("stream") == EXPLORE).sum()),
                NEW: int(rows.get_column("marks").list.contains(NEW_ARTIST).sum()),
                RELAXED: int(
                    rows.get_column("marks")
                    .list.eval(pl.element().str.starts_with("relaxed"))
                    .list.any()
                    .sum()
                ),
                PAGES: _some_pages(rows),
            }


@dataclass(frozen=True)
class CountShown:
    """Work on one item: tells how many tracks and artists all SHOWN have."""

    shown: tuple[Parcel, ...]

    def __call__(self, items: Sequence[int], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line."""
        for _ in items:
            rows = files.read(self.shown)
            yield {
                "tracks": rows.get_column("track_id").n_unique(),
                "artists": rows.get_column("artist_id").n_unique(),
            }


def _some_pages(rows: pl.DataFrame) -> list[list[Any]]:
    """Of the users with the lowest dice: the die, and the first places in words."""
    users = rows.select("user_id", "feed_date").unique()
    drawn = users.with_columns(dice(users, _SEED, ("user_id", "feed_date"))).sort("dice").head(SIDE_BY_SIDE)
    told = []
    for user, die in drawn.select("user_id", "dice").iter_rows():
        page = rows.filter(pl.col("user_id") == user).sort("position").head(TOP)
        told.append([str(die).zfill(20), [_words(row) for row in page.to_dicts()]])
    return told


def _words(row: dict[str, Any]) -> str:
    marks = [*row["sources"], *row["marks"], *([EXPLORE] if row["stream"] == EXPLORE else [])]
    return f"{row['track_id']} by {row['artist_id']}: {row['value']:.3f} ({', '.join(marks)})"
