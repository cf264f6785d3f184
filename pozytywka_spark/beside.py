"""Spark jobs beside each other: of a job on few rows most is planning, which takes one core."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

Given = TypeVar("Given")
Made = TypeVar("Made")


def beside(
    spark: SparkSession, work: Callable[[Given], Made], each: Iterable[Given], *, threads: int = 2
) -> list[Made]:
    """What `work` makes of each, in order, `threads` at a time.

    Raises what the first of them raised, when all have ended.
    """
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(inheritable_thread_target(spark)(work), each))
