"""A share of the answers in files, for `verify --served` to hold against the lake.

A line an answer, JSON: `answer_id`, `served_at` (microseconds since 1970 UTC), `service`, and under `views`
of each view `as_of`, `names`, and side by side `keys`, `status`, `known_at`, `version`, `values` (a list a
key, null where null). Whole lines only count: a process that is killed may leave half of one.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any

import numpy as np

from pozytywka_spark.config import Settings
from pozytywka_spark.featurestore.client import Answer
from pozytywka_spark.hashing.dice import FACES, mix
from pozytywka_spark.hashing.fingerprints import fingerprint_of

SUFFIX = ".jsonl"
_WAITING = 1000  # answers that may wait to be written; more are dropped, for requests come first
Line = dict[str, Any]


def log_folder(settings: Settings) -> Path:
    """Where the files lie: `<home>/served`."""
    return Path(settings.home) / "served"


def wall_micros() -> int:
    """The machine's time in microseconds since 1970."""
    return time.time_ns() // 1000


class AnswerLog:
    """Writes on a thread of its own. Dice say which answers, from the process's start and their number."""

    def __init__(
        self,
        folder: Path,
        share: float,
        *,
        clock: Callable[[], int] = wall_micros,
        drawn: Callable[[], None] = lambda: None,
        dropped: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder, self._share, self._clock = folder, share, clock
        self._drawn, self._dropped = drawn, dropped
        started = clock()
        self._name = f"{fingerprint_of([socket.gethostname(), os.getpid(), started])[:12]}"
        self._dice = np.uint64(int(self._name, 16))
        self._number = 0
        self._waiting: Queue[tuple[str, int, str, Sequence[str], Mapping[str, Answer]]] = Queue(_WAITING)
        self._over = Event()
        self._thread = Thread(target=self._write, name="answer log", daemon=True)
        if share > 0:
            folder.mkdir(parents=True, exist_ok=True)
            self._thread.start()

    def offer(self, service: str, keys: Sequence[str], by_view: Mapping[str, Answer]) -> None:
        """Log the answer if the dice say so; never waits."""
        if self._share <= 0:
            return
        self._number += 1
        number = self._number
        thrown = int(mix(np.array([self._dice ^ np.uint64(number)], np.uint64))[0])
        if thrown >= self._share * FACES:
            return
        self._drawn()
        try:
            self._waiting.put_nowait((f"{self._name}-{number}", self._clock(), service, keys, by_view))
        except Full:
            self._dropped()

    def close(self) -> None:
        """Write what waits."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _write(self) -> None:
        while True:
            try:
                answer = self._waiting.get(timeout=0.2)
            except Empty:
                if self._over.is_set():
                    return
                continue
            try:
                self._append(*answer)
            except OSError:  # a full disk must not stop the endpoint
                self._dropped()

    def _append(
        self, answer_id: str, served_at: int, service: str, keys: Sequence[str], by_view: Mapping[str, Answer]
    ) -> None:
        day = datetime.fromtimestamp(served_at / 1e6, UTC).date()
        line = {
            "answer_id": answer_id,
            "served_at": served_at,
            "service": service,
            "views": {view: _plain(keys, answer) for view, answer in by_view.items()},
        }
        with (self._folder / f"{day}-{self._name}{SUFFIX}").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def answers_in(file: Path) -> Iterator[Line]:
    """The answers of a file, but for a last line that isn't whole."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def _plain(keys: Sequence[str], answer: Answer) -> dict[str, Any]:
    values: list[list[float | None]] = answer.values.tolist()
    for row, place in np.argwhere(answer.nulls).tolist():
        values[row][place] = None
    return {
        "as_of": answer.as_of,
        "names": answer.names,
        "keys": list(keys),
        "status": answer.status.tolist(),
        "known_at": answer.known_at.tolist(),
        "version": answer.version.tolist(),
        "values": values,
    }
