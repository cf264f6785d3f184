"""A small store behind an endpoint, and a small lake with a spine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pyspark.sql import SparkSession

from pozytywka_spark.featurestore.stores import Store
from tests.featurestore.histories import edges
from tests.featurestore.made_datasets import MONTHS, asked, small_lake, spine_at
from tests.featurestore.made_endpoint import Models, endpoint, linear, small_store
from tests.featurestore.small_lake import SmallLake


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with small_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def models() -> Models:
    return Models(linear())


@pytest.fixture
def http(store: Store, models: Models, tmp_path: Path) -> Iterator[TestClient]:
    with endpoint(store, models, tmp_path / "served") as (client, _):
        yield client


@pytest.fixture
def small(spark: SparkSession, tmp_path: Path) -> SmallLake:
    """Three users of two months, and a spine."""
    small = small_lake(spark, tmp_path)
    small.put_features({each: range(3) for each in MONTHS[:2]})
    rows = asked([(user, as_of) for as_of in edges(MONTHS[:2], 62) for user in range(4)])
    spine_at(tmp_path / "spine.parquet", rows)
    return small
