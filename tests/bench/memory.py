"""How much memory processes had, in GB: the largest resident size of each, as Linux keeps it, or what several
had at one instant, pages that they share counted once."""

from __future__ import annotations

import contextlib
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pyspark.sql import SparkSession  # whoever measures a process without Spark doesn't load it


def peak_of(pid: int) -> float:
    """Of a process that still runs."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1e6 if found else 0.0


def together(pid: int) -> float:
    """Of a process and all that it started, now: their proportional set sizes, summed."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_proportional(process.pid) for process in family)


def most_together(process: subprocess.Popen[str], every: float = 0.5) -> float:
    """The most that a process and all that it started had at one instant, looked at until it ends."""
    most = 0.0
    while process.poll() is None:
        most = max(most, together(process.pid))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(every)
    return most


def _proportional(pid: int) -> float:
    """0 for a process that ended meanwhile."""
    with contextlib.suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found[1]) / 1e6 if found else 0.0
    return 0.0


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


def processor_seconds(spark: SparkSession) -> float:
    """Of this process, the session's JVM and its workers, so far."""
    jvm = psutil.Process(int(spark._jvm.java.lang.ProcessHandle.current().pid()))
    family = [psutil.Process(), jvm, *jvm.children(recursive=True)]
    return sum(sum(process.cpu_times()[:4]) for process in family)
