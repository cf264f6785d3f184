"""Artists to their groups and languages, in two jobs: titles and artists into parts, then part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.hashing.slices import text_slice
from pozytywka_spark.lake.shards import DataFile, Parcel, batches
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import ARTIST_GROUPS, TRACK_LANGUAGES
from pozytywka_spark.topics.counts import genre_rows
from pozytywka_spark.topics.identities import OTHER_GROUP
from pozytywka_spark.topics.languages import Asked, Language

# Kinds of parcels, by part: id, genres of artists; id, name, id_artist of tracks
ARTISTS, TRACKS = "artists", "tracks"
COLUMNS = {ARTISTS: ["id", "genres"], TRACKS: ["id", "name", "id_artist"]}
_ARTIST = {ARTISTS: "id", TRACKS: "id_artist"}
_AT_ONCE = 500_000
# A title takes the classifier as long as other work takes over kilobytes, and tasks are packed by bytes
TITLE_WEIGHT = 500


@dataclass(frozen=True)
class Files:
    """Some files of `artists` or `tracks`."""

    table: str
    files: tuple[DataFile, ...]


@dataclass(frozen=True)
class Split:
    """Work on `Files`: stages their rows by part of the artists' ids; tells nothing."""

    parts: int

    def __call__(self, items: Sequence[Files], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """No line."""
        for item in items:
            for some in batches(item.files, _AT_ONCE):
                rows = files.read(some, COLUMNS[item.table]).drop_nulls(_ARTIST[item.table])
                part = text_slice(rows.get_column(_ARTIST[item.table]), self.parts)
                for number in range(self.parts):
                    files.stage(item.table, rows.filter(part == number), (number,))
        yield from ()


@dataclass(frozen=True)
class Part:
    """The artists and tracks of a part."""

    number: int
    artists: tuple[Parcel, ...]
    tracks: tuple[Parcel, ...]

    @property
    def weight(self) -> int:
        """How long it takes, in bytes of other work."""
        return sum(one.size for one in self.artists) + TITLE_WEIGHT * sum(one.rows for one in self.tracks)


@dataclass(frozen=True)
class Assign:
    """Work on `Part`s: writes ARTIST_GROUPS and TRACK_LANGUAGES; tells `artists`, with a `group`, with a
    `language`, and `tracks` with one.

    `genres`: a parcel with `genre`, `group_id`, `subgroup_id`, `confidence`.
    """

    genres: Parcel
    asked: Asked
    fit_id: str

    def __call__(self, items: Sequence[Part], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a part."""
        genres = files.shared([self.genres])
        for item in items:
            if not item.artists:
                continue
            artists = files.read(item.artists)
            tracks = _tracks(item, artists, files)
            groups = artist_groups(artists, genres).join(
                artist_languages(artists, tracks, self.asked), on="id", maintain_order="left"
            )
            languages = track_languages(tracks, self.asked)
            files.write(ARTIST_GROUPS, groups.with_columns(fit_id=pl.lit(self.fit_id)).sort("id"))
            files.write(TRACK_LANGUAGES, languages)
            yield {
                "artists": groups.height,
                "group": groups.get_column("group_id").drop_nulls().len(),
                "language": groups.get_column("language").drop_nulls().len(),
                "tracks": languages.height,
            }


def _tracks(item: Part, artists: pl.DataFrame, files: TaskFiles) -> pl.DataFrame:
    if not item.tracks:
        return pl.DataFrame(schema=dict.fromkeys(COLUMNS[TRACKS], pl.String()))
    return files.read(item.tracks).join(artists.select("id"), left_on="id_artist", right_on="id", how="semi")


def artist_groups(artists: pl.DataFrame, genres: pl.DataFrame) -> pl.DataFrame:
    """`id`, `group_id`, `subgroup_id`, `share` of each artist (`id`, `genres`); null of one without genres.

    The group that most of its genres lie in, `other` only where all lie there; on a tie the one whose genres
    are surer of it, then by id. Of the group's subgroups likewise. `genres`: `genre`, `group_id`,
    `subgroup_id`, `confidence`.
    """
    # in millionths: sums don't depend on the order, so ties are ties
    sure = (pl.col("confidence") * 1_000_000).round().cast(pl.Int64)
    rows = genre_rows(artists, "id").join(genres.with_columns(sure=sure), on="genre")
    group = _most(rows, ["id"], "group_id")
    subgroup = _most(rows.join(group, on=["id", "group_id"], how="semi"), ["id", "group_id"], "subgroup_id")
    held = rows.group_by("id").agg(all=pl.len())
    found = group.join(subgroup.select("id", "subgroup_id"), on="id").join(held, on="id")
    shares = found.select("id", "group_id", "subgroup_id", share=pl.col("genres") / pl.col("all"))
    return artists.select("id").join(shares, on="id", how="left", maintain_order="left")


def _most(rows: pl.DataFrame, keys: list[str], of: str) -> pl.DataFrame:
    """The row of `keys` and `of` with most genres (`genres`), one each of `keys`."""
    counted = rows.group_by([*keys, of]).agg(genres=pl.len(), sure=pl.col("sure").sum())
    order = [pl.col(of) == OTHER_GROUP, -pl.col("genres").cast(pl.Int64), -pl.col("sure"), pl.col(of)]
    return counted.sort(order).unique(keys, keep="first", maintain_order=True)


def artist_languages(artists: pl.DataFrame, tracks: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """`id`, `language`, `language_confidence`, `titles` of each artist, from all titles of its tracks."""
    titles = tracks.group_by(id="id_artist").agg(pl.col("name"))
    rows = artists.select("id").join(titles, on="id", how="left", maintain_order="left")
    told = [asked.of_artist(names or ()) for names in rows.get_column("name").to_list()]
    return pl.DataFrame([rows.get_column("id"), *_columns(told, "language_confidence")])


def track_languages(tracks: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """`id`, `language`, `confidence` of the tracks whose own title is sure, by id."""
    told = [asked.of_title(name) for name in tracks.get_column("name").to_list()]
    rows = pl.DataFrame([tracks.get_column("id"), *_columns(told, "confidence")])
    return rows.drop("titles").drop_nulls("language").sort("id")


def _columns(told: Sequence[Language], confidence: str) -> list[pl.Series]:
    return [
        pl.Series("language", [one.language for one in told], pl.String),
        pl.Series(confidence, [one.confidence for one in told], pl.Float64),
        pl.Series("titles", [one.titles for one in told], pl.Int64),
    ]
