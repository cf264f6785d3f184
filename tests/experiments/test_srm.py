"""Sample ratios: quiet when right, loud on a shift of two points, in words that name it."""

from __future__ import annotations

import numpy as np
import pytest

from pozytywka_spark.config import Experiments
from pozytywka_spark.errors import GuardError
from pozytywka_spark.experiments.analysis.srm import check, ratio

USERS, DRAWS, LEVEL = 20_000, 2000, Experiments().srm_alpha


def alarms(share: float, meant: float) -> float:
    """The share of draws that raise one; many draws give the same number of users."""
    treated, times = np.unique(np.random.default_rng(4).binomial(USERS, share, DRAWS), return_counts=True)
    shares = {"treatment": meant, "control": 1 - meant}
    raised = [
        ratio(1, {"treatment": int(n), "control": USERS - int(n)}, shares).p_value < LEVEL for n in treated
    ]
    return float(times[raised].sum() / DRAWS)


@pytest.mark.thorough
@pytest.mark.parametrize("meant", [0.5, 0.2, 0.05])
def test_it_is_quiet_when_ratios_are_right_and_sees_two_points(meant: float) -> None:
    assert alarms(meant, meant) <= 0.01
    assert alarms(meant + 0.02, meant) >= 0.95
    assert alarms(meant - 0.02, meant) >= 0.95


def test_the_reading_stops_with_the_group_that_is_most_out_of_proportion() -> None:
    fine = ratio(
        1, {"fewer": 2010, "more": 990, "control": 7000}, {"fewer": 0.2, "more": 0.1, "control": 0.7}
    )
    check([fine], LEVEL)
    off = ratio(
        2, {"fewer": 2000, "more": 1300, "control": 6700}, {"fewer": 0.2, "more": 0.1, "control": 0.7}
    )
    with pytest.raises(
        GuardError,
        match=r"sample ratio mismatch.*more has 1,300 of 10,000 users, 13\.00% where 10\.00% were meant "
        r"\(\+3\.00 points, p = .*revision 2\)",
    ):
        check([fine, off], LEVEL)


def test_a_group_that_lost_everyone_is_a_mismatch_and_nobody_at_all_is_none() -> None:
    assert ratio(1, {"control": 500}, {"treatment": 0.5, "control": 0.5}).p_value < 1e-6
    assert ratio(1, {}, {"treatment": 0.5, "control": 0.5}).p_value == 1.0
