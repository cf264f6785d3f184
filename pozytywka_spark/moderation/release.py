"""Release what is due up to a time: answers that waited aside are tried again, then a run."""

from __future__ import annotations

from datetime import datetime

from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.event_days import span_of_ingest
from pozytywka_spark.moderation import run, stage
from pozytywka_spark.months import as_micros


def release_due(settings: Settings, lake: Lake, until: datetime | None = None) -> run.RunReport:
    """Try again the answers that wait aside, then release what is due up to and with `until`.

    Without it up to the data's end; raises as `run.run`.
    """
    stage.take_answers(lake, ())
    return run.run(settings, lake, time_asked(settings, lake, until), asked=until is not None)


def time_asked(settings: Settings, lake: Lake, asked: datetime | None) -> int:
    """The time that was asked for, else the data's end, in microseconds."""
    if asked is not None:
        return as_micros(asked)
    return as_micros(span_of_ingest(settings, lake).end)
