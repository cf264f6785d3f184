"""Topics within a queue and a language: words that stand together, and which topic a text is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.feedback.ngrams import plain

MOST_WORDS = 60  # of a text


@dataclass(frozen=True)
class Topic:
    """Texts of `queue` in `language` whose `words` weigh most are of it; named by its commonest words."""

    queue: str
    language: str
    name: str
    words: Mapping[str, float]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Topic:
        """Back from JSON."""
        return cls(content["queue"], content["language"], content["name"], dict(content["words"]))


def words_of(texts: pl.Series) -> pl.DataFrame:
    """`text` (its number) and `word`, each word of three letters and more once a text."""
    words = plain(texts.rename("word")).str.strip_chars().str.split(" ").list.head(MOST_WORDS)
    rows = pl.DataFrame({"word": words}).with_row_index("text").explode("word", empty_as_null=True)
    return rows.filter(pl.col("word").str.contains(r"^\p{L}{3,}$")).unique(maintain_order=True)


def topic_table(topics: Sequence[Topic]) -> pl.DataFrame:
    """`queue`, `language`, `word`, `topic`, `weight`."""
    rows = [
        (one.queue, one.language, word, one.name, weight)
        for one in topics
        for word, weight in one.words.items()
    ]
    types = dict.fromkeys(("queue", "language", "word", "topic"), pl.String())
    return pl.DataFrame(rows, {**types, "weight": pl.Float64()}, orient="row")


def topics_of(texts: pl.DataFrame, table: pl.DataFrame) -> pl.Series:
    """The topic of each of `text`, `queue`, `language`; null where it has no word of its queue's topics.

    A tie goes to the name that comes first. `table`: see `topic_table`.
    """
    keyed = texts.select("queue", "language").with_row_index("text")
    found = (
        words_of(texts.get_column("text"))
        .join(keyed, on="text")
        .join(table, on=["queue", "language", "word"])
        .group_by("text", "topic")
        .agg(pl.col("weight").sum().round(9))
        .sort("text", pl.col("weight"), "topic", descending=[False, True, False])
        .unique("text", keep="first", maintain_order=True)
    )
    return keyed.join(found, on="text", how="left", maintain_order="left").get_column("topic")
