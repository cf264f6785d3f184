"""What people wrote, as features read it: signals of texts in whole numbers, and which months say what.

Spam says nothing of anybody. What a month's texts say is a sum of hashes: files, buckets, order don't matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pozytywka_spark.features.build.event_months import digest
from pozytywka_spark.features.build.parcels import TEXT_ROWS, TEXTS
from pozytywka_spark.features.declared.arithmetic import fixed_point
from pozytywka_spark.features.declared.texts import SENTIMENT_DIGITS
from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake.partitions import of_path
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import FEEDBACK_SIGNALS

if TYPE_CHECKING:
    from pozytywka_spark.config.feedback import Feedback

SIGNALS = FEEDBACK_SIGNALS.name
READ = ("user_id", "feedback_time", "sentiment", "queue_best", "spam")
_OF = f"{SIGNALS} of "
_UNKNOWN = -(10**SENTIMENT_DIGITS) - 1  # below every sentiment
NAME, ROWS, SUM = "texts", "text_rows", "text_sum"  # what is told


@dataclass(frozen=True)
class Queues:
    """The queues in which people ask about a price, and those in which they complain of adverts."""

    price: tuple[str, ...]
    adverts: tuple[str, ...]

    @classmethod
    def of(cls, settings: Feedback) -> Queues:
        """As the settings say."""
        return cls(settings.price_queues, settings.advert_queues)


NO_QUEUES = Queues((), ())


@dataclass(frozen=True)
class TextsIn:
    """The files of signals of a month, and by which queues they are read; users go in so many buckets."""

    month: date
    files: tuple[DataFile, ...]
    queues: Queues
    buckets: int

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in self.files)


def name_of(month: date) -> str:
    """What a month's signals are called among the tables that features come from."""
    return f"{_OF}{month.isoformat()}"


def month_of(name: str) -> date | None:
    """The month of such a name, None of a table's."""
    return date.fromisoformat(name.removeprefix(_OF)) if name.startswith(_OF) else None


def months_there(paths: Iterable[str], queues: Queues) -> dict[str, str]:
    """By `name_of` each month with signals, a digest of its files' names and of how they are read."""
    names: dict[date, list[str]] = {}
    for path in paths:
        month = date.fromisoformat(str(of_path(path)["feedback_month"]))
        names.setdefault(month, []).append(path.rpartition("/")[2])
    how = (sorted(queues.price), sorted(queues.adverts))
    return {name_of(month): digest(*sorted(mine), *how) for month, mine in sorted(names.items())}


def text_rows(signals: pl.DataFrame, queues: Queues) -> pl.DataFrame:
    """TEXT_ROWS of signals (`READ`), without spam; a text of no queue asks and complains of nothing."""
    queue = pl.col("queue_best")
    said = signals.filter(pl.col("spam").is_null() | ~pl.col("spam"))
    return said.select(
        "user_id",
        at=pl.col("feedback_time").dt.epoch("us"),
        sentiment=fixed_point(pl.col("sentiment"), SENTIMENT_DIGITS),
        price=queue.is_in(queues.price).fill_null(value=False),
        adverts=queue.is_in(queues.adverts).fill_null(value=False),
    ).cast(TEXT_ROWS)


def put_down(item: TextsIn, files: TaskFiles) -> dict[str, Any]:
    """Stages TEXTS; tells how many texts the month has here and what they sum up to."""
    count, summed = 0, np.uint64(0)
    for file in item.files:  # one at a time, so that no more is held whole
        rows = text_rows(files.read([file], list(READ)), item.queues)
        bucket = user_bucket(pl.col("user_id"), item.buckets).alias("_bucket")
        for (number,), mine in rows.with_columns(bucket).partition_by("_bucket", as_dict=True).items():
            files.stage(TEXTS, mine.drop("_bucket"), (item.month.isoformat(), int(number)))
        known = rows.with_columns(pl.col("sentiment").fill_null(_UNKNOWN))
        hashes = dice(known, 0, tuple(TEXT_ROWS)).to_numpy()
        count, summed = count + rows.height, np.add(summed, hashes.sum(dtype=np.uint64))
    return {NAME: name_of(item.month), ROWS: count, SUM: f"{int(summed):016x}"}


def contents_told(results: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """By `name_of`, what each month's texts say, of what `put_down` tells."""
    return {told[NAME]: f"{told[ROWS]} {told[SUM]}" for told in results if NAME in told}
