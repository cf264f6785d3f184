"""Which series of a day alarm: false ones rare over all, the highest that explains its children."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.forecasting.alarms import Alarm, alarms_of_day
from pozytywka_spark.forecasting.limits import quiet_spreads, with_limits
from pozytywka_spark.forecasting.surprise import Spreads, spread_of_scores, with_scores

DAY = date(2023, 5, 3)
CITIES = ("Gdynia", "Kraków", "Radom", "Warszawa")
GROUPS = ("jazz", "pop")
MEASURES = {"plays": 1000.0, "likes": 300.0, "active_users": 50.0}
BY_GROUP = {"plays": 1000.0, "likes": 300.0}
SCHEMA = {
    "measure": pl.String,
    "city": pl.String,
    "group_id": pl.String,
    "actual": pl.Float64,
    "mean": pl.Float64,
    "high_90": pl.Float64,
}


def day_of(
    left: Mapping[tuple[str, str], float] | None = None,
    dice: np.random.Generator | None = None,
    measures: Mapping[str, float] = MEASURES,
) -> pl.DataFrame:
    """Series of a day, of which `left` says what is left of a city (and `all` groups) or of a city's group.

    A city's group has half the city's; its sd is a fifth of the mean there, and sums have the sum's.
    """
    rows = []
    for measure, mean in measures.items():
        cells = {}
        for city in CITIES:
            for group in GROUPS:
                factor = (left or {}).get((city, group), (left or {}).get((city, "all"), 1.0))
                drawn = 1 + 0.2 * dice.standard_normal() if dice else 1.0
                cells[city, group] = round(mean / 2 * factor * max(drawn, 0))
        for city in ("all", *CITIES):
            for group in ("all", *GROUPS):
                if measure == "active_users" and group != "all":
                    continue
                mine = [
                    value for (c, g), value in cells.items() if city in ("all", c) and group in ("all", g)
                ]
                expected, sd = mean / 2 * len(mine), 0.2 * mean / 2 * len(mine) ** 0.5
                rows.append((measure, city, group, float(sum(mine)), expected, expected + 1.645 * sd))
    return pl.DataFrame(rows, SCHEMA, orient="row")


def alarms(rows: pl.DataFrame, false_alarms: float = 1.0) -> list[Alarm]:
    return alarms_of_day(DAY, rows, Spreads(usual=1.0), false_alarms)


def places(found: list[Alarm]) -> list[tuple[str, str]]:
    return [alarm.node.place for alarm in found]


def test_a_day_as_expected_alarms_nobody() -> None:
    assert alarms(day_of()) == []
    assert alarms(day_of().clear()) == []


def test_an_outage_of_the_service_is_one_alarm() -> None:
    found = alarms(day_of({(city, "all"): 0.4 for city in CITIES}))
    assert places(found) == [("all", "all")]
    (alarm,) = found
    assert alarm.node.measure == "plays"
    assert [node.measure for node in alarm.others] == ["active_users", "likes"]  # the least p first
    assert alarm.is_incomplete
    assert alarm.detail == (
        "plays 40% of what was expected; also active_users 40%, likes 40%; a delivery may be incomplete"
    )
    assert (alarm.node.actual, alarm.node.mean) == (1600.0, 4000.0)


def test_revenue_alarms_by_what_it_is_made_of() -> None:
    """Somebody changed the price of a purchase: nothing happened to the service."""
    measures = {"revenue": 400.0, "purchases": 20.0, "adverts": 500.0}
    dearer = pl.when(pl.col("measure") == "revenue").then(3.0).otherwise(1.0)
    rows = day_of(measures=measures).with_columns(actual=pl.col("actual") * dearer)
    assert alarms(rows) == []
    found = alarms(day_of({(city, "all"): 0.0 for city in CITIES}, measures=measures))
    assert {each.measure for alarm in found for each in (alarm.node, *alarm.others)} == {
        "purchases",
        "adverts",
    }


def test_an_outage_of_a_city_is_the_citys() -> None:
    found = alarms(day_of({("Radom", "all"): 0.05}))
    assert places(found) == [("Radom", "all")]
    assert not found[0].is_incomplete


def test_what_a_group_does_in_one_city_is_told_there() -> None:
    found = alarms(day_of({("Radom", "pop"): 5.0}, measures=BY_GROUP))
    assert places(found) == [("Radom", "pop")]


def test_a_group_is_its_own_alarm() -> None:
    found = alarms(day_of({(city, "pop"): 0.05 for city in CITIES}, measures=BY_GROUP))
    assert places(found) == [("all", "pop")]


def test_what_an_outage_does_not_explain_is_told_beside_it() -> None:
    left = {(city, "all"): 0.4 for city in CITIES} | {("Radom", "all"): 3.0}
    found = places(alarms(day_of(left)))
    assert ("Radom", "all") in found
    left = {(city, "all"): 0.5 for city in CITIES} | {("Radom", "all"): 0.0}
    assert places(alarms(day_of(left, measures={"plays": 100_000.0}))) == [("all", "all"), ("Radom", "all")]


def test_a_few_of_many_are_told_and_not_the_sum() -> None:
    """Two cities of four rise and the sum with them: the others look like a quiet day."""
    found = places(alarms(day_of({("Radom", "all"): 4.0, ("Gdynia", "all"): 4.0})))
    assert found == [("Gdynia", "all"), ("Radom", "all")]


@pytest.mark.thorough
def test_false_alarms_are_as_rare_as_asked_for() -> None:
    """Over four months of quiet days, of normal deviations that the forecasts know."""
    dice = np.random.default_rng(3)
    days = 1098
    asked = 36.0  # a quarter, so that there is something to count
    found = sum(len(alarms(day_of(dice=dice), asked)) for _ in range(days // 9))
    expected = asked * days / 9 / 91.3
    assert found <= expected + 3 * expected**0.5


@pytest.mark.parametrize("false_alarms", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("measures", [MEASURES, BY_GROUP, {"likes": 300.0}])
def test_all_limits_together_are_what_is_asked_for(
    false_alarms: float, measures: Mapping[str, float]
) -> None:
    two = pl.concat([day_of(measures=measures).with_columns(day=day) for day in (DAY, date(2023, 5, 4))])
    limits = with_limits(with_scores(two), Spreads(), false_alarms)
    for _, of_day in limits.group_by("day"):
        assert of_day.get_column("limit").sum() == pytest.approx(false_alarms / 91.3125)
    first = limits.filter((pl.col("measure") == "likes") & (pl.col("city") == "all")).row(0, named=True)
    if measures is MEASURES:  # likes weigh 1 of 7
        assert first["limit"] == pytest.approx(false_alarms / 91.3125 * 0.45 / 7)


def test_what_falls_with_a_place_is_told_with_it_though_it_alone_would_be_no_alarm() -> None:
    """Half of the users stay away: plays, which come in clumps, look less out of order than users do."""
    wide = pl.when(pl.col("measure") == "active_users").then(pl.col("high_90"))
    rows = day_of({(city, "all"): 0.5 for city in CITIES}).with_columns(
        high_90=wide.otherwise(pl.col("mean") * (1 + 1.645 / 6))
    )
    found = alarms(rows)
    alone = with_limits(with_scores(rows.with_columns(day=DAY)), Spreads(usual=1.0), 1.0)
    plays = alone.filter((pl.col("measure") == "plays") & (pl.col("city") == "all")).row(0, named=True)
    assert plays["p"] > plays["limit"] / 2, "the world is one where it matters"
    assert places(found)[0] == ("all", "all")
    assert found[0].node.measure == "plays"
    assert found[0].is_incomplete


def past(odd: Mapping[date, float], sd: float = 0.2) -> pl.DataFrame:
    """A backtest of two origins and 70 days; on odd days so much is left of all."""
    dice = np.random.default_rng(5)
    rows = []
    for number in range(70):
        day = date(2023, 2, 1) + timedelta(days=number)
        origin = date(2023, 2, 1) if number < 35 else date(2023, 3, 8)
        for city in ("all", *CITIES):
            actual = 1000 * odd.get(day, 1 + sd * dice.standard_normal())
            rows.append(
                ("plays", city, "all", max(actual, 0.0), 1000.0, 1000 * (1 + 0.2 * 1.645), origin, day)
            )
    return pl.DataFrame(rows, {**SCHEMA, "origin": pl.Date, "day": pl.Date}, orient="row")


def test_outages_of_the_past_do_not_make_the_next_look_usual() -> None:
    outages = {date(2023, 2, 10): 0.1, date(2023, 3, 1): 0.2, date(2023, 3, 2): 0.1}
    quiet = quiet_spreads(past({}), (), 1.0)
    assert quiet.at("total", "plays") < 1.2
    assert quiet_spreads(past(outages), (), 1.0).at("total", "plays") < 1.2
    assert quiet_spreads(past(outages), outages, 1.0).at("total", "plays") < 1.2
    assert spread_of_scores(with_scores(past(outages))).at("total", "plays") > 1.5, "they would"


def test_days_that_are_always_far_off_stay_in() -> None:
    """Intervals that are half as wide as they should be are no outages."""
    found = quiet_spreads(past({}, sd=0.4), (), 1.0)
    assert 1.6 < found.at("total", "plays") < 2.6


def test_nothing_is_known_of_a_past_that_was_odd_throughout() -> None:
    few = past({}).filter(pl.col("day") < date(2023, 2, 3))
    assert quiet_spreads(few, few.get_column("day").to_list(), 1.0).of == {}
    assert quiet_spreads(few.clear(), (), 1.0).of == {}
