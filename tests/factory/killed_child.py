"""The factory's commands in a process of their own, to be killed: READY before they begin, DONE after."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import timedelta

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.factory.build import Asked, build
from pozytywka_spark.factory.decide import decide
from pozytywka_spark.factory.promote import promote
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.factory.test_lake import BUILT, END, PROMOTED


def main() -> None:
    settings = load_settings("local", sys.argv[1:])
    lake = open_lake(settings, session_on_demand(settings, "killed"))
    print("READY", flush=True)
    build(settings, lake, Asked(at=BUILT))
    decide(settings, lake, PROMOTED)
    with suppress(UsageError):  # run again after the side was withdrawn
        promote(settings, lake, "pace", "refuse", PROMOTED + timedelta(days=2))
    decide(settings, lake, END)
    decide(settings, lake, END + timedelta(days=40))
    print("DONE", flush=True)


if __name__ == "__main__":
    main()
