"""How often artists have genres together, as tasks count it: a row a genre and a pair, never an artist."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.lake.shards import DataFile, batches
from pozytywka_spark.lake.tasks import TaskFiles

# Kinds of parcels: genre, artists; one, other (by text), artists
USES, PAIRS = "uses", "pairs"
_NO_USES = pl.DataFrame(schema={"genre": pl.String(), "artists": pl.Int64()})
_NO_PAIRS = pl.DataFrame(schema={"one": pl.String(), "other": pl.String(), "artists": pl.Int64()})
# Who has more genres than that says of none of them which others it belongs to, and would make thousands of
# pairs; on Spotify the most is 21
MOST_GENRES = 60
ARTISTS_AT_ONCE = 250_000


@dataclass(frozen=True)
class GenreCounts:
    """`uses`: genre, artists (who have it), by genre; `pairs`: one, other (after it by text), artists (who
    have both), by both.
    """

    uses: pl.DataFrame
    pairs: pl.DataFrame

    @property
    def digest(self) -> str:
        """SHA-256 of all counts."""
        told = hashlib.sha256()
        for rows in (self.uses, self.pairs):
            told.update(f"{rows.height}\n".encode())
            for row in rows.iter_rows():
                told.update(repr(row).encode())
        return told.hexdigest()


NOTHING_COUNTED = GenreCounts(_NO_USES, _NO_PAIRS)


def genre_rows(artists: pl.DataFrame, *keep: str) -> pl.DataFrame:
    """A row an artist and genre: `artist` (number of the row), `genre` as it is spelt, columns to keep.

    Null and blank genres are none, one that stands twice counts once. The order is the artists' and, within
    one, the texts'.
    """
    rows = artists.select(*keep, "genres").with_row_index("artist").explode("genres", empty_as_null=True)
    genre = rows.rename({"genres": "genre"}).filter(pl.col("genre").str.strip_chars().str.len_bytes() > 0)
    return genre.unique(["artist", "genre"]).sort("artist", "genre")


def count_genres(artists: pl.DataFrame) -> GenreCounts:
    """Counts of artists with `genres` (lists of text)."""
    rows = genre_rows(artists)
    uses = rows.group_by("genre").agg(artists=pl.len().cast(pl.Int64)).sort("genre")
    numbered = rows.join(uses.select("genre").with_row_index("number"), on="genre")
    many = numbered.filter(pl.len().over("artist").is_between(2, MOST_GENRES)).select("artist", "number")
    both = many.join(many, on="artist", suffix="_other").filter(pl.col("number") < pl.col("number_other"))
    pairs = both.group_by("number", "number_other").agg(artists=pl.len().cast(pl.Int64))
    genre = uses.get_column("genre")
    spelt = pairs.select(
        one=genre.gather(pairs.get_column("number")),
        other=genre.gather(pairs.get_column("number_other")),
        artists="artists",
    )
    return GenreCounts(uses, spelt.sort("one", "other"))


def added(one: GenreCounts, other: GenreCounts) -> GenreCounts:
    """Counts of both together."""
    return GenreCounts(
        _summed(pl.concat([one.uses, other.uses]), ["genre"]),
        _summed(pl.concat([one.pairs, other.pairs]), ["one", "other"]),
    )


def _summed(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    return rows.group_by(keys).agg(pl.col("artists").sum()).sort(keys)


def count_in_tasks(items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
    """Work on files of `artists`: stages USES and PAIRS of a task's together; tells `artists`."""
    total = NOTHING_COUNTED
    for some in batches(list(items), ARTISTS_AT_ONCE):
        rows = files.read(some, ["genres"])
        yield {"artists": rows.height}
        for at in range(0, rows.height, ARTISTS_AT_ONCE):
            total = added(total, count_genres(rows[at : at + ARTISTS_AT_ONCE]))
    files.stage(USES, total.uses)
    files.stage(PAIRS, total.pairs)
