"""A slice of users as its files and parcels hold it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from pozytywka_spark.features.build.first_times import numbered
from pozytywka_spark.features.build.items import Source, UserSlice
from pozytywka_spark.features.build.lookups import Lookups
from pozytywka_spark.features.build.parcels import LIKED_ROWS, LISTENED_ROWS, MEASURED_ROWS, TEXT_ROWS
from pozytywka_spark.features.build.user_kernel import SliceRows
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import Parcel, batches
from pozytywka_spark.lake.tasks import TaskFiles

if TYPE_CHECKING:
    from pozytywka_spark.features.build.plan import CataloguePlan

_AT_ONCE = 250_000  # rows of held files that are read together
_APART = 1 << 16  # parts of a slice cut across buckets and slices


def slice_rows(
    item: UserSlice, files: TaskFiles, plan: CataloguePlan, sides: Lookups, part: int = 0, parts: int = 1
) -> SliceRows:
    """The slice's rows, or those of one of `parts` parts of its users.

    Files of held tables have all users of the bucket: some files at a time, those with a row in the build are
    kept. Debuts are by far the most rows, whose artists become numbers here: texts would take twice the room.
    """
    mine = in_part(part, parts) if parts > 1 else None
    measured = _of_parcels(item, item.measured, _measured_schema(plan), files, mine)
    users = measured.get_column("user_id").unique()
    earlier = item.held
    summed = list(dict.fromkeys(name for name, _ in plan.sums))
    return SliceRows(
        measured,
        _of_parcels(item, item.listened, LISTENED_ROWS, files, mine),
        _of_parcels(item, item.liked, LIKED_ROWS, files, mine),
        likes=_of_users(earlier.likes, ["user_id", "track_id", "month"], files, users),
        artists=_of_users(
            earlier.artists,
            ["user_id", "artist_id", "month"],
            files,
            users,
            lambda rows: numbered(rows, sides),
        ),
        users=_of_users(earlier.users, ["user_id", "first_event_at", "month"], files, users),
        user_month=_of_users(earlier.user_month, ["user_id", "month", *summed], files, users),
        texts=_of_users(item.texts, TEXT_ROWS.names(), files, users),
    )


def in_part(part: int, parts: int) -> pl.Expr:
    """Whether a row's user is in this one of the parts that the users of each slice go in."""
    return slice_of("user_id", parts, apart_from=_APART) == part


def _measured_schema(plan: CataloguePlan) -> pl.Schema:
    names = [each.name for each in plan.at("event", "gap", "session")]
    return pl.Schema({**MEASURED_ROWS, **dict.fromkeys(names, pl.Int64())})


def _of_parcels(
    item: UserSlice, parcels: Sequence[Parcel], schema: pl.Schema, files: TaskFiles, mine: pl.Expr | None
) -> pl.DataFrame:
    own = [parcel for parcel in parcels if parcel.key[0] == item.world]
    lent = [parcel for parcel in parcels if parcel.key[0] != item.world]
    past = pl.col("month") < item.lent_until
    frames = [
        *([files.read(own)] if own and mine is None else []),
        *(files.read([parcel]).filter(mine) for parcel in own if mine is not None),
        *(
            files.read([parcel], schema.names()).filter(past if mine is None else past & mine)
            for parcel in lent
        ),
    ]
    return pl.concat(frames) if frames else schema.to_frame()


def _of_users(
    sources: Sequence[Source],
    columns: Sequence[str],
    files: TaskFiles,
    users: pl.Series,
    made: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
) -> pl.DataFrame | None:
    mine = users.to_frame()
    frames = [
        made(files.read(some, columns).join(mine, on="user_id", how="semi"))
        for some in batches(sources, _AT_ONCE)
    ]
    return pl.concat(frames) if frames else None
