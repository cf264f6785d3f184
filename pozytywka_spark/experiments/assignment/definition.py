"""What an experiment is: its revisions, of which the latest one holds. No Spark: tasks are given it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pozytywka_spark.experiments.assignment.allocation import Allocation

RUNNING, ENDED = "running", "ended"
HASH, IMPORT = "hash", "import"


@dataclass(frozen=True)
class Definition:
    """A revision of an experiment: what holds from the cut-off `at` on."""

    name: str
    revision: int
    at: date
    status: str
    source: str
    salt: str
    layer: str
    layer_low: int
    layer_high: int
    allocation: Allocation
    moves: bool
    settings: Mapping[str, object]

    @property
    def settings_text(self) -> str:
        """The settings as they are kept with each assignment."""
        return json.dumps(self.settings, sort_keys=True)


@dataclass(frozen=True)
class Experiment:
    """All revisions of an experiment, in order."""

    revisions: tuple[Definition, ...]

    @property
    def latest(self) -> Definition:
        """What holds now."""
        return self.revisions[-1]

    @property
    def started(self) -> date:
        """The cut-off from which purchases count."""
        return self.revisions[0].at

    @property
    def ended(self) -> date | None:
        """The cut-off at which it ended, None while it runs."""
        return self.latest.at if self.latest.status == ENDED else None
