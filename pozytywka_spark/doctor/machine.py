"""Cores, memory, disk and clock against what the settings ask for."""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from pozytywka_spark.config import Settings
from pozytywka_spark.doctor.findings import Finding, ok, trouble, warning
from pozytywka_spark.spark.session import local_cores

GIB = 1 << 30
# A Python worker with xgboost, pandas and Arrow loaded, before any data.
WORKER_BYTES = 400 << 20
# The default pipeline leaves about 0.4 GB; headline size (10 million events) about 4 GB.
DISK_TROUBLE, DISK_WARNING = 1 * GIB, 5 * GIB
CLOCK_TOLERANCE_SECONDS = 120.0
# No release of this project could run before it was written.
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": GIB, "t": 1 << 40}


def cores(settings: Settings) -> list[Finding]:
    """Slots of a local master against the machine's cores and the workers that training asks for."""
    asked = settings.training.num_workers
    if settings.env != "local":
        return [ok("cores", "the cluster's own; train plans its workers from what it is given")]
    master = settings.spark.master or "local[*]"
    slots, there = local_cores(master), os.cpu_count() or 1
    if asked is not None and slots and asked > slots:
        state = f"training.num_workers={asked}, {master} runs {slots} tasks at once"
        return [trouble("cores", state, f"training would wait for ever: set training.num_workers<={slots}")]
    if slots > there:
        return [warning("cores", f"{master} on {there} cores", f"more slots than cores: use local[{there}]")]
    return [ok("cores", f"{there}, {master}")]


def memory(settings: Settings) -> list[Finding]:
    """The driver's heap and its Python workers against the memory that is free now, or the group's limit."""
    if settings.env != "local":
        return [ok("memory", "the cluster's own")]
    heap = _bytes(settings.spark.driver_memory)
    slots = local_cores(settings.spark.master or "local[*]")
    needed = heap + slots * WORKER_BYTES
    total, free = memory_limit(), psutil.virtual_memory().available
    state = f"{total / GIB:.1f} GB, {min(free, total) / GIB:.1f} free; wanted {needed / GIB:.1f}"
    if needed > total:
        return [trouble("memory", state, "lower spark.driver_memory, or spark.master to fewer slots")]
    if needed > free:
        return [warning("memory", state, "stop something else, or lower spark.driver_memory")]
    return [ok("memory", state)]


def memory_limit(group: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Bytes that this process may use: the machine's, or less where a container's limit says so."""
    total = int(psutil.virtual_memory().total)
    try:
        stated = group.read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(stated)) if stated.isdigit() else total


def disk(settings: Settings) -> list[Finding]:
    """Room where the tables and Spark's own shuffle files go, each file system once."""
    places = {"lake.root": settings.lake.root}
    if settings.env == "local":
        places["Spark's scratch"] = str(
            settings.spark.conf.get("spark.local.dir") or os.environ.get("SPARK_LOCAL_DIRS") or "/tmp"  # noqa: S108 Spark's own default
        )
    return [_room(name, place) for name, place in places.items() if "://" not in place]


def _room(name: str, place: str) -> Finding:
    existing = Path(place).absolute()
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    state = f"{free / GIB:.1f} GB free under {place}"
    if free < DISK_TROUBLE:
        return trouble(f"disk of {name}", state, "free some, or choose another place")
    if free < DISK_WARNING:
        return warning(f"disk of {name}", state, "enough for the default, not for millions of events")
    return ok(f"disk of {name}", state)


def clock(settings: Settings, now: float | None = None) -> list[Finding]:
    """The clock against the calendar and the file system under the lake; Delta orders commits by it."""
    now = time.time() if now is None else now
    if now < EARLIEST.timestamp():
        return [trouble("clock", f"says {_said(now)}", "set the machine's clock: this software is younger")]
    newest = _newest_commit(settings.lake.root)
    if newest is not None and newest > now + CLOCK_TOLERANCE_SECONDS:
        state = f"says {_said(now)}, the lake's newest commit is of {_said(newest)}"
        return [trouble("clock", state, "set the clocks of the machines that write the lake (NTP)")]
    return [ok("clock", _said(now))]


def _newest_commit(root: str) -> float | None:
    """When any table's log last grew, by the file system's own clock; None without a local lake."""
    if "://" in root or not Path(root).is_dir():
        return None
    logs = [path.stat().st_mtime for path in Path(root).glob("*/_delta_log/*.json")]
    return max(logs, default=None)


def _said(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _bytes(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1]]
