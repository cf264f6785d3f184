"""The true probabilities: what came true agrees with them, and they are worth learning."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import gamma
from sklearn.metrics import roc_auc_score

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.events import purchase_times
from pozytywka_spark.synthetic.life import life_of
from pozytywka_spark.synthetic.people import TASTE_SHAPE
from pozytywka_spark.synthetic.truth import averaged_chance, history_of, truth_of
from tests.worlds.synthetic import SMALL, events_table, planned

WORLD = Synthetic(users=3000)
CHUNKS = 6


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    """All rows of the truth with a 30-day horizon."""
    plan = planned(WORLD)
    return pd.concat([pd.DataFrame(truth_of(plan, chunk, 30, paths=24)) for chunk in range(CHUNKS)])


@pytest.fixture(scope="module")
def rows(truth: pd.DataFrame) -> pd.DataFrame:
    """The rows that a model sees: an event in the month, and the horizon over."""
    plan = planned(WORLD)
    active = set()
    for chunk in range(CHUNKS):
        life = life_of(plan, chunk)
        active |= set(zip(life.people.user_id[life.sessions.user], life.sessions.month, strict=True))
    inside = [(user, month) in active for user, month in zip(truth.user_id, truth.month_index, strict=True)]
    return truth[inside & truth.mature]


@pytest.mark.thorough
@pytest.mark.parametrize("column", ["probability", "probability_known"])
def test_what_came_true_agrees(rows: pd.DataFrame, column: str) -> None:
    """Purchases in each tenth of the rows lie within four standard deviations of their expectation.

    The purchases are drawn by other code than the forward simulation: this is its oracle.
    """
    tenth = pd.qcut(rows[column].rank(method="first"), 10, labels=False)
    for _, group in rows.groupby(tenth):
        p = group[column].to_numpy()
        allowed = 4 * np.sqrt((p * (1 - p)).sum()) + 0.03 * p.sum()
        assert abs(group.bought.sum() - p.sum()) < allowed


@pytest.mark.parametrize(("before", "ahead"), [(0.0, 0.3), (0.7, 0.05), (3.0, 2.0)])
def test_the_taste_is_averaged_exactly(before: float, ahead: float) -> None:
    """Against the integral over Bayes' posterior of the taste."""
    prior = gamma(TASTE_SHAPE, scale=1 / TASTE_SHAPE).pdf
    survived = quad(lambda taste: prior(taste) * math.exp(-taste * before), 0, 60)[0]
    free = quad(lambda taste: prior(taste) * math.exp(-taste * (before + ahead)), 0, 60)[0]
    chance = averaged_chance(np.array([before]), np.array([ahead]))[0]
    assert chance == pytest.approx(1 - free / survived, rel=1e-6)


@pytest.mark.thorough
def test_surviving_much_tells_of_a_low_taste() -> None:
    """Where most was survived, the averaged chance is the mean of the known ones; a naive one is higher."""
    plan = planned(WORLD)
    tables = []
    for chunk in range(CHUNKS):
        life = life_of(plan, chunk)
        bought = purchase_times(plan, life)
        history = history_of(plan, life, catalogue_of(plan), plan.month_starts_ms()[1:], bought)
        table = pd.DataFrame(truth_of(plan, chunk, 30, paths=8))
        tables.append(table.assign(load=history.load, taste=life.people.taste[history.user]))
    rows = pd.concat(tables)
    much = rows[rows.load > rows.load.quantile(0.9)]
    assert much.taste.mean() < 0.85
    assert much.probability.mean() == pytest.approx(much.probability_known.mean(), rel=0.06)


@pytest.mark.thorough
def test_all_free_users_agree_too(truth: pd.DataFrame) -> None:
    """Also those who heard nothing in the month."""
    p = truth[truth.mature].probability
    assert abs(truth[truth.mature].bought.sum() - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum())


def test_there_is_something_to_learn_and_something_to_miss(rows: pd.DataFrame) -> None:
    reachable = roc_auc_score(rows.bought, rows.probability)
    known = roc_auc_score(rows.bought, rows.probability_known)
    assert 0.75 < reachable < 0.85
    assert reachable + 0.01 < known < 0.9


def test_one_row_per_free_user_and_month() -> None:
    """The rows again from the delivered events, by pandas."""
    plan, events = planned(SMALL), events_table(SMALL)
    truth = pd.DataFrame(truth_of(plan, 0, 30, paths=2))
    ends = plan.month_starts_ms()[1:]
    first = events.groupby("user_id").time.min()
    bought = events[events.kind == "BUY_PREMIUM"].groupby("user_id").time.min()
    expected = {
        (user, month)
        for month, end in enumerate(pd.to_datetime(ends, unit="ms"))
        for user in first.index[first < end].difference(bought.index[bought < end])
    }
    assert set(zip(truth.user_id, truth.month_index, strict=True)) == expected
    end = pd.to_datetime(ends[truth.month_index], unit="ms") + pd.Timedelta(days=30)
    assert (truth.bought == (truth.user_id.map(bought) < end)).all()
    assert (truth.mature == (end <= pd.Timestamp("2023-03-01"))).all()


@pytest.mark.thorough
def test_the_standard_error_is_what_repetition_shows() -> None:
    """Two independent runs differ by about √2 standard errors."""
    plan = planned(SMALL)
    one, two = (pd.DataFrame(truth_of(plan, 0, days, paths=40)) for days in (30, 31))
    same = one[
        one.month_index % 12 == 1
    ]  # after February a month of 31 days follows: both horizons lie in it
    other = two.loc[same.index]
    spread = (same.probability - other.probability) / np.hypot(
        same.probability_error, other.probability_error
    )
    assert 0.85 < spread[np.isfinite(spread)].std() < 1.15


@pytest.mark.thorough
def test_longer_horizons_are_likelier() -> None:
    plan = planned(SMALL)
    month, quarter = (pd.DataFrame(truth_of(plan, 0, days, paths=8)) for days in (30, 90))
    assert quarter.probability.mean() > 1.5 * month.probability.mean()
    p = quarter[quarter.mature].probability
    assert (
        abs(quarter[quarter.mature].bought.sum() - p.sum())
        < 4 * np.sqrt((p * (1 - p)).sum()) + 0.05 * p.sum()
    )
