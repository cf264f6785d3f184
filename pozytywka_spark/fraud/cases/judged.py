"""What people have said of cases, simply read: the more frequent answer, on a tie the first one."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles

BAD, OK = "bad", "ok"
_COLUMNS = ["case_id", "verdict", "decided_at"]


def judged(verdicts: Sequence[DataFile], files: TaskFiles) -> pl.DataFrame:
    """`case_id` and `is_bad` of the cases with an answer but `unsure`."""
    if not verdicts:
        return pl.DataFrame(schema={"case_id": pl.String(), "is_bad": pl.Boolean()})
    return answers(files.shared(verdicts, _COLUMNS))


def answers(verdicts: pl.DataFrame) -> pl.DataFrame:
    """The same of rows of the table `verdicts`."""
    sure = verdicts.filter(pl.col("verdict").is_in([BAD, OK])).sort("case_id", "decided_at", "verdict")
    bad, total = (pl.col("verdict") == BAD).sum(), pl.len()
    first = pl.col("verdict").first() == BAD
    return sure.group_by("case_id", maintain_order=True).agg(
        is_bad=pl.when(bad * 2 == total).then(first).otherwise(bad * 2 > total)
    )
