"""A process that loads the online store when it is told to: what tests kill, and let race each other."""

from __future__ import annotations

from multiprocessing.connection import Connection

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import StoreError
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.stage import materialize
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.session_on_demand import session_on_demand


def work(pipe: Connection, overrides: list[str], full: bool) -> None:
    settings = load_settings("local", overrides)
    lake = open_lake(settings, session_on_demand(settings, "load once"))
    # all that is slow at first is behind it, so that a moment drawn by dice lies in the work
    declared_of(settings), lake.version("features")
    pipe.send("ready")
    pipe.recv()
    try:
        loaded = materialize(settings, lake, views=["user_month"], full=full)
    except StoreError as error:
        pipe.send({"overtaken": str(error)})
        return
    pipe.send({"version": loaded[0].version, "written": loaded[0].written})
