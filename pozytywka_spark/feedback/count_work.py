"""What there is to learn from: texts with labels by month, and in how many texts an n-gram stands."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.feedback.labels import COLUMNS, LEARNT, label_of
from pozytywka_spark.feedback.ngrams import COLUMNS as NGRAMS
from pozytywka_spark.feedback.ngrams import rows_of
from pozytywka_spark.lake.shards import DataFile, Shard
from pozytywka_spark.lake.tasks import TaskFiles

TEXTS_WITH = "texts_with"  # kind of parcels: of a task's texts how many have an n-gram, by its column
AT_ONCE = 20_000  # texts
_MODULUS = 1 << 64


def labelled(files: TaskFiles, some: Sequence[DataFile]) -> Iterator[pl.DataFrame]:
    """`text` and, named as it is, each task's class (null where nobody said) of texts with a label."""
    for file in some:
        for part in files.read_parts(file, COLUMNS):
            rows = part.lazy().filter(pl.col("text").is_not_null())
            rows = rows.select("text", *(label_of(task).alias(task) for task in LEARNT))
            rows = rows.filter(pl.any_horizontal(pl.col(*LEARNT).is_not_null()))
            yield from rows.collect().iter_slices(AT_ONCE)


@dataclass(frozen=True)
class CountLabels:
    """Work on shards of `feedback`: a line a shard, with its `month`, how many texts have which class by task
    (`classes`), and a `digest` of the texts and classes that doesn't depend on their order, as hexadecimal.
    """

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """All lines."""
        for shard in items:
            classes: dict[str, Counter[str]] = {task: Counter() for task in LEARNT}
            digest = 0
            for rows in labelled(files, shard.files):
                for task in LEARNT:
                    classes[task].update(rows.get_column(task).drop_nulls().to_list())
                digest = (digest + sum(map(_number, rows.iter_rows()))) % _MODULUS
            yield {
                "month": str(shard.partition["feedback_month"]),
                "classes": {task: dict(counts) for task, counts in classes.items()},
                "digest": f"{digest:x}",
            }


@dataclass(frozen=True)
class CountNgrams:
    """Work on shards of `feedback`: stages `column`, `texts` (with labels, that have it) once a task."""

    def __call__(self, items: Sequence[Shard], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line: how many `texts` there were."""
        many = 0
        texts, all_alike = np.zeros(NGRAMS, dtype=np.int64), np.ones(NGRAMS, dtype=np.float32)
        for shard in items:
            for rows in labelled(files, shard.files):
                many += rows.height
                texts += np.bincount(rows_of(rows.get_column("text"), all_alike).indices, minlength=NGRAMS)
        there = np.flatnonzero(texts)
        files.stage(TEXTS_WITH, pl.DataFrame({"column": there, "texts": texts[there]}))
        yield {"texts": many}


def _number(row: tuple[str | None, ...]) -> int:
    content = "\x1f".join("" if value is None else value for value in row)
    return int.from_bytes(hashlib.blake2b(content.encode(), digest_size=8).digest(), "big")
