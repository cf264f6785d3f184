"""What two years of made sums let the seasonal policy foresee."""

from datetime import date, timedelta
from math import isclose

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.bandits.policy import parse_policy
from pozytywka_spark.bandits.seasonal import learn, probabilities, season
from pozytywka_spark.bandits.seasonal.almanac import columns_around
from pozytywka_spark.bandits.seasonal.effects import effects_of, told_by
from pozytywka_spark.bandits.seasonal.level import Read
from pozytywka_spark.config.bandits import Bandits, Seasonal
from pozytywka_spark.errors import DataError
from tests.bandits.made_seasons import days_of, sums_of

BANDITS = Bandits()


ARMS = ["carol", "choir", "rock", "punk"]
GENRE = {"carol": "christmas", "choir": "christmas", "rock": "loud", "punk": "loud"}
RATES = {"carol": 0.08, "choir": 0.07, "rock": 0.1, "punk": 0.06}


def two_years() -> pd.DataFrame:
    """All arms shown alike; Christmas doubles on 1 December and ends after the 26th."""
    rng = np.random.default_rng(5)
    rows = []
    for day in days_of(date(2023, 1, 1), 720):
        for arm, rate in RATES.items():
            season = 2.0 if GENRE[arm] == "christmas" and day.month == 12 and day.day <= 26 else 1.0
            rows.append((day, arm, "", 500, rng.binomial(500, rate * season) / 500, 0.25))
    return sums_of(rows)


@pytest.fixture(scope="module")
def years() -> pd.DataFrame:
    return two_years()


def of_genre(table: pd.DataFrame, genre: str) -> float:
    return float(table[table.arm.map(GENRE) == genre].probability.sum())


def test_christmas_is_foreseen_to_the_day(years: pd.DataFrame) -> None:
    def share(day: date) -> float:
        return of_genre(probabilities(years, GENRE, ARMS, day, BANDITS), "christmas")

    assert [share(date(2024, 11, 30)) < 0.1, share(date(2024, 12, 1)) > 0.85] == [True, True]
    assert share(date(2023, 12, 1)) < 0.1  # nobody knew


def test_the_day_itself_and_what_comes_after_it_are_not_looked_at(years: pd.DataFrame) -> None:
    day = date(2024, 3, 1)
    pd.testing.assert_frame_equal(
        probabilities(years, GENRE, ARMS, day, BANDITS),
        probabilities(years[years.day < day].sample(frac=1, random_state=1), GENRE, ARMS, day, BANDITS),
    )


def test_without_a_log_all_arms_are_alike_and_new_ones_are_tried(years: pd.DataFrame) -> None:
    none = probabilities(years.head(0), GENRE, ARMS, date(2024, 3, 1), BANDITS)
    assert (none.group.unique().tolist(), none.arm.tolist()) == ([""], ARMS)
    assert none.probability.between(0.2, 0.3).all()
    new = probabilities(years, {**GENRE, "new": "loud"}, [*ARMS, "new"], date(2024, 3, 1), BANDITS)
    assert 0.05 < new.set_index("arm").probability["new"] < 0.8


def test_groups_have_tables_of_their_own_where_they_differ(years: pd.DataFrame) -> None:
    """In the group `loud` rock is loved, in `soft` carol; the level of a group tells nothing."""
    rng = np.random.default_rng(6)
    rows = []
    for day in days_of(date(2024, 1, 1), 60):
        for group, keen in (("soft", 0.5), ("loud", 2.0)):
            for arm, rate in RATES.items():
                mine = rate * keen * (1.6 if (arm, group) in {("rock", "loud"), ("carol", "soft")} else 1.0)
                rows.append((day, arm, group, 300, rng.binomial(300, mine) / 300, 0.25))
    table = probabilities(sums_of(rows), GENRE, ARMS, date(2024, 3, 1), BANDITS)
    best = table.sort_values("probability").groupby("group").arm.last()
    assert best.to_dict() == {"loud": "rock", "soft": "carol"}
    np.testing.assert_allclose(table.groupby("group").probability.sum(), 1)


