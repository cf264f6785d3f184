"""Settings of a running session that hold for a block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import SparkSession

_INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


@contextmanager
def conf_within(spark: SparkSession, conf: Mapping[str, str]) -> Iterator[None]:
    """Spark's `conf` settings inside; what was set before, or nothing, again afterwards."""
    before = {key: spark.conf.get(key, None) for key in conf}
    for key, value in conf.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, old in before.items():
            if old is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, old)


@contextmanager
def interpreted(spark: SparkSession) -> Iterator[None]:
    """Plans that run inside are interpreted: for few rows, generating and compiling classes is all cost.

    A session's first job of kernels takes 2.4 s of CPU so, and 3.1 s with classes.
    """
    with conf_within(spark, _INTERPRETED):
        yield
