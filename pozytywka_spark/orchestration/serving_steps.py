"""The last step of a month: what changed in the lake goes into the online store."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError, require
from pozytywka_spark.featurestore.load import LOADED, Loaded
from pozytywka_spark.featurestore.stage import materialize
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.orchestration.month_steps import Month, Result
from pozytywka_spark.orchestration.state import SKIPPED

NOT_INSTALLED = "the extra featurestore isn't installed"
NOWHERE = "a cluster's tasks share no folder; featurestore.address=redis://host:port/db turns it on"


def materialize_month(work: Month) -> Result:
    """Views whose tables changed; nothing where there is no store to write to."""
    loaded = materialize_if_possible(work.settings, work.lake)
    return Result(loaded, SKIPPED) if isinstance(loaded, str) else Result(in_words(loaded))


def materialize_if_possible(settings: Settings, lake: Lake) -> list[Loaded] | str:
    """What became of each view; or why there is no store: its packages aren't installed, or no address is
    set and tasks run on other machines than the folder that is taken then."""
    try:
        require("featurestore")
    except UsageError:
        return NOT_INSTALLED
    if settings.featurestore.address is None:
        with lake.tasks() as tasks:
            if not tasks.here:
                return NOWHERE
    return materialize(settings, lake)


def in_words(loaded: Sequence[Loaded] | str) -> str:
    """One line of it."""
    if isinstance(loaded, str):
        return loaded
    if not any(each.state == LOADED for each in loaded):
        return "nothing new"
    written, deleted = (sum(getattr(each, name) for each in loaded) for name in ("written", "deleted"))
    return f"{written:,} keys written, {deleted:,} deleted"
