"""The label of a case: what people said of it by a time. What a model decided is never one.

Rows of `verdicts` count by their `source`:

* of `person`, `chargeback` and `silence` the first that says bad or ok, at one instant silence last, as
  moderation releases a case (`moderation.outcome`); `unsure` only where nothing else was said;
* where second looks were asked the majority of the first so many of `person`, once they are there; without a
  majority it is `unsure`, which stands against the model;
* `appeal` makes it ok whatever was said.

Rows of any other source count for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.factory.labelled import VERDICTS
from pozytywka_spark.factory.proof.cases import BAD, NOT_LOOKED, OK, UNSURE
from pozytywka_spark.factory.states import LIVE
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles

PERSON, CHARGEBACK, SILENCE, APPEAL = "person", "chargeback", "silence", "appeal"
AUDIT = "audit"  # mode of decisions
WATCH = "watch"  # second looks that are asked for to prove a side again, or to withdraw it
_ANSWER = {
    "case_id": pl.String,
    "reviewer": pl.String,
    "verdict": pl.Int64,
    "decided_at": pl.Int64,
    "source": pl.String,
}
_LOOK = {
    "case_id": pl.String,
    "requested_at": pl.Int64,
    "looks": pl.Int64,
    "build_id": pl.String,
    "asked_for": pl.String,
}
_SPAN = {"group": pl.String, "begin": pl.Int64, "end": pl.Int64}
_DECIDED = {"case_id": pl.String, "mode": pl.String}


@dataclass(frozen=True)
class Said:
    """Files that say what is known of cases; a table that isn't there has none. Times are microseconds.

    `live`: (group, begin, end) of when some side of a group decided alone. `build_id`: whose own second looks
    don't count yet: a build that was killed and runs again reads what it read before. `watches`: second looks
    at fresh and audited cases count too. A build leaves them out: it asks by lot, and were cases looked at
    that another model was against, those asked wouldn't stand for all.
    """

    verdicts: tuple[DataFile, ...]
    fouls: tuple[DataFile, ...]
    rings: tuple[DataFile, ...]
    decisions: tuple[DataFile, ...]
    second_looks: tuple[DataFile, ...]
    at: int
    live: tuple[tuple[str, int, int], ...] = ()
    build_id: str = ""
    watches: bool = False


def judged_cases(cases: pl.DataFrame, said: Said, files: TaskFiles) -> pl.DataFrame:
    """Cases (case_id, group, opened_at) with the columns of `labels_of`, null (`looked`: NOT_LOOKED) where
    nothing was said, `asked_at`: when second looks were last asked for, null if they weren't, and `testable`:
    people saw it whatever a model says, as no side of its group was live when it was opened, or an audit drew
    it.
    """
    answers, looks = _read(said.verdicts, _ANSWER, files), _read(said.second_looks, _LOOK, files)
    looks = looks.filter(pl.col("build_id") != said.build_id)
    if not said.watches:
        looks = looks.filter(pl.col("asked_for").ne_missing(WATCH))
    labels = labels_of(answers, looks, said.at)
    chosen = chosen_by_models(cases, _read(said.decisions, _DECIDED, files), said.live)
    before = looks.filter(pl.col("requested_at") <= said.at)
    last = before.group_by("case_id").agg(pl.col("requested_at").max().alias("asked_at"))
    whole = cases.join(labels, on="case_id", how="left").join(last, on="case_id", how="left")
    return whole.with_columns(
        pl.col("looked").fill_null(NOT_LOOKED),
        (~pl.col("case_id").is_in(chosen.implode())).alias("testable"),
    )


def labels_of(answers: pl.DataFrame, looks: pl.DataFrame, at: int) -> pl.DataFrame:
    """Of each case with an answer by `at`: `verdict` (BAD, OK, UNSURE) and `decided_at` of the first,
    `looked` (the majority, NOT_LOOKED without), `delayed` (that first one where a person gave it, else null).

    `answers`: case_id, reviewer, verdict, decided_at, source; `looks`: case_id, requested_at, looks.
    """
    told = answers.filter(pl.col("decided_at") <= at)
    given = told.filter(pl.col("source").is_in([PERSON, CHARGEBACK, SILENCE]))
    last = pl.col("verdict") == UNSURE
    by_time = given.sort("case_id", last, "decided_at", pl.col("source") == SILENCE, "reviewer")
    firsts = by_time.unique("case_id", keep="first", maintain_order=True)
    firsts = firsts.with_columns(pl.when(pl.col("source") == PERSON).then("verdict").alias("delayed"))
    appeals = told.filter(pl.col("source") == APPEAL).group_by("case_id")
    cleared = appeals.agg(pl.col("decided_at").min().alias("cleared_at"))
    labels = (
        firsts.select("case_id", "verdict", "decided_at", "delayed")
        .join(_majorities(told, looks, at), on="case_id", how="left")
        .join(cleared, on="case_id", how="full", coalesce=True)
    )
    is_cleared, was_looked = pl.col("cleared_at").is_not_null(), pl.col("looked").is_not_null()
    return labels.select(
        "case_id",
        pl.when(is_cleared & ~was_looked).then(OK).otherwise("verdict").cast(pl.Int64).alias("verdict"),
        pl.coalesce("decided_at", "cleared_at").alias("decided_at"),
        pl.when(is_cleared & was_looked)
        .then(OK)
        .otherwise(pl.col("looked").fill_null(NOT_LOOKED))
        .cast(pl.Int64)
        .alias("looked"),
        "delayed",
    )


def _majorities(told: pl.DataFrame, looks: pl.DataFrame, at: int) -> pl.DataFrame:
    """`looked` of cases that were asked again by `at` and have as many people's answers as were wanted."""
    asked = looks.filter(pl.col("requested_at") <= at).group_by("case_id").agg(pl.col("looks").max())
    seated = (
        told.filter(pl.col("source") == PERSON)
        .join(asked, on="case_id", how="inner")
        .sort("case_id", "decided_at", "reviewer")
        .filter(pl.int_range(pl.len()).over("case_id") < pl.col("looks"))
    )
    counted = seated.group_by("case_id").agg(
        pl.len().alias("seats"),
        pl.col("looks").first(),
        *((pl.col("verdict") == said).sum().alias(name) for said, name in ((BAD, "bad"), (OK, "ok"))),
    )
    most = {name: pl.col(name) * 2 > pl.col("looks") for name in ("bad", "ok")}
    looked = pl.when(most["bad"]).then(BAD).when(most["ok"]).then(OK).otherwise(UNSURE)
    whole = counted.filter(pl.col("seats") == pl.col("looks"))
    return whole.select("case_id", looked.cast(pl.Int64).alias("looked"))


