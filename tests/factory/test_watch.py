"""People err: fresh and audited cases that the first verdict speaks against are looked at again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.factory.decide_work import Decider, Ruling
from pozytywka_spark.factory.labelled import LOOKS as SECOND
from pozytywka_spark.factory.labelled import as_rows
from pozytywka_spark.factory.proof.audits import withdrawn_after_looks
from pozytywka_spark.factory.proof.cases import BAD, NOT_LOOKED, OK, REFUSE, UNSURE
from pozytywka_spark.factory.proof.fresh import is_proven
from pozytywka_spark.factory.proof.noise import NOBODY_ERRS, Noise
from pozytywka_spark.factory.table_watch_work import CompareTable
from pozytywka_spark.factory.tally import Against, Tally, tally
from pozytywka_spark.factory.watch import against, judged_fresh

LIMIT, ALPHA, ERRING = 0.01, 0.05, Noise(0.02, 0.01)
SIDES, LOOKS, CASES = 2000, 50, 100  # each time that promote is asked there are so many fresh cases more


@cache
def of_people(runs: int, cases: int, wrong: float, errors: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which decisions the first verdict is against, and which of these the majority of three."""
    rng = np.random.default_rng(seed)
    truly = rng.random((runs, cases), np.float32) < wrong
    errs = rng.random((3, runs, cases), np.float32) < errors
    first = truly ^ errs[0]
    return first, first & ((truly ^ errs).sum(axis=0) >= 2)


