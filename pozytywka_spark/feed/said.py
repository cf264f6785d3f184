"""What is handed in about pages, row by row: sound, or aside with a reason. No Spark here.

A survey is an answer of 1 to 5; a line of what was seen says when, and at which place it stood, if that is
known. The same row twice is taken once; another answer to the same question is put aside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.months import as_moment

SURVEYS, SEEN = "surveys", "seen"  # kinds
_TROUBLE = "trouble"
UNKNOWN_USER, UNKNOWN_TRACK = "unknown user", "unknown track"
_NO_USER, _NO_TRACK, _NO_TIME = "no user_id", "no track_id", "no time"


@dataclass(frozen=True)
class Kind:
    """A kind of rows: the time's name, the number's, and what the number may be."""

    name: str
    time: str
    number: str
    low: int
    high: int
    may_lack_number: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the file."""
        return ("user_id", "track_id", self.time, self.number)

    @property
    def bad_number(self) -> str:
        """The reason for a number that can't be."""
        return f"{self.number} is none from {self.low} to {self.high}"

    @property
    def other_number(self) -> str:
        """The reason for a row whose key is there with another number."""
        return f"another {self.number} is there"

    @property
    def sound(self) -> pl.Schema:
        """Of rows that can be read; times in microseconds."""
        return pl.Schema(
            {"user_id": pl.Int64(), "track_id": pl.String(), self.time: pl.Int64(), self.number: pl.Int32()}
        )


KINDS = {
    SURVEYS: Kind(SURVEYS, "asked_at", "answer", 1, 5, may_lack_number=False),
    SEEN: Kind(SEEN, "seen_at", "position", 1, 1_000_000, may_lack_number=True),
}
ASIDE = pl.Schema(
    {
        "kind": pl.String(),
        "content": pl.String(),
        "reason": pl.String(),
        "text": pl.String(),
        "source": pl.String(),
    }
)


def read(kind: Kind, rows: pl.DataFrame, micros: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows as text (the kind's columns, `trouble`) and their times -> those that can be read, those aside.

    `micros`: the time's column in microseconds, null where it is none. Those aside: the kind's columns as
    text, `reason`.
    """
    user = pl.col("user_id").cast(pl.Int64, strict=False)
    number = pl.col(kind.number).cast(pl.Int32, strict=False)
    is_number = number.is_between(kind.low, kind.high).fill_null(value=False)
    if kind.may_lack_number:
        is_number = is_number | pl.col(kind.number).is_null()
    reason = (
        pl.when(pl.col(_TROUBLE).is_not_null())
        .then(pl.col(_TROUBLE))
        .when(user.is_null() | (user < 0))
        .then(pl.lit(_NO_USER))
        .when(pl.col("track_id").is_null())
        .then(pl.lit(_NO_TRACK))
        .when(pl.col("_micros").is_null())
        .then(pl.lit(_NO_TIME))
        .when(~is_number)
        .then(pl.lit(kind.bad_number))
    )
    judged = rows.with_columns(micros.alias("_micros")).with_columns(reason=reason)
    sound = judged.filter(pl.col("reason").is_null()).select(
        user, "track_id", pl.col("_micros").alias(kind.time), number
    )
    aside = judged.filter(pl.col("reason").is_not_null()).select(*kind.columns, "reason")
    return sound, aside


@dataclass(frozen=True)
class Settled:
    """Of rows that can be read: `new` ones, `aside` (as `read` has them), and how many were there before."""

    new: pl.DataFrame
    aside: pl.DataFrame
    duplicates: int


def settle(
    kind: Kind, rows: pl.DataFrame, there: pl.DataFrame, users: pl.DataFrame, tracks: pl.DataFrame
) -> Settled:
    """What becomes of rows that can be read (`kind.sound`), beside those that are `there` (the same columns).

    `users`: `user_id`; `tracks`: `id`. Of rows with one key the smallest number counts, so that the order of
    files doesn't matter.
    """
    key = ["user_id", "track_id", kind.time]
    known = rows.join(users, on="user_id", how="semi")
    nobody = rows.join(users, on="user_id", how="anti").with_columns(reason=pl.lit(UNKNOWN_USER))
    nothing = known.join(tracks, left_on="track_id", right_on="id", how="anti").with_columns(
        reason=pl.lit(UNKNOWN_TRACK)
    )
    known = known.join(tracks, left_on="track_id", right_on="id", how="semi")
    each = known.unique().sort(*key, kind.number, nulls_last=True)
    held = there.select(*key, pl.col(kind.number).alias("_held"), pl.lit(value=True).alias("_there"))
    joined = each.join(held, on=key, how="left", maintain_order="left")
    is_there = pl.col("_there").is_not_null()
    first = pl.int_range(pl.len()).over(key) == 0
    new = joined.filter(~is_there & first).select(kind.sound.names())
    differs = pl.when(is_there).then(~pl.col("_held").eq_missing(pl.col(kind.number))).otherwise(~first)
    other = joined.filter(differs).with_columns(reason=pl.lit(kind.other_number))
    texts = [
        part.select(
            pl.col("user_id").cast(pl.String),
            "track_id",
            _iso(part.get_column(kind.time)),
            pl.col(kind.number).cast(pl.String),
            "reason",
        )
        for part in (nobody, nothing, other)
    ]
    aside = pl.concat(texts)
    return Settled(new, aside, rows.height - new.height - aside.height)


def as_aside(kind: Kind, rows: pl.DataFrame, source: str) -> pl.DataFrame:
    """Rows of the table `feed_aside`: `content` names the row, `text` is without the user."""
    told = []
    for row in rows.select(*kind.columns, "reason").to_dicts():
        reason = row.pop("reason")
        content = fingerprint_of(row)
        row.pop("user_id")
        told.append((kind.name, content, reason, json.dumps(row, ensure_ascii=False), source))
    return pl.DataFrame(told, schema=ASIDE, orient="row").unique(
        ["kind", "content", "reason"], keep="first", maintain_order=True
    )


def _iso(micros: pl.Series) -> pl.Series:
    return pl.Series(micros.name, [as_moment(one).isoformat() for one in micros.to_list()], pl.String)
