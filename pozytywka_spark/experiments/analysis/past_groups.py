"""Which group of genres users played most before they entered, in words: a segment where features have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.features.times import month_number
from pozytywka_spark.hashing.codes import in_words
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import TOP_GROUP


@dataclass(frozen=True)
class Groups:
    """Files of `user_month` that have TOP_GROUP, and the groups' names by code."""

    user_month: tuple[DataFile, ...]
    names: Mapping[int, str]


def with_top_group(users: pl.DataFrame, groups: Groups, files: TaskFiles) -> pl.DataFrame:
    """Add TOP_GROUP, the group's name: that of the last month before the user's entry with a play of one.

    Null where there is none, or its group is gone. `users` has `user_id` and `entered` (month numbers).
    """
    code = last_codes(users, groups.user_month, files)
    named = code.with_columns(in_words(TOP_GROUP, groups.names))
    return users.join(named, on="user_id", how="left", maintain_order="left")


def last_codes(users: pl.DataFrame, user_month: Sequence[DataFile], files: TaskFiles) -> pl.DataFrame:
    """Grain user with a play of a group before entry: columns `user_id`, TOP_GROUP (of the last month)."""
    entries = users.select("user_id", "entered")
    month = month_number(pl.col("month"))
    parts = [
        files.read([file], ["user_id", "month", TOP_GROUP])
        .filter(pl.col(TOP_GROUP) > 0)
        .join(entries, on="user_id", how="inner")
        .filter(month < pl.col("entered"))
        .select("user_id", "month", TOP_GROUP)
        for file in user_month
    ]
    if not parts:
        return pl.DataFrame(schema={"user_id": pl.Int64(), TOP_GROUP: pl.Int64()})
    last = pl.concat(parts).sort("month").unique("user_id", keep="last", maintain_order=True)
    return last.select("user_id", TOP_GROUP)
