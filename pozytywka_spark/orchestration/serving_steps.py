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


def materialize_month(work: Month) -> Result:
    """Views whose tables changed; nothing where the store's packages aren't installed."""
    loaded = materialize_if_installed(work.settings, work.lake)
    return Result(NOT_INSTALLED, SKIPPED) if loaded is None else Result(in_words(loaded))


def materialize_if_installed(settings: Settings, lake: Lake) -> list[Loaded] | None:
    """What became of each view; None where the store's packages aren't installed."""
    try:
        require("featurestore")
    except UsageError:
        return None
    return materialize(settings, lake)


def in_words(loaded: Sequence[Loaded]) -> str:
    """One line of it."""
    if not any(each.state == LOADED for each in loaded):
        return "nothing new"
    written, deleted = (sum(getattr(each, name) for each in loaded) for name in ("written", "deleted"))
    return f"{written:,} keys written, {deleted:,} deleted"
