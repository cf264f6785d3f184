"""Small worlds as pandas tables: what the tests look at instead of files."""

from functools import cache

import numpy as np
import pandas as pd

from pozytywka_spark.config import Synthetic
from pozytywka_spark.names import EVENT_TYPES
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.events import events_of
from pozytywka_spark.synthetic.life import life_of, plan_of
from pozytywka_spark.synthetic.plan import Plan

TINY = Synthetic(users=60, months=6, tracks=600, artists=150, played_tracks=200, genres=120)
SMALL = Synthetic(users=1000)
HEADLINE = Synthetic(
    users=20_000, months=39, tracks=129_648, artists=27_524, played_tracks=10_708, genres=3_912
)


@cache
def planned(world: Synthetic) -> Plan:
    return plan_of(world)


@cache
def events_table(world: Synthetic, chunks: int = 1) -> pd.DataFrame:
    """The delivered events of the first chunks, one row an event, in the order of the file."""
    plan = planned(world)
    ids = np.append(catalogue_of(plan).tracks["id"], "").astype(object)  # index -1: no track
    tables = []
    for chunk in range(chunks):
        life = life_of(plan, chunk)
        events = events_of(plan, life)
        tables.append(
            pd.DataFrame(
                {
                    "time": pd.to_datetime(events.time_ms, unit="ms"),
                    "user_id": life.people.user_id[events.user],
                    "track": ids[events.track],
                    "kind": np.array(EVENT_TYPES, dtype=object)[events.kind],
                    "session_id": events.session_id,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
