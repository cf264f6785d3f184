"""The vectorised twin decides as plain Python does."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.bandits import plan_work
from pozytywka_spark.bandits.decide import decide, probabilities
from pozytywka_spark.bandits.policy import parse_policy
from pozytywka_spark.errors import DataError
from tests.bandits.made import ARMS, policies, softmax_document

ASKED = pl.Schema(
    {
        "user_id": pl.Int64(),
        "group": pl.String(),
        "eligible": pl.List(pl.String()),
        "days_since": pl.List(pl.Float64()),
        "key": pl.String(),
    }
)


@st.composite
def asked_rows(draw):
    """Decisions to take: any arms in any order, days by arm or none at all."""
    rows = []
    for _ in range(draw(st.integers(0, 20))):
        eligible = draw(st.none() | st.lists(st.sampled_from(ARMS), min_size=1, unique=True))
        lists = st.lists(
            st.none() | st.floats(0, 1000), min_size=len(eligible or ARMS), max_size=len(eligible or ARMS)
        )
        group = draw(st.sampled_from(["warsaw", "gdansk", None]))
        user, key = draw(st.integers(0, 2**40)), draw(st.text(max_size=3))
        rows.append((user, group, eligible, draw(st.none() | lists), key))
    return pl.DataFrame(rows, schema=ASKED, orient="row")


@pytest.mark.thorough
@settings(max_examples=50)
@given(asked_rows(), st.sampled_from(sorted(policies())), st.integers(1, 20))
def test_the_twin_decides_as_plain_python(asked, kind, cells):
    policy = policies()[kind]
    if not policy.arms:
        asked = asked.with_columns(pl.col("eligible").fill_null(pl.lit(list(ARMS))))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan_work, "CELLS_AT_ONCE", cells)
        decided = plan_work.with_decisions(policy, asked)
        weighed = plan_work.with_probabilities(policy, asked.drop("user_id", "key"))
    assert decided.select(ASKED.names()).equals(asked)
    assert weighed.get_column("probabilities").equals(decided.get_column("probabilities"))
    for row in decided.iter_rows(named=True):
        arms = row["eligible"] or list(ARMS)
        days = dict(zip(arms, row["days_since"] or [None] * len(arms), strict=True))
        known = {"group": row["group"], "eligible": row["eligible"], "days_since": days}
        plain = decide(policy, user_id=row["user_id"], key=row["key"], **known)
        assert (row["chosen"], row["stream"]) == (plain.arm, plain.stream)
        assert row["probability"] == pytest.approx(plain.probability, abs=1e-12)
        assert row["probabilities"] == pytest.approx(list(plain.probabilities.values()), abs=1e-12)
        assert plain.probabilities == probabilities(policy, **known)


@pytest.mark.parametrize(
    ("eligible", "days_since", "message"),
    [
        ([], None, "no arm is eligible"),
        (["trial", "video"], None, "doesn't know the arm 'video'"),
        (["trial", None], None, "doesn't know the arm None"),
        (["trial", "trial"], None, "eligible twice"),
        (["trial"], [1.0, 2.0], "another length"),
        (["trial"], [-0.5], "-0.5 days"),
        (["trial"], [float("nan")], "nan days"),
    ],
)
def test_what_cannot_be_decided_is_refused(eligible, days_since, message):
    asked = pl.DataFrame([(1, "warsaw", eligible, days_since, "k")], schema=ASKED, orient="row")
    with pytest.raises(DataError, match=message):
        plan_work.with_decisions(parse_policy(softmax_document()), asked)
