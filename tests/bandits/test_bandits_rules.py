"""Rules of eligibility: plain Python and Polars say the same, and what both must say."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.bandits.rules import OPERATORS, eligible_arms, parse_rule, parse_rules
from pozytywka_spark.bandits.rules_frame import rule_holds, with_eligible
from pozytywka_spark.errors import DataError, UsageError

NUMBERS = st.sampled_from([float("nan"), -1.0, 0.0, 0.5, 2.0])
VALUES = {
    "plays": NUMBERS,
    "days": st.integers(-1, 2),
    "city": st.sampled_from(["", "gdansk", "warsaw", "ł"]),
    "premium": st.booleans(),
}
SCHEMA = pl.Schema({"plays": pl.Float64, "days": pl.Int32, "city": pl.String, "premium": pl.Boolean})


@st.composite
def rules(draw):
    """A rule that may stand in the settings."""
    column = draw(st.sampled_from(sorted(VALUES)))
    values = VALUES[column].filter(lambda value: value == value)
    op = draw(st.sampled_from([op for op in OPERATORS if column != "premium" or op[0] not in "lg"]))
    value = draw(st.lists(values, min_size=1, max_size=3) if op == "in" else values)
    return {"column": column, "op": op} | ({} if "known" in op else {"value": value})


USERS = st.lists(st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}))


@pytest.mark.thorough
@given(st.dictionaries(st.sampled_from("abc"), st.lists(rules(), max_size=3)), USERS)
def test_frames_and_plain_python_mean_the_same(raw, users):
    parsed = parse_rules(raw)
    frame = with_eligible(pl.DataFrame(users, schema=SCHEMA), ["a", "b", "c"], parsed)
    expected = [eligible_arms(["a", "b", "c"], parsed, user) for user in users]
    assert frame.get_column("eligible").to_list() == expected


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("eq", 2, [False, True, False, False]),
        ("ne", 2, [True, False, False, False]),
        ("lt", 2, [True, False, False, False]),
        ("le", 2, [True, True, False, False]),
        ("gt", 1, [False, True, False, False]),
        ("ge", 1, [True, True, False, False]),
        ("in", [2, 3], [False, True, False, False]),
        ("known", None, [True, True, False, False]),
        ("unknown", None, [False, False, True, True]),
    ],
)
def test_what_each_operator_means(op, value, expected):
    rule = parse_rule({"column": "plays", "op": op, "value": value}, "arm")
    plays = [1.0, 2.0, None, float("nan")]
    assert [rule.holds({"plays": each}) for each in plays] == expected
    frame = pl.DataFrame({"plays": plays})
    assert frame.select(rule_holds([rule], frame.schema)).to_series().to_list() == expected


def test_a_column_of_nulls_alone_qualifies_nobody():
    frame = pl.DataFrame({"city": [None]})
    rule = parse_rule({"column": "city", "op": "eq", "value": "warsaw"}, "arm")
    assert frame.select(rule_holds([rule], frame.schema)).item() is False


@pytest.mark.parametrize(
    ("column", "user", "message"),
    [("plays", {"city": "warsaw"}, "needs the column plays"), ("city", {"city": 3}, "expects text")],
)
def test_absent_columns_and_other_types_are_refused_alike(column, user, message):
    value = 3 if column == "plays" else "warsaw"
    rule = parse_rule({"column": column, "op": "eq", "value": value}, "arm")
    frame = pl.DataFrame([user])
    with pytest.raises(DataError, match=message):
        rule.holds(user)
    with pytest.raises(DataError, match=message):
        rule_holds([rule], frame.schema)


@pytest.mark.parametrize(
    "rule",
    [
        {"op": "eq", "value": 1},
        {"column": "plays", "op": "like", "value": 1},
        {"column": "plays", "op": "eq"},
        {"column": "plays", "op": "eq", "value": [1]},
        {"column": "plays", "op": "in", "value": 1},
        {"column": "plays", "op": "in", "value": []},
        {"column": "plays", "op": "in", "value": [1, "a"]},
        {"column": "plays", "op": "known", "value": 1},
        {"column": "premium", "op": "lt", "value": True},
        {"column": "plays", "op": "eq", "value": float("nan")},
    ],
)
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(UsageError, match="arm heavy"):
        parse_rule(rule, "heavy")
