"""Alarms on generated data: a quiet world, and one whose adverts become more from a known month on."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.config import Monitoring, Synthetic
from pozytywka_spark.monitoring.alerts import drift_rows
from pozytywka_spark.monitoring.counts import count_bins, edges_of
from tests.worlds.synthetic import events_table

CHUNKS = 6  # 3,000 users
REFERENCE = (date(2022, 3, 1), date(2022, 8, 1))
DRIFT = date(2022, 11, 1)
WATCHED = [date(2022, month, 1) for month in range(9, 13)] + [date(2023, 1, 1), date(2023, 2, 1)]
ADVERTS = {"number_of_advertisements", "advertisements_per_play"}


def features(events: pd.DataFrame) -> pd.DataFrame:
    """Grain user and month of users who have not bought by the month's end: features under their names."""
    bought = events[events["kind"] == "BUY_PREMIUM"].groupby("user_id")["time"].min()
    time = events["time"].dt
    events = events.assign(month=time.to_period("M").dt.to_timestamp(), day=time.day)
    ends = events["month"] + pd.offsets.MonthBegin(1)
    free = events[~(events["user_id"].map(bought) < ends)]
    counts = free.groupby(["user_id", "month", "kind"]).size().unstack(fill_value=0).astype(float)
    by_user = free.groupby(["user_id", "month"])
    found = pd.DataFrame(
        {
            "number_of_advertisements": counts["ADVERTISEMENT"],
            "number_of_tracks": counts["PLAY"],
            "number_of_skips": counts["SKIP"],
            "number_of_likes": counts["LIKE"],
            "advertisements_per_play": counts["ADVERTISEMENT"] / counts["PLAY"],
            "skip_rate": counts["SKIP"] / counts["PLAY"],
            "like_rate": counts["LIKE"] / counts["PLAY"],
            "number_of_sessions": by_user["session_id"].nunique().astype(float),
            "active_days": by_user["day"].nunique().astype(float),
            "days_since_last_event": (
                (by_user["month"].first() + pd.offsets.MonthBegin(1) - by_user["time"].max())
                / pd.Timedelta(days=1)
            ),
        }
    ).reset_index()
    found["month"] = found["month"].dt.date
    return found.replace([np.inf, -np.inf], np.nan)


def alarms(rows: pd.DataFrame) -> dict[date, set[str]]:
    """By watched month the features that alarm, with the settings' own thresholds."""
    names = [name for name in rows.columns if name not in ("user_id", "month")]
    reference = rows[rows["month"].between(*REFERENCE)]
    edges = {name: edges_of(reference[name].to_numpy(float)) for name in names}
    before = {name: count_bins(reference[name].to_numpy(float), edges[name]) for name in names}
    users = reference["user_id"].nunique()
    found = {}
    for month in WATCHED:
        here = rows[rows["month"] == month]
        counted = {
            name: (before[name], count_bins(here[name].to_numpy(float), edges[name])) for name in names
        }
        made = drift_rows(counted, {}, users, set(), Monitoring())
        found[month] = {row["subject"] for row in made if row["alert"]}
    return found


@pytest.fixture(scope="module")
def quiet() -> dict[date, set[str]]:
    return alarms(features(events_table(Synthetic(users=3000), CHUNKS)))


@pytest.mark.thorough
def test_a_quiet_world_raises_at_most_one_alarm_in_forty_month_features(quiet: dict[date, set[str]]) -> None:
    assert sum(map(len, quiet.values())) <= len(WATCHED) * 10 / 40, quiet


@pytest.mark.thorough
def test_adverts_that_become_more_alarm_in_their_first_month_and_nothing_else_does(
    quiet: dict[date, set[str]],
) -> None:
    world = Synthetic.model_validate({"users": 3000, "drift": {"from_month": DRIFT}})
    found = alarms(features(events_table(world, CHUNKS)))
    assert found[DRIFT] & ADVERTS
    assert found[DRIFT] <= ADVERTS
    for month in WATCHED[: WATCHED.index(DRIFT)]:
        assert found[month] == quiet[month]