def test_a_policy_of_it_is_one_that_decides(years: pd.DataFrame) -> None:
    document = learn(years, "spotlight", BANDITS, genre_of=GENRE, arms=ARMS, day=date(2024, 3, 1))
    policy = parse_policy(document)
    assert (policy.kind, policy.arms, policy.explore) == ("seasonal", tuple(ARMS), 0.05)
    assert policy.trained_days == ("2023-01-01", "2024-02-29")
    table = probabilities(years, GENRE, ARMS, date(2024, 3, 1), BANDITS)
    np.testing.assert_allclose([policy.of_group("anyone")[arm] for arm in ARMS], table.probability, atol=1e-8)


def test_settings_bound_what_is_decided(years: pd.DataFrame) -> None:
    tight = Bandits(seasonal=Seasonal(cap=0.4, floor=0.05, watch=0.0, drift=0.01))
    table = probabilities(years, GENRE, ARMS, date(2024, 3, 1), tight)
    assert table.probability.between(0.05 - 1e-9, 0.4 + 1e-9).all()


@pytest.mark.parametrize("arms", [[], ["rock", "rock"]])
def test_a_slot_without_arms_or_with_one_twice_is_refused(arms: list[str], years: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="expected one at least, each once"):
        probabilities(years, GENRE, arms, date(2024, 3, 1), BANDITS)


@pytest.mark.thorough
def test_what_rises_is_listed_with_intervals_that_hold_it(years: pd.DataFrame) -> None:
    """Christmas is planted; an artist of the other genre has one great spring, which is no season."""
    hit = years.copy()
    at = (hit.arm == "punk") & (hit.day >= date(2023, 4, 1)) & (hit.day < date(2023, 6, 1))
    hit.loc[at, "chosen_reward"] *= 1.5
    table = season(hit, GENRE)
    assert table[["genre", "season"]].to_numpy().tolist() == [["christmas", "year"]]
    row = table.iloc[0]
    # of the second year's December only the first half is over
    assert (row["first"], row["last"], row.years) == ("1 December", "15 December", 2)
    assert row.low < 2.0 < row.high
    assert row.p_value < 1e-6


@pytest.mark.thorough
def test_nothing_rises_where_nothing_does(years: pd.DataFrame) -> None:
    still = years[years.arm.isin(["rock", "punk"])]
    assert season(still, {**GENRE, "punk": "harsh"}).empty
    assert season(years.head(0), GENRE).empty


def test_where_nobody_looked_the_day_of_a_rise_is_open() -> None:
    """From 25 November to 8 December of the first year hardly anything was seen of the genre."""
    days = days_of(date(2023, 1, 1), 700)
    rises = np.array([0.7 if day.month == 12 else 0.0 for day in days])
    dim = np.array([date(2023, 11, 25) <= day <= date(2023, 12, 8) for day in days])
    read = Read(
        np.repeat((rises - 2)[:, None], 3, axis=1), np.repeat(np.where(dim, 0.5, 50.0)[:, None], 3, axis=1)
    )
    seen = Read(read.log_rate, np.full((700, 3), 50.0))

    def rise(what: Read, today: date) -> tuple[float, int]:
        upto = [day < today for day in days]
        columns = columns_around([day for day in days if day < today], today, 0.02, 0.05)
        told = told_by(Read(what.log_rate[upto], what.precision[upto]), columns.past, 0.01**2, -2.0)
        cases = effects_of(told, columns)
        assert isclose(sum(case.share for case in cases), 1, rel_tol=1e-9)
        step = columns.today - columns.past[-10]
        return sum(case.share for case in cases if step @ case.mean > 0.35), len(cases)

    sure = rise(seen, date(2024, 11, 30)), rise(seen, date(2024, 12, 1))
    assert (sure[0][0] < 0.05, sure[1][0] > 0.95) == (True, True)
    open_to = [rise(read, date(2024, 11, 24) + timedelta(day))[0] for day in (0, 4, 8, 14)]
    assert open_to == sorted(open_to)
    assert 0.05 < open_to[2] < 0.95
