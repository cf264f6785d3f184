"""The one place where the scan asks for rings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pozytywka_spark.config import Settings
from pozytywka_spark.features.build.event_months import EventShards
from pozytywka_spark.fraud.rings.find import find_rings
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.lake.tasks import Tasks


def rings_of(
    tasks: Tasks, settings: Settings, shards: EventShards, months: Sequence[date]
) -> tuple[Written, ...]:
    """Files of the table `rings` of these months, which are over; nothing is committed."""
    return find_rings(tasks, settings, shards, months)
