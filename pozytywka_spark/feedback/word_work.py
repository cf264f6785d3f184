"""Words of labelled texts, counted by queue and language: how many texts have one, and which two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.feedback.count_work import AT_ONCE
from pozytywka_spark.feedback.labels import QUEUE, label_of
from pozytywka_spark.feedback.language import languages_of
from pozytywka_spark.feedback.topics import words_of
from pozytywka_spark.lake.shards import Parcel, Shard
from pozytywka_spark.lake.tasks import TaskFiles

WORDS, PAIRS, TEXTS = "words", "word_pairs", "texts_of"  # kinds of parcels
GROUP = ["queue", "language"]
_COLUMNS = ["text", "user_id", "score", "queue", "spam"]
_MOST_WORDS = 5000  # of a queue and language that a task tells of, the commonest


@dataclass(frozen=True)
class CountWords:
    """Work on shards of `feedback`, once a task, of texts with a queue: stages WORDS (`queue`, `language`,
    `word`, `texts`, `people`: in a month) and TEXTS (`queue`, `language`, `texts`).
    """

    languages: tuple[str, ...]

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """No line."""
        words, texts = [], []
        for shard in items:
            for rows in _of_queues(files, shard, self.languages):
                texts.append(rows.group_by(GROUP).agg(texts=pl.len()))
                words.append(
                    _words(rows)
                    .group_by(*GROUP, "word")
                    .agg(texts=pl.len(), people=pl.col("user_id").n_unique())
                )
        if words:
            summed = pl.concat(words).group_by(*GROUP, "word").agg(pl.col("texts", "people").sum())
            commonest = summed.sort(*GROUP, pl.col("texts"), "word", descending=[False, False, True, False])
            files.stage(WORDS, commonest.group_by(GROUP, maintain_order=True).head(_MOST_WORDS))
            files.stage(TEXTS, pl.concat(texts).group_by(GROUP).agg(pl.col("texts").sum()))
        yield from ()


@dataclass(frozen=True)
class CountPairs:
    """Work on shards of `feedback`, once a task: stages PAIRS (`queue`, `language`, `one`, `other`, `texts`)
    of words that stand in `words`, a parcel of `queue`, `language`, `word`; `one` before `other`.
    """

    languages: tuple[str, ...]
    words: Parcel

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """No line."""
        told, pairs = files.shared([self.words]), []
        for shard in items:
            for rows in _of_queues(files, shard, self.languages):
                mine = _words(rows).join(told, on=[*GROUP, "word"], how="semi").select("text", *GROUP, "word")
                both = mine.join(mine.select("text", other="word"), on="text").filter(
                    pl.col("word") < pl.col("other")
                )
                pairs.append(both.group_by(*GROUP, "other", one="word").agg(texts=pl.len()))
        if pairs:
            files.stage(PAIRS, pl.concat(pairs).group_by(*GROUP, "one", "other").agg(pl.col("texts").sum()))
        yield from ()


def _of_queues(files: TaskFiles, shard: Shard, languages: Sequence[str]) -> Iterator[pl.DataFrame]:
    """`text`, `user_id`, `queue`, `language` of texts that have all of them."""
    for file in shard.files:
        for part in files.read_parts(file, _COLUMNS):
            rows = part.select("text", "user_id", label_of(QUEUE).alias("queue")).drop_nulls()
            for some in rows.iter_slices(AT_ONCE):
                yield some.with_columns(languages_of(some.get_column("text"), languages)).drop_nulls()


def _words(rows: pl.DataFrame) -> pl.DataFrame:
    """A row a word of each text: `text` (its number), `word`, and the other columns of `rows`."""
    return words_of(rows.get_column("text")).join(rows.drop("text").with_row_index("text"), on="text")
