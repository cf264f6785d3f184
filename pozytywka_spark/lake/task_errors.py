"""Errors of tasks at the driver: our own as they were, a dead worker by what it was working on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from pyspark.sql import SparkSession

from pozytywka_spark import errors
from pozytywka_spark.errors import LakeError, PozytywkaError
from pozytywka_spark.lake.row_checks import SPARK_ERRORS

Item = TypeVar("Item")
_MARK = "[pozytywka task] "
_FAILED_TASK = re.compile(r"Task (\d+) in stage [\d.]+ failed")
_DIED = (
    "Python worker exited unexpectedly",
    "ExecutorLostFailure",
    "Could not communicate with Python worker",
)
_NAMED = 3  # items of a task, in a message


def marked(error: PozytywkaError) -> Exception:
    """An exception that carries one of our errors through Spark."""
    kind_known = next(kind for kind in type(error).__mro__ if hasattr(errors, kind.__name__))
    return RuntimeError(_MARK + json.dumps([kind_known.__name__, str(error)]))


@contextmanager
def as_our_error(
    spark: SparkSession, tasks: Sequence[Sequence[Item]], named: Callable[[Item], str]
) -> Iterator[None]:
    """Turn the failure of a job back into the error that a task raised, or into what a dead worker held."""
    try:
        yield
    except SPARK_ERRORS as error:
        text = str(error)
        own = _own(text)
        if own is not None:
            raise own from None  # Spark's own text is the same once more, and pages of Java
        if any(sign in text for sign in _DIED):
            raise LakeError(_of_the_dead(text, tasks, named, _local(spark))) from error
        raise


def _own(text: str) -> PozytywkaError | None:
    start = text.find(_MARK)
    if start < 0:
        return None
    try:
        name, message = json.JSONDecoder().raw_decode(text, start + len(_MARK))[0]
    except ValueError:  # cut short on its way
        return None
    kind: type[PozytywkaError] = getattr(errors, name)
    return kind(message)


def _of_the_dead(
    text: str, tasks: Sequence[Sequence[Item]], named: Callable[[Item], str], local: bool
) -> str:
    match = _FAILED_TASK.search(text)
    items = list(map(named, tasks[int(match[1])])) if match else []
    what = ", ".join(items[:_NAMED]) + (f" and {len(items) - _NAMED} more" if len(items) > _NAMED else "")
    remedy = (
        "run fewer tasks at once (spark.master=local[1]), or on a machine with more memory"
        if local
        else "give workers more memory (spark.executor.memoryOverhead), or run fewer at once "
        "(spark.task.cpus), both under spark.conf"
    )
    return (
        f"a task's worker died, likely for want of memory, while it held {what or 'unknown items'}; {remedy}"
    )


def _local(spark: SparkSession) -> bool:
    return str(spark.conf.get("spark.master", "")).startswith("local")
