"""What the page counts: answers by month, city, subject and before or after the purchase, in two jobs.

Texts, users and purchases are put into slices by user, then each slice is counted: no task holds all users.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.feedback.labels import LEAST_OF_PROMOTERS, MOST_OF_DETRACTORS
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

TEXTS, USERS, PURCHASES = "report_texts", "report_users", "report_purchases"  # kinds of parcels, by slice
EXAMPLES, COUNTS = "report_examples", "report_counts"
DIMENSIONS = ("month", "city", "queue", "topic", "language", "channel", "purchase", "months from purchase")
SUMS = ("texts", "promoters", "passives", "detractors", "routed", "spam")
EXAMPLES_EACH = 3
_SHORTEST, _LONGEST = 30, 200  # letters of an example
_MONTH_DAYS = 30
_MOST_MONTHS = 6  # from the purchase, to either side
_ANSWER_COLUMNS = ["feedback_id", "feedback_time", "user_id", "channel", "text", "score", "spam"]
_SIGNAL_TEXTS = ["feedback_id", "language", "queue_best", "queue", "topic"]
_SIGNAL_COLUMNS = [*_SIGNAL_TEXTS, "spam"]


@dataclass(frozen=True)
class Part:
    """Files to slice: of `kind` TEXTS those of a partition of `feedback`, and its signals."""

    kind: str
    files: tuple[DataFile, ...]
    signals: tuple[DataFile, ...] = ()

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(file.size for file in (*self.files, *self.signals))


@dataclass(frozen=True)
class SliceRows:
    """Work on `Part`s: stages their rows by slice of the users, and EXAMPLES of what detractors write.

    Of texts those that were scored, and scores without words; texts that nobody has scored yet may be spam.
    """

    slices: int

    def __call__(self, items: Sequence[Part], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """No line."""
        for item in items:
            if item.kind == TEXTS:
                answers = files.read(item.files, _ANSWER_COLUMNS)
                signals = files.read(item.signals, _SIGNAL_COLUMNS) if item.signals else None
                rows = answers_of(answers, signals)
                files.stage(EXAMPLES, examples_of(rows))
                rows = rows.drop("text", "feedback_id")
            elif item.kind == USERS:
                rows = files.read(item.files, ["user_id", "city"])
            else:
                rows = files.read(item.files, ["user_id", "purchased_at"])
            place = rows.select(slice_of("user_id", self.slices)).to_series()
            for number in range(self.slices):
                files.stage(item.kind, rows.filter(place == number), (number,))
        yield from ()


def answers_of(answers: pl.DataFrame, signals: pl.DataFrame | None) -> pl.DataFrame:
    """Rows of `feedback` beside their signals: texts that have some, and scores without words.

    `scored`: whether it has signals. Whether a text is spam is what its signals say; of a score without words
    it is what a person said.
    """
    if signals is None:
        types = {**dict.fromkeys(_SIGNAL_TEXTS, pl.String()), "spam": pl.Boolean()}
        signals = pl.DataFrame(schema=types)
    told = signals.with_columns(scored=pl.lit(value=True))
    rows = answers.join(told, on="feedback_id", how="left", suffix="_told")
    rows = rows.with_columns(pl.col("scored").fill_null(value=False))
    spam = pl.when("scored").then("spam_told").otherwise("spam")
    mine = rows.filter(pl.col("scored") | pl.col("text").is_null())
    return mine.with_columns(spam.alias("spam")).drop("spam_told")


@dataclass(frozen=True)
class Slice:
    """Parcels of a slice of the users."""

    number: int
    parcels: tuple[Parcel, ...]

    def of(self, kind: str) -> list[Parcel]:
        """Those of a kind."""
        return [parcel for parcel in self.parcels if parcel.kind == kind]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(parcel.size for parcel in self.parcels)


@dataclass(frozen=True)
class CountAnswers:
    """Work on `Slice`s: stages COUNTS, see `counts_of`."""

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """No line."""
        for item in items:
            if item.of(TEXTS):
                users, purchases = (_read(files, item.of(kind)) for kind in (USERS, PURCHASES))
                files.stage(COUNTS, counts_of(files.read(item.of(TEXTS)), users, purchases))
        yield from ()


def _read(files: TaskFiles, parcels: Sequence[Parcel]) -> pl.DataFrame | None:
    return files.read(parcels) if parcels else None


def counts_of(
    answers: pl.DataFrame, users: pl.DataFrame | None, purchases: pl.DataFrame | None
) -> pl.DataFrame:
    """`dimension` (of DIMENSIONS), `value` and the SUMS of its `answers_of`; spam is counted by month alone.

    Scores without words are promoters, passives, detractors like others, but neither `texts` nor `spam`. A
    topic's value is its queue, language and name, a queue's the likeliest one. `purchase`: never, before or
    after one's first; `months from purchase` in months of thirty days, up to `_MOST_MONTHS` to either side.
    """
    rows = answers.with_columns(
        month=pl.col("feedback_time").dt.strftime("%Y-%m"),
        promoters=pl.col("score") >= LEAST_OF_PROMOTERS,
        passives=pl.col("score").is_between(MOST_OF_DETRACTORS + 1, LEAST_OF_PROMOTERS - 1),
        detractors=pl.col("score") <= MOST_OF_DETRACTORS,
        routed=pl.col("queue").is_not_null(),
        spam=pl.col("spam").fill_null(value=False),
    )
    if users is not None:
        rows = rows.join(users.unique("user_id"), on="user_id", how="left")
    values: dict[str, pl.Expr] = {
        "month": pl.col("month"),
        "queue": pl.col("queue_best"),
        "topic": pl.concat_str("queue", "language", "topic", separator=" | "),
        "language": pl.col("language"),
        "channel": pl.col("channel"),
    }
    if users is not None:
        values["city"] = pl.col("city")
    if purchases is not None:
        first = purchases.group_by("user_id").agg(pl.col("purchased_at").min())
        rows = rows.join(first, on="user_id", how="left")
        after = pl.col("feedback_time") >= pl.col("purchased_at")
        side = pl.when(after).then(pl.lit("after")).otherwise(pl.lit("before"))
        values["purchase"] = pl.when(pl.col("purchased_at").is_null()).then(pl.lit("never")).otherwise(side)
        apart = (pl.col("feedback_time") - pl.col("purchased_at")).dt.total_seconds() / (_MONTH_DAYS * 86_400)
        month = apart.floor().cast(pl.Int64)
        near = month.is_between(-_MOST_MONTHS, _MOST_MONTHS - 1)
        values["months from purchase"] = pl.when(near).then(month.cast(pl.String))
    return pl.concat(_counted(rows, name, value) for name, value in values.items())


def _counted(rows: pl.DataFrame, name: str, value: pl.Expr) -> pl.DataFrame:
    mine = rows if name == "month" else rows.filter(~pl.col("spam"))
    genuine = ~pl.col("spam")
    sums = [
        pl.col("scored").sum().cast(pl.Int64).alias("texts"),
        *((pl.col(each) & genuine).fill_null(value=False).sum().cast(pl.Int64) for each in SUMS[1:5]),
        (pl.col("spam") & pl.col("scored")).sum().cast(pl.Int64),
    ]
    told = mine.with_columns(value=value).drop_nulls("value")
    return told.group_by("value").agg(*sums).select(pl.lit(name).alias("dimension"), "value", *SUMS)


def examples_of(rows: pl.DataFrame) -> pl.DataFrame:
    """`queue`, `language`, `text`, `order`: a few of what detractors write, masked as texts are stored.

    Which ones is by the identifier's digest, so that they are the same each time. Only of texts with a queue
    that they were routed to, neither a word nor a letter.
    """
    fits = pl.col("text").str.len_chars().is_between(_SHORTEST, _LONGEST)
    mine = rows.filter((pl.col("score") <= MOST_OF_DETRACTORS) & pl.col("queue").is_not_null() & fits)
    ordered = mine.select("queue", "language", "text", order=_digests(mine.get_column("feedback_id")))
    return ordered.sort("queue", "order").group_by("queue", maintain_order=True).head(EXAMPLES_EACH)


def _digests(identifiers: pl.Series) -> pl.Series:
    return pl.Series([zlib.crc32(one.encode()) for one in identifiers.to_list()], dtype=pl.Int64)


def summed(counts: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    """COUNTS of all slices by dimension: `value` and SUMS, by value."""
    rows = counts.group_by("dimension", "value").agg(pl.col(*SUMS).sum()).sort("dimension", "value")
    return {name: rows.filter(pl.col("dimension") == name).drop("dimension") for name in DIMENSIONS}
