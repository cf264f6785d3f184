"""A session that somebody else has started, a notebook or a platform: used as it is, unless it were wrong."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError

OUR_NAMES = "pozytywka "  # what the names of our own sessions begin with

# Under other values the same code gives other rows, or none. The first is what Spark has if nothing is set.
_DECISIVE: Mapping[str, tuple[str, ...]] = {
    "spark.sql.session.timeZone": ("UTC", "Etc/UTC", "GMT", "Z", "+00:00"),
    "spark.sql.ansi.enabled": ("true",),
    "spark.sql.timestampType": ("TIMESTAMP_LTZ",),
    "spark.sql.caseSensitive": ("false",),
}
_OLDEST = 4


def as_spark_spells(value: object) -> str:
    """A setting's value as Spark keeps it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_foreign(session: SparkSession) -> bool:
    """Whether the session was started by somebody else."""
    return not str(session.conf.get("spark.app.name", "")).startswith(OUR_NAMES)


def use_session(session: SparkSession, settings: Settings) -> SparkSession:
    """The session, as it is: its memory, its cores and its speed are its owner's affair.

    Raises `UsageError`, one line that says what to set, if results would be wrong in it, or if it lacks
    what `spark.conf` asks for by name. Whether Delta is served is for `open_lake` to see.
    """
    version = str(session.version)
    if int(version.partition(".")[0]) < _OLDEST:
        raise UsageError(f"the running Spark session is of version {version}: {_OLDEST}.0 or newer is needed")
    for key, right in _DECISIVE.items():
        current = str(session.conf.get(key, right[0]))
        if current.lower() not in (value.lower() for value in right):
            raise UsageError(
                f"the running Spark session has {key}={current}, with which results would be wrong: "
                f'run spark.conf.set("{key}", "{right[0]}") first, or stop it'
            )
    for key, value in settings.spark.conf.items():
        asked = as_spark_spells(value)
        given = session.conf.get(key, None)
        if given != asked:
            raise UsageError(
                f"the running Spark session has {key}={given}, the settings ask for {asked} in spark.conf: "
                "give it that value, or leave out the setting"
            )
    return session
