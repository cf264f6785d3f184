"""From a folder to a Pozytywka: the settings of its lake, laid over by the caller's own."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.lake.recorded import recorded_settings
from pozytywka_spark.lake.storage.paths import absolute
from pozytywka_spark.library.pozytywka import Pozytywka

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def open(
    place: str | PathLike[str] | None = None,
    *,
    overrides: Sequence[str] = (),
    settings: Settings | None = None,
    spark: SparkSession | None = None,
) -> Pozytywka:
    """The Pozytywka at `place`, a home folder or its lake, with the settings that its tables were made with.

    `overrides` are as after `--set` ("label.horizon_days=14"), later ones winning. A place where no job has
    been yet is a new home, on which `ingest()` begins. `settings` instead of a place are taken as they are.
    Nothing is read nor started yet: Spark comes with the first work that needs it. A session that runs, or
    is given as `spark`, is used and its settings are left alone; `UsageError` names what would make results
    wrong in it.
    """
    if settings is not None:
        if place is not None or overrides:
            raise UsageError("open: settings say everything; give either them, or a place with overrides")
        return Pozytywka(settings, spark)
    if place is None:
        raise UsageError('open: which one? Give a folder, such as open("var/embedded"), or settings=')
    path = fspath(place)
    if "://" in path:
        raise UsageError(
            f"open: {path} is no folder; for a lake in an object store pass "
            f'settings=load_settings("local", ["lake.root={path}", …])'
        )
    recorded = recorded_settings(path, overrides)
    return Pozytywka(recorded or load_settings("local", [f"home={absolute(path)}", *overrides]), spark)
