"""Cases decided in one pass: score, side, mode, and when it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.factory.boosters import Booster, boosters_of
from pozytywka_spark.factory.build_work import material_of
from pozytywka_spark.factory.delays import case_dice, with_delay
from pozytywka_spark.factory.fit import as_matrix, reasons, scored
from pozytywka_spark.factory.inputs import NEVER, Group, catalogue_of
from pozytywka_spark.factory.labels import AUDIT
from pozytywka_spark.factory.proof.cases import APPROVE, BAD, OK, REFUSE
from pozytywka_spark.factory.states import LIVE, SHADOW
from pozytywka_spark.hashing.dice import falls_below
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import DECISIONS

PERSON = "person"


@dataclass(frozen=True)
class Side:
    """A side of a build. `states`: its states with their begin in microseconds, in order of time."""

    side: str
    threshold: float
    states: tuple[tuple[int, str], ...]

    def state(self, opened_at: np.ndarray[Any, Any]) -> list[str]:
        """What held as each case was opened."""
        begins = np.array([begin for begin, _ in self.states])
        places = np.searchsorted(begins, opened_at, side="right") - 1
        return [self.states[place][1] if place >= 0 else "" for place in places]


@dataclass(frozen=True)
class Decider:
    """A build's part for a group: its sides, and since when (microseconds) it watches."""

    build_id: str
    sides: tuple[Side, ...]
    since: int
    until: int = NEVER


@dataclass(frozen=True)
class Ruling:
    """What decisions take beside rows: names of the features, and the draw of audits."""

    names: tuple[str, ...]
    audit_share: float
    audit_salt: str


@dataclass(frozen=True)
class DecideGroups:
    """Work on (group, its deciders) of the lake: writes DECISIONS, tells how many.

    `boosters`: files of the builds' boosters; `there`: of decisions made before, which aren't made again.
    """

    ruling: Ruling
    past: tuple[Parcel, ...]
    boosters: tuple[DataFile, ...]
    there: tuple[DataFile, ...]

    def __call__(
        self, items: Sequence[tuple[Group, tuple[Decider, ...]]], files: TaskFiles
    ) -> Iterator[dict[str, Any]]:
        """A line for each mode and decision."""
        past = pl.concat([files.shared([each]) for each in self.past]) if self.past else None
        wanted = {(one.build_id, group.name) for group, deciders in items for one in deciders}
        boosters = boosters_of(wanted, self.boosters, files)
        decided = []
        for group, deciders in items:
            rows, features = material_of(group, self.ruling.names, files)
            for one in deciders:
                opened = pl.col("opened_at")
                mine = rows.filter((opened >= one.since) & (opened < one.until))
                if mine.height:
                    booster = boosters[one.build_id, group.name]
                    decided.append(decided_by(one, booster, group.name, mine, features, self.ruling, past))
        if not decided:
            return
        whole = pl.concat(decided)
        if self.there:
            keys = ["case_id", "mode", "build_id"]
            before = files.shared(self.there, ["case_id", "build_id"]).unique()
            whole = whole.join(before, on=["case_id", "build_id"], how="anti").sort(keys)
        files.write(DECISIONS, whole)
        yield from counted(whole)


def counted(decided: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """How many cases of each mode and decision."""
    for (mode, decision), rows in decided.partition_by("mode", "decision", as_dict=True).items():
        yield {"mode": mode, "decision": decision, "cases": rows.height}


def decided_by(
    decider: Decider,
    booster: Booster,
    group: str,
    rows: pl.DataFrame,
    features: Sequence[str],
    ruling: Ruling,
    past: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Decisions in the rows' order, with DECISIONS' columns; `past`: as `delays.with_delay` takes it."""
    score, why = scores_of(group, rows, features, ruling.names, booster)
    opened_at = np.maximum(rows.get_column("opened_at").to_numpy(), decider.since)
    states = {side.side: side.state(opened_at) for side in decider.sides}
    held = [
        in_force(said, {name: each[n] for name, each in states.items()})
        for n, said in enumerate(decisions(score, decider.sides))
    ]
    frame = rows.select("case_id", pl.lit(group).alias("group")).with_columns(
        pl.Series("decision", [said for said, _ in held], pl.String),
        pl.Series("mode", [mode for _, mode in held], pl.String),
        pl.Series("score", score, pl.Float64),
        pl.Series("opened_at", opened_at, pl.Int64),
        is_audited(rows.get_column("case_id"), ruling).alias("audited"),
        pl.Series("reasons", why, pl.List(pl.String)),
        pl.lit(decider.build_id).alias("build_id"),
    )
    frame = frame.with_columns(
        pl.when("audited").then(pl.lit(AUDIT)).otherwise("mode").alias("mode"),
        pl.when(pl.col("decision") == REFUSE).then(BAD).otherwise(OK).alias("outcome"),
    )
    delay = pl.Series("delay", [None] * frame.height, pl.Int64)
    if past is not None and past.height:
        delay = with_delay(frame.select("case_id", "group", "outcome", "opened_at"), past, "release")
    is_released = (pl.col("decision") != PERSON) & (pl.col("mode") != AUDIT)
    utc = pl.Datetime("us", "UTC")
    released_at = (pl.col("opened_at") + pl.col("delay").fill_null(0)).cast(utc)
    return frame.with_columns(delay).select(
        "case_id",
        "group",
        "decision",
        "mode",
        "score",
        pl.col("opened_at").cast(utc).alias("decided_at"),
        pl.when(is_released).then(released_at).alias("release_at"),
        "build_id",
        "reasons",
    )


def is_audited(case_ids: pl.Series, ruling: Ruling) -> pl.Series:
    """Whether people see a case whatever a model says of it."""
    return falls_below(pl.Series(case_dice(case_ids, ruling.audit_salt)), ruling.audit_share)


def decisions(score: np.ndarray[Any, Any], sides: Sequence[Side]) -> list[str]:
    """What each score comes to; where both sides would decide, a person does."""
    refused, approved = np.zeros(len(score), np.bool_), np.zeros(len(score), np.bool_)
    for side in sides:
        if side.side == REFUSE:
            refused |= score >= side.threshold
        else:
            approved |= score <= side.threshold
    return [
        REFUSE if bad and not ok else APPROVE if ok and not bad else PERSON
        for bad, ok in zip(refused, approved, strict=True)
    ]


def in_force(decision: str, states: Mapping[str, str]) -> tuple[str, str]:
    """Decision and mode, of what each side's state was as the case was opened.

    A side that is out of force leaves its cases to people; those are marked live where the other side is.
    """
    if decision != PERSON and states[decision] in (LIVE, SHADOW):
        return decision, states[decision]
    return PERSON, LIVE if LIVE in states.values() else SHADOW


def scores_of(
    group: str, rows: pl.DataFrame, features: Sequence[str], names: Sequence[str], booster: Booster
) -> tuple[np.ndarray[Any, Any], list[list[str]]]:
    """Scores and reasons. Raises `DataError` where the features aren't those of the build."""
    if booster["score_column"]:
        if "score" not in rows.columns:
            raise DataError(
                f"group {group} was built with --score {booster['score_column']}: give it here too"
            )
        return rows.get_column("score").to_numpy(), [[booster["score_column"]]] * rows.height
    if catalogue_of(names) != booster["signals"]:
        raise DataError(f"group {group}: the features have changed since the build: run factory build again")
    rows = rows.with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in booster["features"] if name not in rows.columns
    )
    matrix = as_matrix(rows, booster["features"], json.loads(booster["categories"]))
    model = booster["model"].encode()
    return scored(model, matrix), reasons(model, matrix, booster["features"])
