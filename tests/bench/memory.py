"""How much memory processes ever had, in GB: their largest resident sizes, as Linux keeps them."""

from __future__ import annotations

import re
from pathlib import Path

import psutil
from pyspark.sql import SparkSession


def peak_of(pid: int) -> float:
    """Of a process that still runs."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1e6 if found else 0.0


def jvm_peak(spark: SparkSession) -> float:
    """Of the session's JVM."""
    return peak_of(_jvm(spark))


def workers_peak(spark: SparkSession) -> float:
    """Of the Python processes that the JVM started and that are still there, summed."""
    return sum(peak_of(worker.pid) for worker in psutil.Process(_jvm(spark)).children(recursive=True))


def largest_worker(spark: SparkSession) -> float:
    """Of the largest of these processes."""
    found = psutil.Process(_jvm(spark)).children(recursive=True)
    return max((peak_of(worker.pid) for worker in found), default=0.0)


def _jvm(spark: SparkSession) -> int:
    return int(spark._jvm.java.lang.ProcessHandle.current().pid())
