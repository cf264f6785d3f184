"""Days as users times what one brings: users by hand, the regression beside its formula, what it expects."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.forecasting.joined import joined_of
from pozytywka_spark.forecasting.models import cohorts
from pozytywka_spark.forecasting.models.cohorts import cohort_means, log_users, suits
from pozytywka_spark.forecasting.past import Joined, Past, Values
from pozytywka_spark.forecasting.series_names import series_name

FIRST = int(np.datetime64("2022-01-01").astype("datetime64[D]").astype(np.int64))
MONTH = 52 * 12  # January 2022
HORIZON = 28
STAY = {"first": 1.0, "stays": 0.6, "for_good": 0.2}


def users_a_month(counts: Values) -> Values:
    """What `STAY` says of them, month by month."""
    return np.array(
        [
            sum(
                came * (STAY["first"] if age == 0 else 0.2 + 0.8 * STAY["stays"] ** age)
                for came, age in zip(counts[: at + 1], range(at, -1, -1), strict=True)
            )
            for at in range(len(counts))
        ]
    )


def business(days: int, noise: float = 0.0, seed: int = 0, part: float = 1.0) -> tuple[Values, Values]:
    """Days of a service that most joined as it opened, and who joined: 10,000, then 700 a month."""
    steps = FIRST + np.arange(days)
    months = steps.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) - MONTH
    counts = part * np.array([10_000.0, *[700.0] * int(months[-1])])
    week = 1 + 0.3 * np.cos(2 * np.pi * steps / 7)
    users = users_a_month(counts)[months]
    draws = np.random.default_rng(seed).normal(1, noise, days) if noise else 1.0
    return users * week * draws, counts


def past_of(values: Values, counts: Values | None, horizon: int = HORIZON) -> Past:
    """What is seen of days, and users of the months that are over."""
    steps = FIRST + np.arange(len(values) + horizon)
    joined = None if counts is None else Joined(MONTH, counts).before(int(steps[len(values)]))
    return Past(
        values, np.ones(len(values), bool), steps, np.empty((len(steps), 0)), (7, 365), horizon, joined
    )


def of_one(past: Past) -> Values:
    return cohort_means({"one": [past]})["one"][0]


def test_users_are_who_came_and_how_many_of_them_stay() -> None:
    joined = Joined(MONTH, np.array([100.0, 10.0, 40.0]))
    possible = list(itertools.product(cohorts.FIRST_MONTH, cohorts.STAYING, cohorts.FOR_GOOD))
    found = np.exp(log_users(joined, MONTH + 4)[:, possible.index((1.2, 0.3, 0.2))])
    # a month later 0.2 + 0.8 x 0.3 of them are there, then 0.2 + 0.8 x 0.09, 0.2 + 0.8 x 0.027, …
    here, later, after, last = 1.2, 0.44, 0.272, 0.2216
    coming = 50.0  # a month, as in the latest three
    assert found[:4] == pytest.approx(
        [
            100 * here,
            100 * later + 10 * here,
            100 * after + 10 * later + 40 * here,
            100 * last + 10 * after + 40 * later + coming * here,
        ]
    )
    everybody = np.exp(log_users(joined, MONTH + 4)[:, possible.index((1.0, 0.0, 1.0))])
    assert everybody == pytest.approx([100, 110, 150, 200, 250]), "all stay for good"


def test_a_single_possibility_is_a_normal_s_mean_given_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "FIRST_MONTH": (1.0,),
        "STAYING": (0.6,),
        "FOR_GOOD": (0.2,),
        "LENGTHS": (0.5,),
        "STRAYS": (0.06,),
    }.items():
        monkeypatch.setattr(cohorts, name, value)
    values, counts = business(200, noise=0.05)
    past = past_of(values, counts, horizon=3)
    seen = cohorts._seen(past)
    day = past.steps.astype(float)
    months = past.steps.astype("datetime64[D]").astype("datetime64[M]")
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(float)
    offset = np.log(users_a_month(np.array([10_000.0, *[700.0] * 6])))[months.astype(np.int64) - MONTH]
    offset -= 0.5 * np.log(length / cohorts.MEAN_LENGTH)
    offset -= offset[:200].mean()
    apart = day[:, None] - day
    years = (day - day[200]) / 365
    turn = 2 * np.pi * apart / 365
    known = (
        cohorts.LEVEL**2
        + cohorts.WEEK**2 * (apart % 7 == 0)
        + cohorts.GROWTH**2 * np.outer(years, years)
        + cohorts.WAVE**2 * np.cos(turn)
        + cohorts.SECOND**2 * np.cos(2 * turn)
        + 0.06**2 * np.exp(-np.abs(apart) / cohorts.DAYS_ASTRAY)
    )
    noisy = known[:200, :200] + np.diag(seen.variances)
    expected = offset[200:] + known[200:, :200] @ np.linalg.inv(noisy) @ (seen.values - offset[:200])
    assert np.log(of_one(past)) == pytest.approx(expected + seen.level, abs=1e-6)


@pytest.mark.thorough
def test_a_first_year_that_users_made_is_no_wave_of_the_year() -> None:
    days = 365 + HORIZON
    truth, counts = business(days)
    noisy = business(days, noise=0.06, seed=3)[0]
    found = of_one(past_of(noisy[:365], counts))
    assert found.mean() == pytest.approx(truth[365:].mean(), rel=0.025)
    # a year ago most had just come: who takes that for the season expects a third more
    assert truth[:HORIZON].mean() > 1.4 * truth[365:].mean()


@pytest.mark.thorough
def test_shares_of_cities_come_to_the_whole() -> None:
    days = 365 + HORIZON
    parts = {f"{n}": business(days, noise=0.15, seed=n, part=0.2) for n in range(5)}
    whole = sum(values for values, _ in parts.values())
    counts = business(days)[1]
    pasts = {name: [past_of(values[:365], mine)] for name, (values, mine) in parts.items()}
    found = cohort_means({"all": [past_of(np.asarray(whole)[:365], counts)], **pasts})
    assert sum(found[name][0].mean() for name in parts) == pytest.approx(found["all"][0].mean(), rel=0.02)


def test_nothing_that_came_later_changes_a_bit() -> None:
    values, counts = business(300, noise=0.05)
    later = counts.copy()
    later[-1] *= 7  # of the month that isn't over
    earlier, now = past_of(values[:280], counts), past_of(values, counts)
    alone = cohort_means({"one": [earlier]})["one"]
    both = cohort_means({"one": [past_of(values[:280], later), now]})["one"]
    assert np.array_equal(alone[0], both[0])
    assert len(earlier.joined.counts if earlier.joined else ()) == 9, "January to September are over"


@pytest.mark.parametrize(
    ("what", "fits"),
    [
        ("as it is", True),
        ("a day of nothing", True),
        ("nobody known", False),
        ("nobody yet", False),
        ("short", False),
        ("no year", False),
        ("negative", False),
        ("three weeks of nothing", False),
    ],
)
def test_what_it_is_asked_of(what: str, fits: bool) -> None:
    values, counts = business(250, noise=0.05)
    past = past_of(values, counts)
    changed = values.copy()
    if what == "negative":
        changed[3] = -1
    elif what == "three weeks of nothing":
        changed[100:130] = 0
    elif what == "a day of nothing":
        changed[100] = 0
    past = {
        "nobody known": replace(past, joined=None),
        "short": past_of(values[:150], counts),
        "no year": replace(past, seasons=(7,)),
        "nobody yet": replace(past, joined=Joined(MONTH, np.zeros(5))),
    }.get(what, replace(past, values=changed))
    assert suits(past) == fits
    assert np.isfinite(of_one(past)).all() == fits


def test_months_of_a_city_without_anybody_are_0_and_cities_are_those_of_names() -> None:
    rows = [("all", date(2022, 1, 1), 5.0), ("all", date(2022, 3, 1), 2.0), ("Łódź", date(2022, 3, 1), 2.0)]
    found = joined_of(pl.DataFrame(rows, ("city", "month", "value"), orient="row"))
    assert found is not None
    assert found.first == MONTH
    assert found.counts == {"all": (5.0, 0.0, 2.0), "Łódź": (0.0, 0.0, 2.0)}
    of_city = found.of_series("plays|Łódź|all")
    assert of_city is not None
    assert of_city.counts.tolist() == [0, 0, 2]
    assert found.of_series("plays|Gdynia|all") is None
    assert found.of_series("any") is None
    assert joined_of(pl.DataFrame(schema={"city": pl.String, "month": pl.Date, "value": pl.Float64})) is None
    assert found.of_series(series_name("plays", "Łódź", "all")) is not None, (
        "names as the lake's series have them"
    )
