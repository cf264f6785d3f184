"""Explain: one user's page of a day, made again and told stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.feed.explain_work import ABSENT, DROPPED, PLACES, REMOVED, STAGES, ExplainUser
from pozytywka_spark.feed.inputs import check_day, lists_named
from pozytywka_spark.feed.model import champion
from pozytywka_spark.feed.prepare import prepare, slice_events
from pozytywka_spark.feed.stage import feed_id_of, look_of, stages_of
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.api import Lake

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Explained:
    """Tables of one page. `differs`: the day's feed stands there, but was made of other inputs."""

    user_id: int
    day: date
    model_version: str
    stages: Rows
    removed: Rows
    dropped: Rows
    places: Rows
    absent: Rows
    differs: bool


def explain(settings: Settings, lake: Lake, user_id: int, day: date) -> Explained:
    """Made of today's inputs and the champion, as `rank` would. Raises what it raises, and `DataError` for
    an unknown user.
    """
    lists = lists_named(settings)
    check_day(settings, lake, day)
    model = champion(settings)
    with lake.tasks() as tasks:
        sliced = slice_events(lake, tasks, day)
        prepared = prepare(settings, tasks, sliced, day)
        look = look_of(settings, lake, tasks, day, sliced, prepared, model, lists)
        mine = pl.DataFrame({"user_id": [user_id]}).select(slice_of("user_id", len(sliced.slices))).item()
        parcels = [parcel for parcel in prepared.listeners if parcel.key == (mine,)]
        done = tasks.run(
            parcels,
            ExplainUser(look, user_id),
            weight=lambda parcel: parcel.size,
            named=lambda _: "one user's page",
        )
        if not done.results:
            raise DataError(f"--user {user_id}: there is no such user")
        rows = stages_of(lake, day)
        possible = {
            feed_id_of(settings, lake, tasks, day, sliced, model, lists, only_free=free)
            for free in (False, True)
        }
        told = done.results[0]
        return Explained(
            user_id,
            day,
            model.version,
            told[STAGES],
            told[REMOVED],
            told[DROPPED],
            told[PLACES],
            told[ABSENT],
            differs=bool(rows) and rows[0]["feed_id"] not in possible,
        )
