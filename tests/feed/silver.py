"""The small world as a real lake's silver tables."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.feed.small_world import USERS, Event, tables


def silver(settings: Settings, rows: Sequence[Event], users: int = USERS) -> Lake:
    """A lake with users, artists, tracks and those events; without a Spark session, for it is small."""
    lake = open_lake(settings, session_on_demand(settings, "tests"))
    made = tables(users)
    for table in (schemas.TRACKS, schemas.ARTISTS, schemas.USERS):
        lake.append(as_table(made[table.name].to_dicts(), table), table)
    put_events(lake, rows)
    return lake


def put_events(lake: Lake, rows: Sequence[Event], first: int = 0) -> None:
    """More events."""
    whole = [
        {
            "event_id": (first + number).to_bytes(16, "big"),
            "event_time": moment,
            "event_type": kind,
            "user_id": user,
            "session_id": session,
            "track_id": track,
            "repaired": False,
            "event_month": moment.date().replace(day=1),
            "user_bucket": 0,
        }
        for number, (user, session, moment, kind, track) in enumerate(rows)
    ]
    lake.append(as_table(whole, schemas.EVENTS), schemas.EVENTS)
