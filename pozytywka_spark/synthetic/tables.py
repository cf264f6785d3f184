"""A world's tables, each to be made part by part; a part depends on plan and number alone."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.each_part import Parts
from pozytywka_spark.synthetic.life import premium_if
from pozytywka_spark.synthetic.lines import timestamps
from pozytywka_spark.synthetic.parts import entities_of, parts_of
from pozytywka_spark.synthetic.people import people_of
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.taste.chances import NAMES as CHANCE_NAMES
from pozytywka_spark.synthetic.taste.chances import chances_of
from pozytywka_spark.synthetic.taste.surveys import surveys_of
from pozytywka_spark.synthetic.texts.messages import messages_of
from pozytywka_spark.synthetic.truth import truth_of
from pozytywka_spark.synthetic.who import accounts_of

# grain: planted defect; `line` counts from 1 within the part; `was` is null for a line too many
LEDGER = "entity string, part int, line int, defect string, was string"
# grain: user; the last two, with an experiment: the chance to have premium at the end, treated or not
PEOPLE = (
    "user_id bigint, taste double, extra_sessions double, favourite double, mainstream double, "
    "like double, skip double, advert double, treated boolean, ring bigint, "
    "premium_if_treated double, premium_if_not double"
)
# grain: account that cheats or looks like it; it does so in [starts_at, ends_at). `kind`: ring, or one of
# `roles.ROLES`; `tracks` are what it goes through, `artist` is a fan's
ACCOUNTS = (
    "user_id bigint, kind string, bad boolean, starts_at string, ends_at string, ring bigint, "
    "tracks array<string>, artist string, bought_at string, charged_back_at string"
)
# grain: purchase that was charged back
CHARGEBACKS = "user_id bigint, bought_at string, charged_back_at string"
# grain: user and month, as `truth.py` says; `bought` is null where the horizon isn't over
PURCHASES = (
    "user_id bigint, month date, probability double, probability_error double, "
    "probability_known double, probability_known_error double, bought boolean"
)
# grain: user and track that matters to them; the chances of the days after a cut-off (`taste/chances.py`)
CHANCES = "user_id bigint, track_id string, " + ", ".join(f"{name} float" for name in CHANCE_NAMES)
# grain: answer of a user who was asked whether a track was worth their time, 1 to 5
SURVEYS = "user_id bigint, track_id string, asked_at string, answer int"


def lines(plan: Plan, entity: str) -> Parts:
    """One row per line of an entity's file, its text as `value` (`LINES`)."""
    return Parts.of_lines(parts_of(plan, entity), lambda part: entities_of(plan)[entity](plan, part)[0])


def ledger(plan: Plan) -> Parts:
    """One row per planted defect (`LEDGER`): parts are made again, which is cheap and comes out the same."""
    parts = [(entity, part) for entity in entities_of(plan) for part in range(parts_of(plan, entity))]

    def make(at: int) -> pa.RecordBatch:
        entity, part = parts[at]
        planted = entities_of(plan)[entity](plan, part)[1]
        count = len(planted.line)
        columns = [[entity] * count, [part] * count, planted.line, planted.defect, planted.was]
        types = [pa.string(), pa.int32(), pa.int32(), pa.string(), pa.string()]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        return pa.record_batch(arrays, names=["entity", "part", "line", "defect", "was"])

    dirty = bool(plan.world.dirt.model_dump(exclude_defaults=True))
    return Parts(len(parts) if dirty else 0, make, LEDGER)


def people(plan: Plan) -> Parts:
    """One row per user: what is hidden about them (`PEOPLE`)."""
    names = _names(PEOPLE)
    experiment = plan.world.experiment.from_month is not None

    def make(chunk: int) -> pa.RecordBatch:
        everyone = people_of(plan, chunk)
        columns = [pa.array(getattr(everyone, name)) for name in names[:-2]]
        for treated in (True, False):
            chance = premium_if(plan, chunk, treated=treated) if experiment else None
            columns.append(pa.nulls(len(everyone), pa.float64()) if chance is None else pa.array(chance))
        return pa.record_batch(columns, names=names)

    return Parts(plan.chunks, make, PEOPLE)


