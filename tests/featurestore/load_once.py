"""A process that loads the online store when it is told to: what tests kill, and let race each other."""

from __future__ import annotations

import json
import sys

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import StoreError
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.stage import materialize
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.session_on_demand import session_on_demand


def main(overrides: list[str], full: bool) -> None:
    settings = load_settings("local", overrides)
    lake = open_lake(settings, session_on_demand(settings, "load once"))
    # all that is slow at first is behind it, so that a moment drawn by dice lies in the work
    declared_of(settings), lake.version("features")
    say("ready")
    sys.stdin.readline()
    try:
        loaded = materialize(settings, lake, views=["user_month"], full=full)
    except StoreError as error:
        say(json.dumps({"overtaken": str(error)}))
        return
    say(json.dumps({"version": loaded[0].version, "written": loaded[0].written}))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main([part for part in sys.argv[1:] if part != "--full"], "--full" in sys.argv)
