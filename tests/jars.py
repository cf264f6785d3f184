"""The jars that scripts/jars.sh brings: tests on them run where they are, and must run where CI says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pozytywka_spark.spark.delta_jars import DELTA, DELTA_ON_ONE_MACHINE, jars_folder

FOLDER = jars_folder()
REQUIRED = "TEST_JARS"  # =required in .ci/run: a lane that was skipped proves nothing


def jars(*groups: str) -> list[Path]:
    """The jars of groups in scripts/jars.txt; none unless every group is there."""
    found = [sorted((FOLDER / group).glob("*.jar")) for group in groups]
    return [jar for group in found for jar in group] if all(found) else []


def needed(*groups: str) -> list[Path]:
    """`jars`; without them the test that asks is skipped, or fails where they are required."""
    found = jars(*groups)
    if not found:
        told = f"no jars of {' and '.join(groups)}: run scripts/jars.sh {' '.join(groups)}"
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(told)
        pytest.skip(told)
    return found


def delta_overrides(*further_groups: str) -> list[str]:
    """Settings of a session that has Delta's classes, whatever its lake's engine; none without the jars.

    Through spark.jars, not the class path: Java's archive of Spark's classes serves one class path only.
    """
    found = jars("delta", *further_groups)
    if not found:
        return []
    return [
        f"spark.conf.spark.jars={','.join(map(str, found))}",
        *(f"spark.conf.{key}={value}" for key, value in {**DELTA, **DELTA_ON_ONE_MACHINE}.items()),
    ]
