"""Counts of words -> topics: words of a queue and language that stand together more than by chance.

Telling words are those that the queue's texts have more often than other queues' texts in that language. Two
of them are joined by their positive pointwise mutual information; communities of that graph (Leiden) are
topics. A topic is within a language: nothing says that a word of one means what a word of another does.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pozytywka_spark.extras.communities import leiden
from pozytywka_spark.feedback.topics import Topic
from pozytywka_spark.feedback.word_work import GROUP

FEWEST_PEOPLE = 20  # with a word, in different months or not: rarer ones may tell of a person
_LEAST_LIFT = 1.5
_MOST_WORDS = 200
_FEWEST_WORDS = 3
_NAMED_BY = 3
_SEED, _ITERATIONS = 7, 10  # of the search for communities


def telling_words(words: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """`queue`, `language`, `word`, `texts`, `lift`: how many times as often a text of the queue has the word
    as one of the other queues in that language (half a text added to both).

    `words`: `queue`, `language`, `word`, `texts`, `people`; `texts`: `queue`, `language`, `texts`.
    """
    totals = texts.rename({"texts": "of_queue"}).with_columns(all=pl.col("of_queue").sum().over("language"))
    rows = words.with_columns(anywhere=pl.col("texts").sum().over("language", "word")).join(totals, on=GROUP)
    here = (pl.col("texts") + 0.5) / (pl.col("of_queue") + 1.0)
    elsewhere = (pl.col("anywhere") - pl.col("texts") + 0.5) / (pl.col("all") - pl.col("of_queue") + 1.0)
    told = rows.with_columns(lift=here / elsewhere).filter(
        (pl.col("people") >= FEWEST_PEOPLE) & (pl.col("lift") >= _LEAST_LIFT)
    )
    commonest = told.sort(*GROUP, pl.col("texts"), "word", descending=[False, False, True, False])
    return (
        commonest.group_by(GROUP, maintain_order=True)
        .head(_MOST_WORDS)
        .select(*GROUP, "word", "texts", "lift")
    )


def fit_topics(telling: pl.DataFrame, pairs: pl.DataFrame, texts: pl.DataFrame) -> tuple[Topic, ...]:
    """Topics by queue and language, of each the commonest first.

    `telling`: see `telling_words`; `pairs`: `queue`, `language`, `one`, `other`, `texts`.
    """
    topics: list[Topic] = []
    totals = {tuple(row[:2]): row[2] for row in texts.select(*GROUP, "texts").iter_rows()}
    for key, words in telling.group_by(GROUP, maintain_order=True):
        queue, language = map(str, key)
        mine = pairs.filter((pl.col("queue") == queue) & (pl.col("language") == language))
        topics += _of_group(queue, language, words, mine, totals[queue, language])
    return tuple(topics)


def _of_group(queue: str, language: str, words: pl.DataFrame, pairs: pl.DataFrame, texts: int) -> list[Topic]:
    names = words.get_column("word").to_list()
    place = {word: number for number, word in enumerate(names)}
    many = words.get_column("texts").to_numpy().astype(np.float64)
    one = np.array([place[word] for word in pairs.get_column("one")], dtype=np.int64)
    other = np.array([place[word] for word in pairs.get_column("other")], dtype=np.int64)
    both = pairs.get_column("texts").to_numpy().astype(np.float64)
    shared = np.maximum(np.log(both * texts / (many[one] * many[other])), 0.0) if len(one) else both
    labels = _communities(len(names), np.stack([one, other], axis=1), shared * np.sqrt(both))
    found = []
    for label in dict.fromkeys(labels):
        members = [number for number in range(len(names)) if labels[number] == label]
        if len(members) >= _FEWEST_WORDS:
            lifts = words.get_column("lift").gather(members).to_list()
            weights = {
                names[n]: round(float(np.log(lift)), 6) for n, lift in zip(members, lifts, strict=True)
            }
            found.append(Topic(queue, language, ", ".join(names[n] for n in members[:_NAMED_BY]), weights))
    return found


def _communities(nodes: int, edges: np.ndarray, weights: np.ndarray) -> list[int]:
    import igraph  # of an extra

    order = np.lexsort((edges[:, 1], edges[:, 0]))
    there = order[weights[order] > 0]
    graph = igraph.Graph(n=nodes, edges=edges[there])
    found = leiden(graph, weights[there], _SEED, iterations=_ITERATIONS)
    return [int(label) for label in found]
