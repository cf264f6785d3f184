"""Whatever text is in a partition column comes back, and can be named to be replaced or read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_spark.lake import partitions
from pozytywka_spark.schemas import table

if TYPE_CHECKING:
    from lake.conftest import Bench

DDL = "k bigint, city string"
# No control characters or surrogates; what has a meaning in paths, globs and SQL is drawn often.
TEXT = st.text(
    st.one_of(
        st.sampled_from("/\\:%=#?*[]{}\"' .&;$^|<>~`+,"), st.characters(exclude_categories=["Cs", "Cc"])
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(TEXT, min_size=20, max_size=40, unique=True))
def test_any_text_is_a_partition_value(rs: Bench, values: list[str]) -> None:
    declared = table("texts", DDL, keys=["k"], partition_by=["city"])
    rows = [(number, value) for number, value in enumerate(values)]
    rs.lake.overwrite(rs.frame(rows, DDL), declared)
    rs.assert_holds("texts", rows, DDL)
    chosen = rows[::3]
    named = [{"city": value} for _, value in chosen]
    rs.assert_rows(rs.lake.read("texts", partitions=named), chosen, DDL)
    rs.lake.replace_partitions(rs.rows([], DDL), declared, named)
    rs.assert_holds("texts", [row for row in rows if row not in chosen], DDL)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (date(22, 1, 2), "0022-01-02"),
        ("x", "x"),
    ],
)
def test_values_as_the_log_holds_them(value: Any, text: str | None) -> None:
    assert partitions.render(value) == text


def test_within_takes_any_of_the_named() -> None:
    wanted = [{"month": "1", "city": None}, {"month": "2"}]
    assert partitions.within({"month": "1", "city": None}, wanted)
    assert partitions.within({"month": "2", "city": "x"}, wanted)
    assert not partitions.within({"month": "1", "city": "x"}, wanted)
    assert not partitions.within({"month": None, "city": None}, wanted)
