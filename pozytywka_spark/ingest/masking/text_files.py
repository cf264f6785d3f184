"""The files of `feedback`, of which no older version is kept, and of `name_words`."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest.masking.name_words import KnownNames
from pozytywka_spark.ingest.masking.salt import salt_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import Shard
from pozytywka_spark.lake.tasks import Result, TaskFiles, Tasks, Work
from pozytywka_spark.schemas import FEEDBACK, NAME_WORDS

BODY = tuple(name for name in FEEDBACK.columns if name not in FEEDBACK.partition_by)


def known_names(lake: Lake, tasks: Tasks, settings: Settings) -> KnownNames:
    """What the lake knows of users' names. Raises `UsageError` if the salt can't be had."""
    return KnownNames(salt_of(settings, lake), data_files(lake, tasks, NAME_WORDS.name))


def shards_of(lake: Lake, tasks: Tasks) -> list[Shard]:
    """The months and buckets of `feedback`; none if there is no such table."""
    return lake.shards(FEEDBACK.name, tasks) if lake.exists(FEEDBACK.name) else []


def rewrite_shards(lake: Lake, tasks: Tasks, shards: Sequence[Shard], work: Work[Shard]) -> None:
    """Put in place what work has written anew of whole shards, and delete the old files.

    `work` tells of each shard that it has written (`written_anew`), and of no other. Whoever reads an older
    version meanwhile finds its files gone: it had texts, or names in texts, that nobody may have any more.
    """
    done = tasks.run(shards, work, weight=lambda shard: shard.size, named=_named)
    changed = {(facts["month"], facts["bucket"]) for facts in done.results}
    if changed:
        gone = [file for shard in shards if place_of(shard) in changed for file in shard.files]
        lake.rewrite(FEEDBACK, gone, list(done.written))
    if lake.exists(FEEDBACK.name):  # also what an attempt that was cut short has left
        lake.vacuum(FEEDBACK.name, retention_hours=0)


def place_of(shard: Shard) -> tuple[str, int]:
    """Which shard it is: month and bucket, as facts have them."""
    return str(shard.partition["feedback_month"]), int(shard.partition["user_bucket"])


def written_anew(shard: Shard, changed: Sequence[pl.DataFrame], files: TaskFiles) -> Result:
    """Write a shard's rows; the fact of it for `rewrite_shards`."""
    month, bucket = place_of(shard)
    files.write(FEEDBACK, pl.concat(changed).select(BODY), shard.partition)
    return {"month": month, "bucket": bucket}


def _named(shard: Shard) -> str:
    month, bucket = place_of(shard)
    return f"feedback of {month}, bucket {bucket}"
