"""Cases decided in one pass: score, side, mode, and when it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.factory.build_work import material_of
from pozytywka_spark.factory.delays import case_dice, with_delay
from pozytywka_spark.factory.fit import as_matrix, reasons, scored
from pozytywka_spark.factory.inputs import NEVER, Group, catalogue_of
from pozytywka_spark.factory.proof.cases import APPROVE, BAD, OK, REFUSE
from pozytywka_spark.factory.states import LIVE, SHADOW
from pozytywka_spark.hashing.dice import falls_below
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import DECISIONS

PERSON, AUDIT = "person", "audit"
OUT = "decided"  # kind of parcels, for a file of decisions


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
    """A build's part for a group: what `factory_boosters` has of it, its sides, and since when it watches."""

    build_id: str
    booster: Mapping[str, Any]
    sides: tuple[Side, ...]
    since: int
    until: int = NEVER


@dataclass(frozen=True)
class DecideGroups:
    """Work on (group, its deciders): writes DECISIONS, or stages OUT by group if `to_file`; tells how many.

    `there`: files of decisions made before, which aren't made again.
    """

    names: tuple[str, ...]
    audit_share: float
    audit_salt: str
    past: tuple[Parcel, ...]
    there: tuple[DataFile, ...]
    to_file: bool = False

    def __call__(
        self, items: Sequence[tuple[Group, tuple[Decider, ...]]], files: TaskFiles
    ) -> Iterator[dict[str, Any]]:
        """A line a group."""
        past = pl.concat([files.shared([each]) for each in self.past]) if self.past else None
        decided = []
        for group, deciders in items:
            rows, features = material_of(group, self.names, files)
            for decider in deciders:
                opened = pl.col("opened_at")
                mine = (
                    rows
                    if self.to_file
                    else rows.filter((opened >= decider.since) & (opened < decider.until))
                )
                if mine.height:
                    decided.append(self._decided(group.name, mine, features, decider, past))
        if not decided:
            return
        whole = pl.concat(decided)
        if self.there and not self.to_file:
            keys = ["case_id", "mode", "build_id"]
            before = files.shared(self.there, ["case_id", "build_id"]).unique()
            whole = whole.join(before, on=["case_id", "build_id"], how="anti").sort(keys)
        if self.to_file:
            for (name,), rows in whole.partition_by("group", as_dict=True).items():
                files.stage(OUT, rows, (str(name),))
        else:
            files.write(DECISIONS, whole)
        for (mode, decision), rows in whole.partition_by("mode", "decision", as_dict=True).items():
            yield {"mode": mode, "decision": decision, "cases": rows.height}

    def _decided(
        self,
        group: str,
        rows: pl.DataFrame,
        features: Sequence[str],
        decider: Decider,
        past: pl.DataFrame | None,
    ) -> pl.DataFrame:
        score, why = _scores(group, rows, features, self.names, decider.booster)
        decision = decisions(score, decider.sides)
        opened_at = rows.get_column("opened_at").to_numpy()
        if self.to_file:
            opened_at = np.maximum(opened_at, decider.since)
        states = {side.side: side.state(opened_at) for side in decider.sides}
        held = [
            in_force(said, {name: each[n] for name, each in states.items()})
            for n, said in enumerate(decision)
        ]
        decision, mode = [said for said, _ in held], [each for _, each in held]
        drawn = pl.Series(case_dice(rows.get_column("case_id"), self.audit_salt))
        audited = falls_below(drawn, self.audit_share)
        frame = rows.select("case_id", pl.lit(group).alias("group")).with_columns(
            pl.Series("decision", decision, pl.String),
            pl.Series("mode", mode, pl.String),
            pl.Series("score", score, pl.Float64),
            pl.Series("opened_at", opened_at, pl.Int64),
            audited.alias("audited"),
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
        told = (pl.col("decision") != PERSON) & (pl.col("mode") != AUDIT)
        utc = pl.Datetime("us", "UTC")
        return frame.with_columns(delay).select(
            "case_id",
            "group",
            "decision",
            "mode",
            "score",
            pl.col("opened_at").cast(utc).alias("decided_at"),
            pl.when(told)
            .then((pl.col("opened_at") + pl.col("delay").fill_null(0)).cast(utc))
            .alias("release_at"),
            "build_id",
            "reasons",
        )


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


def _scores(
    group: str, rows: pl.DataFrame, features: Sequence[str], names: Sequence[str], booster: Mapping[str, Any]
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
