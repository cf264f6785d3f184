"""A generated world with a known effect as a lake, and a small one written by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, Synthetic, load_settings
from pozytywka_spark.lake import Lake, open_lake
from pozytywka_spark.synthetic.life import premium_if
from pozytywka_spark.synthetic.people import people_of
from tests.worlds.known_hazard import as_arrow
from tests.worlds.synthetic import events_table, planned

START = date(2022, 6, 1)
CHUNKS = 4
MEASURES = {"plays": "PLAY", "ads": "ADVERTISEMENT", "likes": "LIKE", "skips": "SKIP"}


@dataclass(frozen=True)
class Known:
    """A lake of a world whose experiment has a known effect; `people` has one row a user."""

    settings: Settings
    lake: Lake
    people: pd.DataFrame
    effect: float  # on the share of users free at the start who have premium at the end


@pytest.fixture(scope="session")
def known(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Known:
    world = Synthetic.model_validate(
        {
            "users": 2000,
            "months": 11,
            "experiment": {"from_month": "2022-06", "adverts": 1.0, "log_hazard": 0.8},
        }
    )
    settings = load_settings("local", [f"home={tmp_path_factory.mktemp('known')}"])
    lake = open_lake(settings, spark)
    events = events_table(world, CHUNKS)
    people = _people(world, events)
    _write_events(lake, events, people)
    _write_past(lake, events, people)
    free = (people["bought_at"].isna() | (people["bought_at"] >= pd.Timestamp(START))).sum()
    return Known(settings, lake, people, float((people["if_treated"] - people["if_not"]).sum() / free))


def _people(world: Synthetic, events: pd.DataFrame) -> pd.DataFrame:
    plan = planned(world)
    frames = []
    for chunk in range(CHUNKS):
        everyone = people_of(plan, chunk)
        frames.append(
            pd.DataFrame(
                {
                    "user_id": everyone.user_id,
                    "treated": everyone.treated,
                    "if_treated": premium_if(plan, chunk, treated=True),
                    "if_not": premium_if(plan, chunk, treated=False),
                }
            )
        )
    people = pd.concat(frames, ignore_index=True)
    bought = events[events["kind"] == "BUY_PREMIUM"].groupby("user_id")["time"].min()
    people["bought_at"] = people["user_id"].map(bought)
    people["city"] = np.array(["Gdynia", "Radom", "Kielce"])[people["user_id"] % 3]
    return people


def _write_events(lake: Lake, events: pd.DataFrame, people: pd.DataFrame) -> None:
    """Every purchase and the first event of each user's month: all that experiments read of events."""
    month = events["time"].dt.to_period("M").dt.to_timestamp()
    first = ~pd.DataFrame({"user": events["user_id"], "month": month}).duplicated()
    write_events(lake, events[first | (events["kind"] == "BUY_PREMIUM")])
    users = people[["user_id", "city"]].assign(
        favourite_genres=None, premium_user=people["bought_at"].notna()
    )
    lake.overwrite(as_arrow(users, schemas.USERS), schemas.USERS)


def write_events(lake: Lake, rows: pd.DataFrame) -> None:
    """Append rows of `time`, `user_id`, `kind` to the table events."""
    made = pd.DataFrame({"user_id": rows["user_id"].to_numpy(), "event_time": rows["time"].to_numpy()})
    made["event_type"] = rows["kind"].to_numpy(dtype=object)
    made["event_id"] = [f"{user}-{time}-{kind}".encode() for user, time, kind in made.itertuples(index=False)]
    made["session_id"], made["track_id"], made["repaired"], made["repair_reason"] = 1, "", False, ""
    made["event_month"] = made["event_time"].dt.to_period("M").dt.to_timestamp().dt.date
    made["user_bucket"] = 0
    lake.append(as_arrow(made, schemas.EVENTS), schemas.EVENTS)


def _write_past(lake: Lake, events: pd.DataFrame, people: pd.DataFrame) -> None:
    """The tables user_month (free months only) and user_debuts, as the features stage would."""
    month = events["time"].dt.to_period("M").dt.to_timestamp().rename("month")
    table = pd.crosstab([events["user_id"], month], events["kind"]).reset_index()
    bought = table["user_id"].map(people.set_index("user_id")["bought_at"])
    table = table[bought.isna() | (bought >= table["month"] + pd.offsets.MonthBegin(1))]
    rows = pd.DataFrame({"user_id": table["user_id"], "month": table["month"].dt.date})
    for name, kind in MEASURES.items():
        rows[name] = table[kind].astype("int64")
    rows["user_bucket"] = 0
    user_month = schemas.user_month_table(list(MEASURES))
    lake.overwrite(as_arrow(rows, user_month), user_month)
    debuts = events.groupby("user_id", as_index=False)["time"].min()
    debuts["month"] = debuts["time"].dt.to_period("M").dt.to_timestamp().dt.date
    debuts["user_bucket"] = 0
    debuts = debuts.rename(columns={"time": "first_event_at"})
    lake.overwrite(as_arrow(debuts, schemas.USER_DEBUTS), schemas.USER_DEBUTS)