def at_looks(
    first: np.ndarray, upheld: np.ndarray, answered: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Of each side and look how many count as wrong: what is upheld, and what waits.

    `answered`: of the looks at which cases are new the ones from which on people have looked again.
    """
    change = np.zeros((len(first), LOOKS + 1))
    side, case = np.nonzero(first)
    new = case // CASES
    np.add.at(change, (side, new), 1)
    back = ~upheld[side, case]
    np.subtract.at(change, (side[back], np.clip(answered(new), new, LOOKS)[back]), 1)
    return change.cumsum(axis=1)[:, :LOOKS]


def ever_live(counted: np.ndarray, tested: np.ndarray, noise: Noise) -> np.ndarray:
    """Of each side whether one of the looks takes it live; `counted` as wrong of so many `tested`."""
    limit = noise.visible(LIMIT, 0.0)
    most = [max((k for k in range(90) if is_proven(k, int(n), limit, ALPHA)), default=-1) for n in tested]
    return (counted <= np.array(most)).any(axis=1)


TESTED = CASES * np.arange(1, LOOKS + 1)
ORDERS = {
    "one look later": lambda new: new + 1,
    "whenever": lambda new: new + np.random.default_rng(2).integers(0, 20, new.shape),
    "those that agree with the model at once, others never": lambda new: new,
}


@pytest.mark.parametrize("order", ORDERS)
def test_of_sides_at_the_limit_5_percent_go_live_at_most_although_people_err(order: str) -> None:
    first, upheld = of_people(SIDES, CASES * LOOKS, LIMIT, 0.02, 1)
    ever = ever_live(at_looks(first, upheld, ORDERS[order]), TESTED, ERRING).mean()
    # of sides that are promoted at 5%, a simulation of so many shows more than this once in a thousand
    assert ever <= stats.binom.ppf(0.999, SIDES, ALPHA) / SIDES
    if order == "one look later":
        assert ever >= 0.005  # and the test isn't idle


@pytest.mark.parametrize(("errors", "noise"), [(0.0, NOBODY_ERRS), (0.02, ERRING)])
def test_good_sides_go_live_although_people_err(errors: float, noise: Noise) -> None:
    first, upheld = of_people(1000, CASES * LOOKS, 0.002, errors, 3)
    counted = at_looks(first, upheld, ORDERS["one look later"])
    by = [ever_live(counted[:, :looks], TESTED[:looks], noise).mean() for looks in (13, 20, 30)]
    assert by[1] >= (0.8 if errors else 0.95)  # at 2,000 fresh accounts
    assert by[2] >= 0.95  # at 3,000
    if errors:  # by first verdicts none ever would
        assert ever_live(first.cumsum(axis=1)[:, TESTED - 1], TESTED, NOBODY_ERRS).mean() < 0.01


def test_promote_counts_what_waits_as_wrong_and_what_errors_hide() -> None:
    settings = load_settings("local", [])
    for waiting, proven in ((0, True), (6, False)):
        found = judged_fresh(settings, Tally(600, 0, 1.0, None, 0, waiting))
        assert (found.proven, found.waiting, found.low >= 0.99) == (proven, waiting, proven)
    assert judged_fresh(settings, Tally(353, 0, 1.0, None, 0)).proven
    hidden = judged_fresh(settings, Tally(353, 0, 1.0, None, 0), ERRING)
    assert (hidden.proven, hidden.needed) == (False, 360)
    for right, proven in ((359, False), (360, True)):
        found = judged_fresh(settings, Tally(right, 0, 1.0, None, 0), ERRING)
        assert (found.proven, found.low >= 0.99) == (proven, proven)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("errors", "noise"), [(0.0, NOBODY_ERRS), (0.02, NOBODY_ERRS), (0.02, ERRING), (0.05, Noise(0.05))]
)
def test_audits_hardly_ever_withdraw_a_good_side_although_people_err(errors: float, noise: Noise) -> None:
    first, upheld = of_people(600, 3000, LIMIT, errors, 4)
    withdrawn = 0
    for said, wrong in zip(first.tolist(), upheld.tolist(), strict=True):
        told = (Against(wrong[:n], [False] * n, said[:n], [*range(n)]) for n in (1000, 3000))
        withdrawn += any(tally(each, LIMIT, 0, noise).withdrawn is not None for each in told)
    assert withdrawn <= 6


@pytest.mark.parametrize(("errors", "noise"), [(0.0, NOBODY_ERRS), (0.02, ERRING)])
def test_audits_withdraw_what_fell_although_people_err(errors: float, noise: Noise) -> None:
    first, upheld = of_people(4000, 300, 0.05, errors, 5)
    withdrawn = [withdrawn_after_looks(*each, LIMIT, noise) for each in zip(upheld, first, strict=True)]
    assert np.mean([place is not None for place in withdrawn]) >= 0.9


def test_first_verdicts_withdraw_a_side_that_fell_far_though_nobody_looks_again() -> None:
    nobody = np.zeros(3000, np.bool_)
    first, _ = of_people(1000, 40, 0.5, 0.02, 6)
    assert np.mean([withdrawn_after_looks(nobody[:40], each, LIMIT) is not None for each in first]) >= 0.95
    first, _ = of_people(1000, 3000, LIMIT, 0.1, 7)
    assert sum(withdrawn_after_looks(nobody, each, LIMIT) is not None for each in first) <= 3


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_while_cases_wait_no_side_is_withdrawn_that_stays_in_the_end(cases: list[tuple[bool, bool]]) -> None:
    upheld, waits = ([each[place] for each in cases] for place in (0, 1))
    first = [False] * len(cases)
    meanwhile = withdrawn_after_looks(
        [wrong and not wait for wrong, wait in zip(upheld, waits, strict=True)], first, LIMIT
    )
    in_the_end = withdrawn_after_looks(upheld, first, LIMIT)
    assert meanwhile is None or (in_the_end is not None and in_the_end <= meanwhile)


def of_table(has_looks: bool, rows: list[tuple[str, str, str | None, str | None]]) -> Tally:
    """What a table says of a side that refuses all."""
    table = pl.DataFrame(rows, schema=["case_id", "verdict", *SECOND], orient="row").with_columns(
        group=pl.lit("x"), user_id=pl.int_range(pl.len()), cut_off=pl.lit("2024-01-01"), pace=pl.lit(1.0)
    )
    made, features = as_rows(table if has_looks else table.drop(SECOND), "t.csv", "", needs_verdict=True)
    assert features == ["pace"]
    nobody = Decider("b", (), 0)
    work = CompareTable(REFUSE, nobody, (), Ruling((), 0.1, ""), 0, 0, False, has_looks, LIMIT)
    return work._tally([made])


def test_tables_may_have_second_looks() -> None:
    rows = [
        ("right", "bad", None, None),
        ("waits", "ok", None, None),
        ("waits for one", "ok", "bad", None),
        ("overturned", "ok", "bad", "bad"),
        ("upheld", "ok", "bad", "ok"),
        ("no majority", "ok", "unsure", "bad"),
        ("agreed, wrongly", "bad", "ok", "ok"),
    ]
    told = of_table(True, rows)
    assert (told.tested, told.wrong, told.waiting, told.overturned) == (7, 3, 2, 1 / 7)
    told = of_table(False, rows)
    assert (told.tested, told.wrong, told.waiting, told.overturned) == (7, 5, 0, 0.0)
    with pytest.raises(DataError, match="third_verdict 'good' of case right: expected bad"):
        of_table(True, [("right", "bad", "ok", "good")])


CASE = {
    "case_id": pl.String, "decided_at": pl.Int64, "verdict": pl.Int64, "looked": pl.Int64,
    "delayed": pl.Int64, "asked_at": pl.Int64,
}  # fmt: skip
JUDGED = [
    # each: wrong, waits, the first verdict against it, of a side that refuses
    (("right", 1, BAD, NOT_LOOKED, BAD, None), (False, False, False)),
    (("waits", 2, OK, NOT_LOOKED, OK, None), (False, True, True)),
    (("asked", 3, OK, NOT_LOOKED, OK, 9), (False, True, True)),
    (("unsure", 4, UNSURE, NOT_LOOKED, UNSURE, None), (False, True, True)),
    (("unsure, then bad", 5, BAD, NOT_LOOKED, BAD, 9), (False, True, False)),
    (("upheld", 6, OK, OK, OK, 9), (True, False, True)),
    (("overturned", 7, OK, BAD, OK, 9), (False, False, True)),
    (("no majority", 8, OK, UNSURE, OK, 9), (True, False, True)),
    (("agreed, wrongly", 9, BAD, OK, BAD, 9), (True, False, False)),
    (("silence", 10, OK, NOT_LOOKED, None, None), (True, False, True)),
    (("cleared", 11, OK, NOT_LOOKED, BAD, None), (True, False, True)),
    (("last", 12, OK, NOT_LOOKED, OK, None), (False, True, True)),
]


@pytest.mark.parametrize(
    ("most", "ask"),
    [(9, ["waits", "unsure", "last"]), (4, ["waits", "unsure"]), (2, ["waits"]), (0, [])],
)
def test_who_is_asked_again(most: int, ask: list[str]) -> None:
    rows = pl.DataFrame([row for row, _ in JUDGED], schema=CASE, orient="row")
    told, again = against(rows, BAD, most)
    assert again == ask
    assert told.at == [*range(1, 13)]
    flags = [*zip(told.wrong, told.waits, told.at_first, strict=True)]
    if most:
        assert flags == [expected for _, expected in JUDGED]
    else:  # nobody is ever asked: verdicts count as they are
        assert [wrong for wrong, _, _ in flags] == [
            any(expected[:2]) and row[0] != "unsure, then bad" for row, expected in JUDGED
        ]
        assert not any(told.waits)
