"""Texts -> signals, a shard at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.feedback.bins import BINS, Cut, bin_of
from pozytywka_spark.feedback.count_work import AT_ONCE
from pozytywka_spark.feedback.labels import PROMOTER, QUEUE, SENTIMENT, SPAM
from pozytywka_spark.feedback.language import languages_of
from pozytywka_spark.feedback.model import Model, taken
from pozytywka_spark.feedback.ngrams import rows_of
from pozytywka_spark.feedback.topics import topic_table, topics_of
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import FEEDBACK_SIGNALS

READ = ["feedback_id", "feedback_time", "user_id", "channel", "text"]
_PARTITION = ("feedback_month", "user_bucket")
SIGNALS = [field.name for field in FEEDBACK_SIGNALS.schema if field.name not in _PARTITION]


@dataclass(frozen=True)
class Scored:
    """A shard of `feedback`, and the files of `feedback_signals` of its partition."""

    texts: Shard
    before: tuple[DataFile, ...]


@dataclass(frozen=True)
class Score:
    """Work on `Scored`: writes the partition's signals; a line each, of how many texts it has `texts`, a
    `queue`, `spam`, and how many signals of texts that are gone it kept (`stayed`).

    A row without a text has the signals that its text had; if it never had one, none.
    """

    model: Parcel
    languages: tuple[str, ...]

    def __call__(self, items: Sequence[Scored], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a shard."""
        model = taken(files, self.model)
        for item in items:
            made, without = [_none()], [_none().select("feedback_id")]
            for part in (part for file in item.texts.files for part in files.read_parts(file, READ)):
                there = pl.col("text").is_not_null()
                texts = part.filter(there).iter_slices(AT_ONCE)
                made += [signals_of(some, model, self.languages) for some in texts]
                without.append(part.filter(~there).select("feedback_id"))
            signals = pl.concat(made)
            stayed = _none()
            if item.before:
                before = files.read(item.before, SIGNALS)
                stayed = before.join(pl.concat(without), on="feedback_id", how="semi")
            rows = pl.concat([signals, stayed.select(signals.columns)]).sort(
                "user_id", "feedback_time", "feedback_id"
            )
            files.write(FEEDBACK_SIGNALS, rows, {name: item.texts.partition[name] for name in _PARTITION})
            yield {
                "texts": signals.height,
                "queue": signals.get_column("queue").count(),
                "spam": int(signals.get_column("spam").sum()),
                "stayed": stayed.height,
            }


def signals_of(texts: pl.DataFrame, model: Model, languages: Sequence[str]) -> pl.DataFrame:
    """Rows of `feedback_signals` (without its partition) of rows of `feedback` that have a text.

    `sentiment`: the chance of a promoter less that of a detractor, -1 to 1. `queue`: the likeliest where
    its chance is in a bin from which on validation was right; none of a text that is spam. `spam`: true and
    false where validation was right, null between. What no model answers is null.
    """
    rows = rows_of(texts.get_column("text"), model.ngrams)
    many, learnt = texts.height, model.learnt
    nothing = pl.Series([None] * many, dtype=pl.Float64)
    spam, spam_chance = pl.Series([None] * many, dtype=pl.Boolean), nothing
    if SPAM in learnt:
        chances = learnt[SPAM].chances(rows)[:, 1]
        spam, spam_chance = _spam(bin_of(chances), model), pl.Series(chances)
    sentiment = nothing
    if SENTIMENT in learnt:
        promoter = learnt[SENTIMENT].classes.index(PROMOTER)
        sentiment = pl.Series(2.0 * learnt[SENTIMENT].chances(rows)[:, promoter] - 1.0)
    best, queue, confidence = pl.Series([None] * many, dtype=pl.String), None, nothing
    if QUEUE in learnt:
        chances = learnt[QUEUE].chances(rows)
        best = pl.Series([learnt[QUEUE].classes[place] for place in chances.argmax(axis=1)], dtype=pl.String)
        confidence = pl.Series(chances.max(axis=1))
    sure = _from(bin_of(confidence.fill_null(0.0).to_numpy()), model.route)
    queue = pl.select(pl.when(pl.Series(sure) & ~spam.fill_null(value=False)).then(best)).to_series()
    told = texts.drop("text").with_columns(
        languages_of(texts.get_column("text"), languages),
        sentiment.alias("sentiment"),
        best.alias("queue_best"),
        queue.alias("queue"),
        confidence.alias("queue_confidence"),
        spam.alias("spam"),
        spam_chance.alias("spam_probability"),
        pl.lit(model.model_id).alias("model_id"),
    )
    keyed = told.select("queue", "language").with_columns(texts.get_column("text"))
    return told.with_columns(topics_of(keyed, topic_table(model.topics)).alias("topic")).select(SIGNALS)


def _spam(bins: npt.NDArray[np.int64], model: Model) -> pl.Series:
    spam, ham = _from(bins, model.spam), _from(BINS - 1 - bins, model.ham)
    return pl.select(
        pl.when(pl.Series(spam)).then(pl.lit(value=True)).when(pl.Series(ham)).then(pl.lit(value=False))
    ).to_series()


def _from(bins: npt.NDArray[np.int64], cut: Cut | None) -> npt.NDArray[np.bool_]:
    return np.zeros(len(bins), dtype=np.bool_) if cut is None else bins >= cut.least


def _none() -> pl.DataFrame:
    types = {
        "feedback_time": pl.Datetime("us", "UTC"),
        "user_id": pl.Int64(),
        "spam": pl.Boolean(),
        **dict.fromkeys(("sentiment", "queue_confidence", "spam_probability"), pl.Float64()),
    }
    return pl.DataFrame(schema={name: types.get(name, pl.String()) for name in SIGNALS})
