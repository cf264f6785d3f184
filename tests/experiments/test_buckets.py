"""Buckets: the same everywhere, even, and independent from one experiment to another."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from chispa import assert_df_equality
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F
from scipy.stats import chi2_contingency, chisquare

from pozytywka_spark.experiments.assignment.hashing import BUCKETS, bucket_of, buckets, layer_scope

# Published: whoever assigns elsewhere must get these. They never change.
VECTORS = [
    ("pozytywka", "adverts", 101, 347),
    ("pozytywka", "adverts", 102, 269),
    ("pozytywka", layer_scope("prices"), 101, 8608),
    ("other", "adverts", 101, 58),
    ("pozytywka", "adverts", -7, 2162),
    ("pozytywka", "adverts", 2**63 - 1, 5348),
]
LONGS = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(("salt", "scope", "user", "expected"), VECTORS)
def test_vectors_in_plain_python(salt: str, scope: str, user: int, expected: int) -> None:
    assert bucket_of(salt, scope, user) == expected
    assert buckets(salt, scope, pl.Series([user, None, user])).to_list() == [expected, None, expected]


def in_sql(salt: str, scope: str) -> Column:
    """As the module's documentation has it for any engine."""
    return F.expr(
        f"cast(cast(conv(substring(sha2('{salt}/{scope}/' || who, 256), 1, 15), 16, 10) as bigint)"
        " % 10000 as int)"
    )


def test_vectors_in_sql(spark: SparkSession) -> None:
    rows = spark.createDataFrame(VECTORS, "salt string, scope string, who bigint, expected int")
    sql = F.expr(
        "cast(cast(conv(substring(sha2(salt || '/' || scope || '/' || who, 256), 1, 15), 16, 10) as bigint)"
        " % 10000 as int)"
    )
    assert_df_equality(rows.select("salt", "scope", "who", sql.alias("expected")), rows, ignore_nullable=True)


@settings(max_examples=3, deadline=None)
@given(st.lists(LONGS, min_size=50, max_size=200), st.text("abcxyz0123-_.", min_size=1, max_size=12))
def test_sql_equals_python(spark: SparkSession, users: list[int], scope: str) -> None:
    rows = spark.createDataFrame([(user,) for user in [*users, None]], "who bigint")
    found = [row["b"] for row in rows.select(in_sql("s", scope).alias("b")).collect()]
    assert found == [*(bucket_of("s", scope, user) for user in users), None]


@given(st.lists(st.none() | LONGS), st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_many_at_once_are_each_by_itself(users: list[int | None], salt: str, scope: str) -> None:
    found = buckets(salt, scope, pl.Series(users, dtype=pl.Int64))
    assert found.dtype == pl.Int32
    assert found.to_list() == [None if user is None else bucket_of(salt, scope, user) for user in users]


@pytest.mark.thorough
def test_many_users_are_spread_evenly_and_independently_of_another_experiment() -> None:
    """Buckets of one experiment, and its tenths against another's and against a layer's."""
    users = range(101, 300_101)  # thirty a bucket
    scopes = ("adverts", "prices", layer_scope("prices"))
    placed = [buckets("pozytywka", scope, pl.Series(users)).to_numpy() for scope in scopes]
    for found in placed:
        assert chisquare(np.bincount(found, minlength=BUCKETS)).pvalue > 0.001
    for one, two in combinations([found // 1000 for found in placed], 2):
        table = np.bincount(one * 10 + two, minlength=100).reshape(10, 10)
        assert chi2_contingency(table).pvalue > 0.001
