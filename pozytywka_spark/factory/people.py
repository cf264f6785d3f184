"""How often people err: the second and third answers to cases asked again, against the majority of three."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pozytywka_spark.factory.labels import PERSON
from pozytywka_spark.factory.proof.binomial import share_low
from pozytywka_spark.factory.proof.noise import MOST_NOISE, NOBODY_ERRS, Noise
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.months import as_micros

_FEWEST = 40
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class CountErrors:
    """Work on (files of `verdicts`, files of `second_looks`): tells answers and wrong ones."""

    at: int
    build_id: str

    def __call__(
        self, items: Sequence[tuple[tuple[DataFile, ...], tuple[DataFile, ...]]], files: TaskFiles
    ) -> Iterator[dict[str, Any]]:
        """A line an item."""
        for verdicts, looks in items:
            asked = files.read(looks, ["case_id", "build_id"]).filter(pl.col("build_id") != self.build_id)
            answers = files.read(verdicts, ["case_id", "reviewer", "verdict", "decided_at", "source"])
            answers = answers.filter(
                (pl.col("decided_at").dt.epoch("us") <= self.at) & (pl.col("source") == PERSON)
            )
            answers = answers.join(asked, on="case_id", how="semi").sort("case_id", "decided_at", "reviewer")
            three = answers.group_by("case_id", maintain_order=True).agg(pl.col("verdict").head(3))
            told = [row for (row,) in three.select("verdict").rows() if len(row) == 3]
            said = [(row, each) for row in told for each in row[1:]]
            wrong = sum(1 for row, each in said if row.count(each) == 1 and len(set(row)) < 3)
            yield {"answers": len(said), "wrong": wrong}


def noise_of_people(lake: Lake, tasks: Tasks, at: datetime, build_id: str = "") -> Noise:
    """The share of wrong answers, over all groups, and its lower bound; 0 while too few were asked again.

    The first answers aren't counted: those cases were picked for them. `build_id`: whose own second looks
    don't count, as in `labels.Said`.
    """
    files = [data_files(lake, tasks, name) for name in ("verdicts", "second_looks")]
    if not all(files):
        return NOBODY_ERRS
    size = sum(file.size for each in files for file in each)
    done = tasks.run(
        [(files[0], files[1])],
        CountErrors(as_micros(at), build_id),
        weight=lambda _: size,
        named=lambda _: "verdicts",
    )
    told = done.results[0]
    wrong, answers = told["wrong"], told["answers"]
    if answers < _FEWEST:
        return NOBODY_ERRS
    return Noise(min(MOST_NOISE, wrong / answers), min(MOST_NOISE, share_low(wrong, answers, _CONFIDENCE)))
