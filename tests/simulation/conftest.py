"""One small world of known hazard, its model and refits, for all tests of the room."""

from __future__ import annotations

from datetime import date

import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.simulation.levers import LEVERS
from pozytywka_spark.simulation.recommendations import Task
from pozytywka_spark.simulation.segment import Segment
from tests.worlds.ads_world import MONTHS, SMALL, World, fitted, user_months


@pytest.fixture(scope="session")
def ads_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    settings = load_settings("local", [f"home={tmp_path_factory.mktemp('ads')}"])
    now = user_months(600, (date(2022, 7, 1),), seed=2)
    model, refits = fitted(user_months(3000, MONTHS), settings, SMALL.bootstrap, trees=90)
    actionable = tuple(feature.name for feature in CATALOGUE if feature.actionable)
    task = Task(model, refits, actionable, SMALL, value_of_sale=20.0)
    return World(now, Segment(now, LEVERS, model, actionable, SMALL), task)
