"""Totals by key for the checks: the second job of a look at silver, over slices of keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.ingest.quality import check_list as lists
from pozytywka_spark.ingest.quality import key_parcels as b
from pozytywka_spark.ingest.quality.checks import Check, Tally, as_result, tally_checks
from pozytywka_spark.ingest.quality.distributions import count_sessions
from pozytywka_spark.ingest.quality.key_parcels import read_kind
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Result, TaskFiles

Tallies = dict[tuple[str, str], Tally]


@dataclass(frozen=True)
class Slice:
    """A question about the keys of one slice, and all that was staged for it; `there`: silver's tables."""

    question: str
    number: int
    parcels: tuple[Parcel, ...]
    there: frozenset[str]

    @property
    def size(self) -> int:
        """Bytes of its parcels."""
        return sum(parcel.size for parcel in self.parcels)


# question: the kinds that are needed of the slice, the kinds that are needed whole
NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "users": ((b.USER_EVENTS, b.USERS), ()),
    "likes": ((b.LIKES,), ()),
    "sessions": ((b.SESSION_EVENTS,), (b.USERS,)),
    "tracks": ((b.TRACK_EVENTS, b.TRACKS, b.STORED), ()),
    "artists": ((b.TRACK_ARTISTS, b.ARTISTS), ()),
    "track names": ((b.TRACK_NAMES,), ()),
    "artist names": ((b.ARTIST_NAMES,), ()),
}


def slices_of(parcels: Sequence[Parcel], there: frozenset[str]) -> list[Slice]:
    """The second job's items: a question for each slice that has anything to say of it."""
    slices = []
    for question, (kinds, whole) in NEEDS.items():
        everywhere = tuple(parcel for parcel in parcels if parcel.kind in whole)
        by_slice: dict[int, list[Parcel]] = {}
        for parcel in parcels:
            if parcel.kind in kinds:
                by_slice.setdefault(int(parcel.key[0]), []).append(parcel)
        slices += [
            Slice(question, number, (*mine, *everywhere), there) for number, mine in sorted(by_slice.items())
        ]
    return slices


def count_slices(slices: Sequence[Slice], files: TaskFiles) -> Iterator[Result]:
    """Tell tallies of checks, and sessions by length."""
    for each in slices:
        if each.question == "sessions":
            yield {"sessions": _sessions(each, files)}
        else:
            yield {"checks": as_result(_ANSWERS[each.question](each, files))}


def _users(asked: Slice, files: TaskFiles) -> Tallies:
    done = _lifetimes(read_kind(files, asked.parcels, b.USER_EVENTS))
    adverts = Tally(int(done["late"].sum()), int(done["adverts"].sum()))
    tallies: Tallies = {("events", "advert after the purchase"): adverts} if "events" in asked.there else {}
    if "users" not in asked.there:
        return tallies
    users = read_kind(files, asked.parcels, b.USERS)
    users = _beside(users, done, "user_id", ("bought", "events"), there="events" in asked.there)
    checks = [*_brought(lists.user_checks(), lists.BY_USER), *_orphans(asked, "users")]
    return tallies | tally_checks(users, "user_id", checks, pl.col("own"))


def _lifetimes(done: pl.DataFrame) -> pl.DataFrame:
    """Grain: user; `late`: adverts after the first purchase ever.

    A purchase's month says how many of its own adverts are late; later months' adverts all are.
    """
    bought_at, month = pl.col("bought_at"), pl.col("month")
    first = done.group_by("user_id").agg(
        bought_at=bought_at.min(), bought_in=month.filter(bought_at.is_not_null()).min()
    )
    both = done.drop("bought_at").join(first, on="user_id")
    late = (
        pl.when(month > pl.col("bought_in"))
        .then(pl.col("adverts"))
        .when(month == pl.col("bought_in"))
        .then(pl.col("late"))
        .otherwise(0)
    )
    return both.group_by("user_id").agg(
        pl.col("events").sum(), pl.col("bought").sum(), pl.col("adverts").sum(), late=late.sum()
    )


def _likes(asked: Slice, files: TaskFiles) -> Tallies:
    likes = read_kind(files, asked.parcels, b.LIKES)
    pairs = likes.group_by("user_id", "track_id").agg(pl.col("likes").sum())
    repeated = pairs.filter(pl.col("likes") > 1).height
    return {("events", "like repeated"): Tally(repeated, pairs.height)}


