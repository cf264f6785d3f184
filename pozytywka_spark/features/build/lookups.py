"""Small tables that all slices of users share: tracks by their numbers, and their plays in earlier months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.features.build.dimensions import no_tracks
from pozytywka_spark.features.build.items import Source
from pozytywka_spark.features.build.listener_groups import GROUP, GROUP_CODE, LANGUAGE, POLISH
from pozytywka_spark.features.build.parcels import PLAYED_ROWS
from pozytywka_spark.features.build.user_months import month_numbers
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

Whole = npt.NDArray[np.int64]
NONE = -1  # the number of an artist, genre or track that there isn't
TRACK_COLUMNS = ("track", "track_id", "artist", "artist_id", "genre", "duration_ms")


@dataclass(frozen=True)
class Lookups:
    """The track dimension, and plays of its tracks by month.

    `tracks`, grain track: `track`, `track_id`, `artist` and `artist_id`, `genre` (the first that the artist
    lists), `known` (whether plays of it count for the level `popularity`). `track`, `artist`, `genre` are
    numbers from 0 on. Where features of groups or languages are built also `group`, `group_code`, `language`,
    `polish`, and `fond`, grain user with a favourite group: `user_id`, masks of groups.
    `played`: `track`, `month`, `plays` by anyone, in the build's months and earlier ones.
    """

    tracks: pl.DataFrame
    played: pl.DataFrame
    fond: pl.DataFrame | None = None

    @cached_property
    def top(self) -> int:
        """The first number that no track of the dimension has."""
        return _top(self.tracks, "track")

    @cached_property
    def artist_of(self) -> Whole:
        """The artist of each track; the element at `top` is for all tracks that the catalogue lacks."""
        return _by_number(self.tracks, "track", "artist")

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether each track is known, the one at `top` included."""
        known = _by_number(self.tracks.with_columns(pl.col("known").cast(pl.Int64)), "track", "known")
        flags: npt.NDArray[np.bool_] = known == 1
        return flags

    @cached_property
    def genre_of(self) -> Whole:
        """The first genre of each artist; the last element is for no artist."""
        return _by_number(self.tracks, "artist", "genre")

    @cached_property
    def group_of(self) -> Whole:
        """The group of each artist; the last element is for no artist."""
        return _by_number(self.tracks, "artist", GROUP)

    @cached_property
    def code_of(self) -> Whole:
        """The code of each group; the last element is for no group."""
        return _by_number(self.tracks, GROUP, GROUP_CODE)

    @cached_property
    def language_of(self) -> Whole:
        """The language of each track; the element at `top` is for all tracks that the catalogue lacks."""
        return _by_number(self.tracks, "track", LANGUAGE)

    @cached_property
    def polish(self) -> int:
        """The number of Polish; NONE if no track is in it."""
        languages = self.tracks.filter(POLISH).get_column(LANGUAGE)
        return int(languages[0]) if len(languages) else NONE

    @cached_property
    def place_of(self) -> Whole:
        """The place of each artist by first genre, then number; the last element is for no artist."""
        places = np.empty_like(self.genre_of)
        places[np.argsort(self.genre_of, kind="stable")] = np.arange(len(places))
        return places

    @cached_property
    def track_ids(self) -> pl.Series:
        """The identifier of each track, by number."""
        return _texts(self.tracks, "track", "track_id")

    @cached_property
    def artist_ids(self) -> pl.Series:
        """The identifier of each artist, by number."""
        return _texts(self.tracks, "artist", "artist_id")

    @cached_property
    def artists_by_id(self) -> pl.DataFrame:
        """Grain: artist: `artist_id` and `artist`."""
        named = self.tracks.select("artist_id", pl.col("artist").cast(pl.Int64))
        return named.drop_nulls().unique()

    @cached_property
    def plays_by_month(self) -> tuple[tuple[int, Whole, Whole], ...]:
        """Each month's number, tracks (some of them in several places) and plays, in order of months."""
        parts = self.played.sort("month").partition_by("month", maintain_order=True)
        return tuple(
            (int(month_numbers(part["month"])[0]), _whole(part["track"]), _whole(part["plays"]))
            for part in parts
        )

    def prior_plays(self, months: Sequence[int]) -> Iterator[Whole]:
        """For each of the months (numbers, in order) the plays of each track in all months before.

        One array, which grows from month to month: take what you need before you ask for the next.
        """
        prior = np.zeros(self.top + 1, np.int64)
        waiting = list(reversed(self.plays_by_month))
        for month in months:
            while waiting and waiting[-1][0] < month:
                _, tracks, plays = waiting.pop()
                np.add.at(prior, tracks, plays)
            yield prior


def lookups_of(
    tracks: Parcel | None,
    played: Sequence[Source],
    files: TaskFiles,
    *,
    grouped: bool = False,
    fond: Parcel | None = None,
) -> Lookups:
    """The sides from the parcel TRACKS (None: no tracks), and from parcels PLAYED and files of `track_plays`.

    Held plays go by identifier: what was a stray track then may be in the catalogue by now, and the reverse.
    `grouped`: TRACKS has groups and languages, which are wanted; `fond`: the parcel FAVOURITE_GROUPS.
    """
    more = (GROUP, GROUP_CODE, LANGUAGE, POLISH) if grouped else ()
    dimension = files.shared([tracks], [*TRACK_COLUMNS, *more]) if tracks else _no_tracks(more)
    numbers = dimension.select("track_id", pl.col("track").cast(pl.UInt32))
    parcels = [one for one in played if isinstance(one, Parcel)]
    data_files = [one for one in played if isinstance(one, DataFile)]
    columns = ["track", "month", "plays"]
    frames = [pl.DataFrame(schema=PLAYED_ROWS).select(columns)]
    if parcels:
        frames.append(files.shared(parcels, columns).drop_nulls("track"))
    if data_files:
        by_id = files.shared(data_files, ["track_id", "month", "plays"])
        frames.append(by_id.join(numbers, on="track_id").select(columns))
    numbered = dimension.with_columns(known=pl.col("duration_ms").is_not_null()).drop("duration_ms")
    return Lookups(numbered, pl.concat(frames), files.shared([fond]) if fond else None)


def _no_tracks(more: Sequence[str]) -> pl.DataFrame:
    others: dict[str, pl.DataType] = {POLISH: pl.Boolean(), GROUP_CODE: pl.Int64()}
    columns = {name: others.get(name, pl.UInt32()) for name in more}
    return pl.concat([no_tracks().select(TRACK_COLUMNS), pl.DataFrame(schema=columns)], how="horizontal")


def _top(rows: pl.DataFrame, number: str) -> int:
    top = rows.get_column(number).cast(pl.Int64).max()
    return 0 if top is None else int(top) + 1  # type: ignore[arg-type]  # Polars' type of any maximum


def _by_number(rows: pl.DataFrame, number: str, value: str) -> Whole:
    """The values by number; NONE where there is no number or no value, and once more at the end."""
    values = np.full(_top(rows, number) + 1, NONE, np.int64)
    given = rows.select(number, value).drop_nulls()
    values[_whole(given[number])] = _whole(given[value])
    return values


def _texts(rows: pl.DataFrame, number: str, value: str) -> pl.Series:
    numbers = pl.DataFrame({number: np.arange(_top(rows, number), dtype=np.int64)})
    given = rows.select(pl.col(number).cast(pl.Int64), value).drop_nulls().unique(number)
    return numbers.join(given, on=number, how="left", maintain_order="left").get_column(value)


def _whole(values: pl.Series) -> Whole:
    return values.cast(pl.Int64).to_numpy()