def accounts(plan: Plan) -> Parts:
    """One row per account: who cheats, and who only looks like it (`ACCOUNTS`)."""

    def make(chunk: int) -> pa.RecordBatch:
        told = accounts_of(plan, chunk)
        columns = {
            "user_id": pa.array([account.user_id for account in told], pa.int64()),
            "kind": pa.array([account.kind for account in told], pa.string()),
            "bad": pa.array([account.bad for account in told], pa.bool_()),
            "starts_at": _times(account.starts_ms for account in told),
            "ends_at": _times(account.ends_ms for account in told),
            "ring": pa.array([account.ring for account in told], pa.int64()),
            "tracks": pa.array([account.tracks for account in told], pa.list_(pa.string())),
            "artist": pa.array([account.artist for account in told], pa.string()),
            "bought_at": _times(account.bought_ms for account in told),
            "charged_back_at": _times(account.charged_back_ms for account in told),
        }
        return pa.record_batch(list(columns.values()), names=list(columns))

    return Parts(plan.chunks, make, ACCOUNTS)


def chargebacks(plan: Plan) -> Parts:
    """One row per purchase that was charged back (`CHARGEBACKS`)."""
    names = _names(CHARGEBACKS)

    def make(chunk: int) -> pa.RecordBatch:
        told = accounts(plan).make(chunk).select(names)
        return told.filter(told.column("charged_back_at").is_valid())

    return Parts(plan.chunks, make, CHARGEBACKS)


def _names(schema: str) -> list[str]:
    return [field.split()[0] for field in schema.split(", ")]


def _times(times_ms: Iterable[int | None]) -> pa.Array:
    """As the deliveries write them."""
    return pa.array(
        [None if ms is None else str(np.datetime64(ms, "ms").astype("datetime64[s]")) for ms in times_ms],
        pa.string(),
    )


def texts(plan: Plan) -> Parts:
    """A line a text (`LINES`): what is true of it (`texts/messages.py`)."""

    def told(chunk: int) -> list[str]:
        return [json.dumps(message.truth, ensure_ascii=False) for message in messages_of(plan, chunk)]

    return Parts.of_lines(plan.chunks, told)


def purchases(plan: Plan, horizon_days: int, paths: int) -> Parts:
    """One row per user and month: how likely a purchase within the horizon was (`PURCHASES`)."""
    first = np.datetime64(plan.world.start, "M")

    def make(chunk: int) -> pa.RecordBatch:
        truth = truth_of(plan, chunk, horizon_days, paths)
        month = (first + truth.pop("month_index")).astype("datetime64[D]")
        bought = pa.array(truth.pop("bought"), mask=~truth.pop("mature"))
        columns = {"user_id": truth.pop("user_id"), "month": month, **truth}
        arrays = [*(pa.array(column) for column in columns.values()), bought]
        return pa.record_batch(arrays, names=[*columns, "bought"])

    return Parts(plan.chunks, make, PURCHASES)


def chances(plan: Plan) -> Parts:
    """One row per user and track that matters: what they may do after the cut-off (`CHANCES`)."""

    def make(chunk: int) -> pa.RecordBatch:
        told = chances_of(plan, chunk)
        track = pa.array(catalogue_of(plan).tracks["id"][told["track"]])
        floats = [pa.array(told[name].astype(np.float32)) for name in CHANCE_NAMES]
        names = ["user_id", "track_id", *CHANCE_NAMES]
        return pa.record_batch([pa.array(told["user_id"]), track, *floats], names=names)

    return Parts(plan.chunks, make, CHANCES)


def surveys(plan: Plan) -> Parts:
    """A row an answer (`SURVEYS`)."""

    def make(chunk: int) -> pa.RecordBatch:
        told = surveys_of(plan, chunk)
        columns = {
            "user_id": pa.array(told["user_id"]),
            "track_id": pa.array(catalogue_of(plan).tracks["id"][told["track"]]),
            "asked_at": timestamps(told["asked_ms"]),
            "answer": pa.array(told["answer"], pa.int32()),
        }
        return pa.record_batch(list(columns.values()), names=list(columns))

    return Parts(plan.chunks, make, SURVEYS)