def _sessions(asked: Slice, files: TaskFiles) -> list[list[object]]:
    parts = read_kind(files, asked.parcels, b.SESSION_EVENTS)
    sessions = parts.group_by("session_id").agg(
        pl.col("events").sum(), pl.col("user_id").min(), pl.col("other").max()
    )
    if "users" not in asked.there:
        return count_sessions(sessions, None)
    # users lie in slices of their own: one parcel at a time, of which only these sessions' users are kept
    flags = [
        files.read([parcel]).join(sessions, on="user_id", how="semi")
        for parcel in asked.parcels
        if parcel.kind == b.USERS
    ]
    return count_sessions(sessions, pl.concat([b.KINDS[b.USERS].to_frame(), *flags]))


def _tracks(asked: Slice, files: TaskFiles) -> Tallies:
    done = read_kind(files, asked.parcels, b.TRACK_EVENTS)
    done = done.group_by("track_id").agg(pl.col("plays").sum(), pl.col("events").sum())
    tracks, stored = (read_kind(files, asked.parcels, kind) for kind in (b.TRACKS, b.STORED))
    tallies: Tallies = {}
    if "tracks" in asked.there:
        is_stored = _known(tracks, "id", stored, "track_id", "stored", there="track_storage" in asked.there)
        done = done.rename({"track_id": "id"})
        beside = _beside(is_stored, done, "id", ("plays", "events"), there="events" in asked.there)
        checks = [*_brought(lists.track_checks(), lists.BY_TRACK), *_orphans(asked, "tracks")]
        tallies |= tally_checks(beside, "id", checks, pl.col("own"))
    if "track_storage" in asked.there:
        is_stored = _known(stored, "track_id", tracks, "id", "track_known", there="tracks" in asked.there)
        tallies |= tally_checks(is_stored, "track_id", _brought(lists.storage_checks(), lists.BY_TRACK))
    return tallies


def _artists(asked: Slice, files: TaskFiles) -> Tallies:
    tracks, artists = (read_kind(files, asked.parcels, kind) for kind in (b.TRACK_ARTISTS, b.ARTISTS))
    is_listed = _known(tracks, "id_artist", artists, "id", "artist_known", there="artists" in asked.there)
    return tally_checks(is_listed, "id", _brought(lists.track_checks(), lists.BY_ARTIST))


def _track_names(asked: Slice, files: TaskFiles) -> Tallies:
    return _names(read_kind(files, asked.parcels, b.TRACK_NAMES), lists.track_checks())


def _artist_names(asked: Slice, files: TaskFiles) -> Tallies:
    return _names(read_kind(files, asked.parcels, b.ARTIST_NAMES), lists.artist_checks())


def _names(rows: pl.DataFrame, checks: Sequence[Check]) -> Tallies:
    """Rows without a name are nobody's namesakes."""
    namesakes = pl.when(pl.col("name").is_not_null()).then(pl.len().over("name"))
    return tally_checks(rows.with_columns(namesakes=namesakes), "id", _brought(checks, lists.BY_NAME))


_ANSWERS: Mapping[str, Callable[[Slice, TaskFiles], Tallies]] = {
    "users": _users,
    "likes": _likes,
    "tracks": _tracks,
    "artists": _artists,
    "track names": _track_names,
    "artist names": _artist_names,
}


def _brought(checks: Sequence[Check], by: str) -> list[Check]:
    return [check for check in checks if check.brought == by]


def _orphans(asked: Slice, table: str) -> list[Check]:
    return [lists.orphan_checks()[table]] if "events" in asked.there else []


def _beside(
    table: pl.DataFrame, done: pl.DataFrame, key: str, names: tuple[str, ...], *, there: bool
) -> pl.DataFrame:
    """Both sides by key: `own` is false where only what was done has it, counts are 0 where it doesn't.

    Counts are null if the table that could tell them isn't there.
    """
    mine = table.with_columns(own=pl.lit(True))
    if not there:
        return mine.with_columns(**{name: pl.lit(None, pl.Int64) for name in names})
    both = mine.join(done.select(key, *names), on=key, how="full", coalesce=True)
    return both.with_columns(pl.col("own").fill_null(False), pl.col(*names).fill_null(0))


def _known(
    rows: pl.DataFrame, key: str, other: pl.DataFrame, other_key: str, name: str, *, there: bool
) -> pl.DataFrame:
    """`rows` with `name`: whether `other` has their `key`; null if there is no key, or no other table."""
    if not there:
        return rows.with_columns(pl.lit(None, pl.Boolean).alias(name))
    is_there = pl.col(key).is_in(other[other_key].implode())
    return rows.with_columns(pl.when(pl.col(key).is_not_null()).then(is_there).alias(name))