def chosen_by_models(
    cases: pl.DataFrame, decisions: pl.DataFrame, live: Sequence[tuple[str, int, int]]
) -> pl.Series:
    """Cases opened while a side of their group was live, or decided so, but for those that an audit drew."""
    spans = pl.DataFrame(live, schema=_SPAN, orient="row")
    dated = cases.select("case_id", "group", "opened_at").join(spans, on="group", how="inner")
    opened = dated.filter((pl.col("opened_at") >= pl.col("begin")) & (pl.col("opened_at") < pl.col("end")))
    decided = decisions.filter(pl.col("mode") == LIVE)
    audited = decisions.filter(pl.col("mode") == AUDIT)
    chosen = pl.concat([opened.select("case_id"), decided.select("case_id")]).unique()
    return chosen.join(audited, on="case_id", how="anti").get_column("case_id")


def _read(
    table: tuple[DataFile, ...], schema: Mapping[str, type[pl.DataType]], files: TaskFiles
) -> pl.DataFrame:
    """A table's columns, times as microseconds, verdicts as numbers; no rows of one that isn't there."""
    if not table:
        return pl.DataFrame(schema=schema)
    rows = files.shared(table, list(schema))
    times = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
    rows = rows.with_columns(pl.col(name).dt.epoch("us") for name in times)
    if "verdict" in schema:
        rows = rows.with_columns(pl.col("verdict").replace_strict(VERDICTS, return_dtype=pl.Int64))
    return rows.select(pl.col(name).cast(kind) for name, kind in schema.items())
