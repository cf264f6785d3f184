"""How many artists and tracks have which language, and how sure, by tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import ARTIST_GROUPS


def count_languages(items: Sequence[tuple[str, DataFile]], files: TaskFiles) -> Iterator[dict[str, Any]]:
    """Work on files of `artist_groups` and `track_languages`: lines with `of` (the table), `language`
    (null: unsure), `count`, `confidence` (their sum), and of artists `silent`: those without a title.
    """
    for table, file in items:
        of_artists = table == ARTIST_GROUPS.name
        confidence = "language_confidence" if of_artists else "confidence"
        rows = files.read([file], ["language", confidence, *(["titles"] if of_artists else [])])
        silent = (pl.col("titles") == 0).sum() if of_artists else pl.lit(0)
        told = rows.group_by("language").agg(
            count=pl.len().cast(pl.Int64), confidence=pl.col(confidence).sum(), silent=silent.cast(pl.Int64)
        )
        yield from ({"of": table, **line} for line in told.to_dicts())
