"""Texts of a month's delivery: read as soon as they are in, where a service delivers any."""

from __future__ import annotations

from dataclasses import replace

from pozytywka_spark.errors import UsageError, require
from pozytywka_spark.orchestration.month_steps import Month, Result, ingest_month
from pozytywka_spark.schemas import FEEDBACK


def take_in_month(work: Month) -> Result:
    """Ingest; then, in a lake with texts, learn from their labels and score them, before features are built.

    A lake without texts has the same steps and records as ever.
    """
    taken = ingest_month(work)
    if not work.lake.exists(FEEDBACK.name):
        return taken
    return replace(taken, detail=f"{taken.detail}; {_read(work)}")


def _read(work: Month) -> str:
    try:
        require("topics")
    except UsageError as error:
        return f"texts aren't read: {error}"
    from pozytywka_spark.feedback.champion import champion_version, connected  # its libraries take seconds
    from pozytywka_spark.feedback.score import score
    from pozytywka_spark.feedback.train import TooFewLabelsError, train

    said = ""
    try:
        trained = train(work.spark, work.settings, work.lake)
        said = "" if trained.unchanged else f"model {trained.champion} of texts: {trained.why}; "
    except TooFewLabelsError as error:
        if champion_version(connected(work.settings)) is None:
            return f"texts aren't read: {error}"
    scored = score(work.settings, work.lake)
    return f"{said}{'no new text' if scored.unchanged else f'{scored.texts:,} texts scored'}"
