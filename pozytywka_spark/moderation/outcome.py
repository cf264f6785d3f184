"""Answers to cases -> when each is released as bad or ok: columns in, columns out, all of many cases at once.

Times are microseconds since 1970 (UTC). A case is released by the first of

* an answer bad or ok, of a person or a chargeback, when it was decided,
* a live decision of a model to refuse (bad) or approve (ok), at its release,
* silence, where its group says that so many days without another answer mean ok.

Of several at one instant an answer comes before a model, a model before silence. Later answers change
nothing, unless second looks were asked: once as many people answered as are wanted in all, the majority of
the first so many holds from the last of them on, or from when they were asked. `unsure` is for neither side,
and without a majority all stays as it was.

What was released by an earlier run stays. An answer that came in too late for that run counts from the
instant after it: what held then never changes.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pozytywka_spark.moderation.words import (
    APPROVE,
    BAD,
    CHARGEBACK,
    LIVE,
    MODEL,
    OK,
    PERSON,
    REFUSE,
    SILENCE,
)
from pozytywka_spark.months import DAY_MICROS

RELEASE = pl.Schema(
    {
        "case_id": pl.String(),
        "group": pl.String(),
        "verdict": pl.String(),
        "cause": pl.String(),
        "released_at": pl.Int64(),
        "asked_at": pl.Int64(),
    }
)
_CANDIDATE = ("case_id", "verdict", "cause", "asked_at", "rank", "reviewer")
_ANSWER, _MODEL, _SILENCE = 0, 1, 2  # which comes first at one instant


def releases_of(
    cases: pl.DataFrame,
    answers: pl.DataFrame,
    decisions: pl.DataFrame,
    looks: pl.DataFrame,
    before: pl.DataFrame,
    silence_days: Mapping[str, int],
    since: int,
    until: int,
) -> pl.DataFrame:
    """The releases after `since`, up to and with `until`: rows of `RELEASE`, one a case and instant.

    `cases`: `case_id`, `group`, `opened_at`. `answers`: `case_id`, `reviewer`, `verdict`, `source`,
    `decided_at`. `decisions`: `case_id`, `decision`, `mode`, `release_at`. `looks`: `case_id`,
    `requested_at`, `looks`. `before`: `case_id`, `verdict`, the latest release of cases up to `since`.
    `asked_at` is the time that an answer bears, which is earlier than its release where it came too late.
    """
    first = _first(answers, decisions, _silences(cases, silence_days))
    firsts = first.join(before, on="case_id", how="anti")
    rows = pl.concat([_clamped(firsts, since), _clamped(_majorities(answers, looks), since)])
    due = rows.join(cases.select("case_id", "group"), on="case_id").filter(pl.col("released_at") <= until)
    # of one instant the later in the order of rows holds: a first answer gives way to a majority
    last = due.unique(["case_id", "released_at"], keep="last", maintain_order=True)
    held = before.select("case_id", held="verdict")
    changed = (
        last.join(held, on="case_id", how="left", maintain_order="left")
        .sort("case_id", "released_at", maintain_order=True)
        .with_columns(held=pl.coalesce(pl.col("verdict").shift(1).over("case_id"), "held"))
        .filter(pl.col("held").is_null() | (pl.col("held") != pl.col("verdict")))
    )
    return changed.select(RELEASE.names())


def late_answers(answers: pl.DataFrame, decisions: pl.DataFrame, before: pl.DataFrame, since: int) -> int:
    """How many cases without a release have an answer that was due up to `since`: it came too late for it."""
    first = _first(answers, decisions, None).join(before, on="case_id", how="anti")
    return first.filter(pl.col("asked_at") <= since).height


def _first(answers: pl.DataFrame, decisions: pl.DataFrame, silences: pl.DataFrame | None) -> pl.DataFrame:
    """The first of a case's answers, live decisions and silence."""
    said = answers.filter(
        pl.col("source").is_in([PERSON, CHARGEBACK]) & pl.col("verdict").is_in([BAD, OK])
    ).select("case_id", "verdict", cause="source", asked_at="decided_at", rank=_ANSWER, reviewer="reviewer")
    verdict = pl.col("decision").replace_strict({REFUSE: BAD, APPROVE: OK}, return_dtype=pl.String())
    decided = (
        decisions.filter((pl.col("mode") == LIVE) & pl.col("decision").is_in([REFUSE, APPROVE]))
        .filter(pl.col("release_at").is_not_null())
        .select(
            "case_id",
            verdict=verdict,
            cause=pl.lit(MODEL),
            asked_at="release_at",
            rank=_MODEL,
            reviewer=pl.lit(""),
        )
    )
    rows = [frame for frame in (said, decided, silences) if frame is not None]
    return (
        pl.concat([frame.select(_CANDIDATE) for frame in rows], how="vertical_relaxed")
        .sort("case_id", "asked_at", "rank", "reviewer", "verdict")
        .unique("case_id", keep="first", maintain_order=True)
        .drop("rank", "reviewer")
    )


def _silences(cases: pl.DataFrame, silence_days: Mapping[str, int]) -> pl.DataFrame | None:
    """When the silence about each case means ok."""
    if not silence_days:
        return None
    days = pl.col("group").replace_strict(dict(silence_days), default=None, return_dtype=pl.Int64())
    return cases.with_columns(asked_at=pl.col("opened_at") + days * DAY_MICROS).drop_nulls("asked_at").select(
        "case_id",
        "asked_at",
        verdict=pl.lit(OK),
        cause=pl.lit(SILENCE),
        rank=_SILENCE,
        reviewer=pl.lit(SILENCE),
    )  # fmt: skip


def _majorities(answers: pl.DataFrame, looks: pl.DataFrame) -> pl.DataFrame:
    """What most of the first `looks` people said of cases that were asked again, once they are there."""
    wanted = looks.group_by("case_id").agg(pl.col("requested_at").min(), pl.col("looks").max())
    seated = (
        answers.filter(pl.col("source") == PERSON)
        .join(wanted, on="case_id")
        .sort("case_id", "decided_at", "reviewer")
        .filter(pl.int_range(pl.len()).over("case_id") < pl.col("looks"))
    )
    counted = seated.group_by("case_id", maintain_order=True).agg(
        pl.len().alias("seats"),
        pl.col("looks", "requested_at").first(),
        pl.col("decided_at").max(),
        *((pl.col("verdict") == word).sum().alias(word) for word in (BAD, OK)),
    )
    most = {word: pl.col(word) * 2 > pl.col("looks") for word in (BAD, OK)}
    verdict = pl.when(most[BAD]).then(pl.lit(BAD)).when(most[OK]).then(pl.lit(OK))
    return (
        counted.filter(pl.col("seats") == pl.col("looks"))
        .select(
            "case_id",
            verdict=verdict,
            cause=pl.lit(PERSON),
            asked_at=pl.max_horizontal("decided_at", "requested_at"),
        )
        .drop_nulls("verdict")
    )


def _clamped(rows: pl.DataFrame, since: int) -> pl.DataFrame:
    """With `released_at`: when asked for, or the instant after what an earlier run has settled."""
    return rows.with_columns(released_at=pl.max_horizontal("asked_at", pl.lit(since + 1)))
