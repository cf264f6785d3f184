"""Moderation's commands in a process of their own, to be killed: ready before they begin, done after."""

from __future__ import annotations

from multiprocessing.connection import Connection

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.moderation.run import run
from pozytywka_spark.moderation.stage import take_answers, take_appeals
from pozytywka_spark.months import as_micros
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.moderation.world import answers, appeals, day

ANSWERS = [("a", "Ann", "bad", 2), ("b", "Ann", "bad", 4.5), ("c", "Ben", "bad", 8), ("z", "Ben", "bad", 8)]
APPEALS = [(1, "b", 5, "Cat", "upheld", 9)]


def commands(settings: Settings, lake: Lake) -> None:
    take_answers(lake, answers(*ANSWERS))
    run(settings, lake, as_micros(day(8.2)), asked=False)
    take_appeals(lake, appeals(*APPEALS))
    run(settings, lake, as_micros(day(60)), asked=False)


def work(pipe: Connection, overrides: list[str]) -> None:
    settings = load_settings("local", overrides)
    lake = open_lake(settings, session_on_demand(settings, "killed"))
    pipe.send("ready")
    commands(settings, lake)
    pipe.send("done")
