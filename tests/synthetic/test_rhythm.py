"""Weeks, years, growth and outages in a made world are what the settings and the expected series say."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pozytywka_spark.config import Synthetic, load_settings, settings_of
from pozytywka_spark.errors import UsageError
from pozytywka_spark.synthetic.expected import expected_of, is_expected, means_of
from pozytywka_spark.synthetic.life import life_of, plan_of
from pozytywka_spark.synthetic.people import passports
from pozytywka_spark.synthetic.plan import DAY_MS
from tests.worlds.synthetic import events_table, planned

CHUNKS = 8
OUTAGES = "2022-05-03:all:1.0,2022-08-10:Gdynia:1"
RHYTHM = {"weekly": 0.4, "yearly": 0.3, "growth": 0.5}


def world(**options: object) -> Synthetic:
    return Synthetic.model_validate({"users": 500 * CHUNKS, "months": 24, **options})


def plays_by_day(events: pd.DataFrame) -> pd.Series:
    return events[events.kind == "PLAY"].groupby(events.time.dt.floor("D")).size()


@pytest.mark.thorough
def test_sessions_follow_the_expected_series() -> None:
    plan = planned(world(rhythm=RHYTHM))
    by_city: dict[str, float] = {}
    drawn = np.zeros(0)
    first = int(plan.month_starts_ms()[0] // DAY_MS)
    days = int(plan.month_starts_ms()[-1] // DAY_MS) - first
    drawn, played = np.zeros(days), np.zeros(days)
    for chunk in range(CHUNKS):
        for city, mean in zip(*means_of(plan, chunk), strict=True):
            by_city[city] = by_city.get(city, 0.0) + float(mean)
        sessions = life_of(plan, chunk).sessions
        drawn += np.bincount(sessions.planned_ms // DAY_MS - first, minlength=days)
    counts = plays_by_day(events_table(plan.world, CHUNKS))
    played[(counts.index - pd.Timestamp("2022-01-01")).days] = counts
    expected = expected_of(plan, by_city)
    for name, seen in (("sessions", drawn), ("plays", played)):
        total = expected[name, "all"]
        assert seen.sum() == pytest.approx(total.sum(), rel=0.03), name
        # by weekday, month of the year and year: the shape
        for group in (np.arange(days) % 7, np.arange(days) // 30 % 12, np.arange(days) // 365):
            ratio = np.bincount(group, weights=seen) / np.bincount(group, weights=total)
            assert np.abs(ratio / (seen.sum() / total.sum()) - 1).max() < 0.08, name
    # as even as independent sessions: no day is off by more than chance
    total = expected["sessions", "all"]
    assert np.mean((drawn - total) ** 2 / total) == pytest.approx(1, abs=0.25)
    np.testing.assert_allclose(sum(expected["plays", city] for city in by_city), expected["plays", "all"])


@pytest.mark.thorough
def test_an_outage_takes_the_sessions_of_its_day_and_no_others() -> None:
    quiet, broken = world(users=2000, months=14), world(users=2000, months=14, outages=OUTAGES)
    plan = planned(broken)
    seen = 0
    for chunk in range(2):
        before, after = life_of(planned(quiet), chunk).sessions, life_of(plan, chunk).sessions
        day = before.planned_ms // DAY_MS
        city = passports(plan, chunk)["city"][before.user]
        everywhere = day == np.datetime64("2022-05-03").astype(int)
        gdynia = (day == np.datetime64("2022-08-10").astype(int)) & (city == "Gdynia")
        seen += int(everywhere.sum())
        np.testing.assert_array_equal(after.session_id, before.session_id[~(everywhere | gdynia)])
    assert seen > 3
    quiet_events, broken_events = events_table(quiet, 2), events_table(broken, 2)
    until = pd.Timestamp("2022-05-03")
    pd.testing.assert_frame_equal(
        *(
            table[table.time < until].sort_values(["user_id", "time", "kind"], ignore_index=True)
            for table in (quiet_events, broken_events)
        )
    )
    # of a session of the night before a few plays are left
    left = plays_by_day(broken_events)[until] / plays_by_day(quiet_events)[until]
    assert left < 0.1


@pytest.mark.thorough
def test_a_part_of_an_outage_is_that_part() -> None:
    days = ",".join(f"2022-{month:02}-{day:02}:all:0.6" for month in range(1, 13) for day in (5, 15, 25))
    plan, quiet = planned(world(months=14, outages=days)), planned(world(months=14))
    hit = {(np.datetime64("2022-01-01") + n).astype(int) for n in range(365)
           if str(np.datetime64("2022-01-01") + n)[8:] in ("05", "15", "25")}  # fmt: skip
    counts = [
        sum(
            int(np.isin(life_of(each, chunk).sessions.planned_ms // DAY_MS, list(hit)).sum())
            for chunk in range(4)
        )
        for each in (plan, quiet)
    ]
    assert counts[0] / counts[1] == pytest.approx(0.4, abs=0.04)


@pytest.mark.thorough
def test_a_world_without_them_has_the_stamp_it_always_had() -> None:
    stamp = json.loads(planned(world()).stamp())["world"]
    assert "rhythm" not in stamp
    assert "outages" not in stamp
    assert not is_expected(planned(world()))
    other = json.loads(planned(world(rhythm={"weekly": 0.1}, outages=OUTAGES)).stamp())["world"]
    assert other["rhythm"] == {"weekly": 0.1, "yearly": 0.0, "growth": 0.0}
    assert other["outages"][1] == {"day": "2022-08-10", "city": "Gdynia", "share": 1.0}
    assert planned(world(rhythm=RHYTHM)).level == planned(world()).level


@pytest.mark.thorough
def test_fraud_and_taste_live_with_it() -> None:
    made = world(
        months=6,
        users=1000,
        rhythm={"weekly": 0.9, "growth": -0.9},
        outages="2022-02-03:all:0.9",
        fraud={"bots": 5, "hijacked": 20, "sleepers": 20, "quick_buyers": 20, "rings": 2},
        taste={"on": True},
    )
    events = events_table(made, 2)
    assert events.session_id.is_monotonic_increasing or len(events) > 1000
    assert (events.groupby("session_id").user_id.nunique() == 1).all()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2022-05-03:Gdansk:0.5", "nobody lives in Gdansk; expected all or one of Gdynia"),
        ("2030-05-03:all:0.5", "2030-05-03 is no day of the world, which has 24 months from 2022-01"),
    ],
)
def test_an_outage_of_nowhere_is_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        plan_of(world(outages=text))


@pytest.mark.parametrize("text", ["2022-05-03", "2022-05-03:all", "yesterday:all:0.5", "2022-05-03:all:1.5"])
def test_an_outage_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        world(outages=text)


def test_outages_are_given_as_one_setting() -> None:
    settings = load_settings("local", [f"synthetic.outages={OUTAGES}", "synthetic.rhythm.weekly=0.3"])
    assert [outage.city for outage in settings.synthetic.outages] == ["all", "Gdynia"]
    assert settings_of(settings.model_dump(mode="json", exclude_defaults=True)) == settings
