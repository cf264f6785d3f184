"""The day that is asked about, beside where the data begin and end; lists that the settings name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.feed.block_list import read_ids
from pozytywka_spark.feed.inventory.collect import Wanted
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_span import DataSpan
from pozytywka_spark.lake.event_days import span_of_ingest


@dataclass(frozen=True)
class Lists:
    """Track ids that no page shows, and that somebody pays for."""

    blocked: tuple[str, ...]
    promoted: tuple[str, ...]


def lists_named(settings: Settings) -> Lists:
    """Raises `UsageError` for a file that can't be read."""
    return Lists(
        read_ids(settings.feed.block_list, "feed.block_list"),
        read_ids(settings.feed.promoted, "feed.promoted"),
    )


def wanted_of(settings: Settings) -> Wanted:
    """What the inventory is to bring."""
    chosen = settings.feed
    caps = {str(source): cap for source, cap in chosen.caps.items()}
    return Wanted(chosen.candidates, caps, repeats=chosen.repeats == "allow")


def check_day(
    settings: Settings, lake: Lake, day: date, *, days_after: int = 0, days_before: int = 0
) -> DataSpan:
    """Raise `UsageError` if the day's midnight, or so many days after it, lies past the data's end, or no
    more than so many days of data lie before it.
    """
    span = span_of_ingest(settings, lake)
    midnight = datetime.combine(day, time(), span.end.tzinfo)
    if (span.end - midnight).days < days_after or midnight > span.end:
        after = f", and the {days_after} days after it" if days_after else ""
        raise UsageError(f"--at {day}{after}: the data end at {span.end:%Y-%m-%d %H:%M}; name an earlier day")
    if midnight - timedelta(days=days_before) <= span.start:
        before = f", and the {days_before} days before it" if days_before else ""
        raise UsageError(
            f"--at {day}{before}: the data begin at {span.start:%Y-%m-%d %H:%M}; name a later day"
        )
    return span


def check_plays(plays: int, day: date) -> None:
    """Raise `DataError` where nobody has played anything."""
    if not plays:
        raise DataError(f"no play before {day}: there is nothing to make a feed of")
