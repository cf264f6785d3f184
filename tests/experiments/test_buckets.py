"""Buckets: the same everywhere, even, and independent from one experiment to another."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from chispa import assert_df_equality
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from scipy.stats import chi2_contingency, chisquare

from pozytywka_spark.experiments.assignment.hashing import BUCKETS, bucket, bucket_of, layer_scope

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


def test_vectors_in_spark_and_in_its_sql(spark: SparkSession) -> None:
    rows = spark.createDataFrame(VECTORS, "salt string, scope string, who bigint, expected int")
    columns = [
        F.when((F.col("salt") == salt) & (F.col("scope") == scope), bucket(salt, scope, F.col("who")))
        for salt, scope in {(salt, scope) for salt, scope, _, _ in VECTORS}
    ]
    sql = F.expr(
        "cast(cast(conv(substring(sha2(salt || '/' || scope || '/' || who, 256), 1, 15), 16, 10) as bigint)"
        " % 10000 as int)"
    )
    found = rows.select("salt", "scope", "who", F.coalesce(*columns).alias("expected"))
    assert_df_equality(found, rows, ignore_nullable=True)
    assert_df_equality(rows.select("salt", "scope", "who", sql.alias("expected")), rows, ignore_nullable=True)


@settings(max_examples=3, deadline=None)
@given(st.lists(LONGS, min_size=50, max_size=200), st.text("abcxyz0123-_.", min_size=1, max_size=12))
def test_spark_equals_python(spark: SparkSession, users: list[int], scope: str) -> None:
    rows = spark.createDataFrame([(user,) for user in [*users, None]], "who bigint")
    found = [row["b"] for row in rows.select(bucket("s", scope, F.col("who")).alias("b")).collect()]
    assert found == [*(bucket_of("s", scope, user) for user in users), None]


def test_a_million_users_are_spread_evenly_and_independently_of_another_experiment() -> None:
    """Buckets of one experiment, and its tenths against another's and against a layer's."""
    users = range(101, 1_000_101)
    scopes = ("adverts", "prices", layer_scope("prices"))
    buckets = [
        np.fromiter((bucket_of("pozytywka", s, u) for u in users), np.int64, len(users)) for s in scopes
    ]
    for found in buckets:
        assert chisquare(np.bincount(found, minlength=BUCKETS)).pvalue > 0.001
    for one, two in combinations([found // 1000 for found in buckets], 2):
        table = np.bincount(one * 10 + two, minlength=100).reshape(10, 10)
        assert chi2_contingency(table).pvalue > 0.001
