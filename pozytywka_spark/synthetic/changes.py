"""Changes that options make in the world's law: drift for everyone, an experiment for the treated."""

from __future__ import annotations

import numpy as np

from pozytywka_spark.config import Drift, SyntheticExperiment
from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.plan import Plan

MOST_LIKELY_ADVERT = 0.95


def advert_factor(plan: Plan, treated: Array, month: Array) -> Array:
    """What the user's own chance of an advert is multiplied by."""
    factor = np.ones(len(month))
    for change, applies in _applying(plan, treated, month):
        factor = np.where(applies, factor * change.adverts, factor)
    return factor


def advert_chance(base: Array, factor: Array) -> Array:
    """The chance of an advert after a track: the user's own, or a multiplied one, never quite certain."""
    chance: Array = np.where(factor == 1.0, base, np.minimum(base * factor, MOST_LIKELY_ADVERT))
    return chance


def log_hazard(plan: Plan, treated: Array, month: Array) -> Array:
    """What is added to the log of the purchase hazard."""
    added = np.zeros(len(month))
    for change, applies in _applying(plan, treated, month):
        added = np.where(applies, added + change.log_hazard, added)
    return added


def _applying(plan: Plan, treated: Array, month: Array) -> list[tuple[Drift | SyntheticExperiment, Array]]:
    """The options that are on, each with where it applies."""
    drift, experiment = plan.world.drift, plan.world.experiment
    result: list[tuple[Drift | SyntheticExperiment, Array]] = []
    if drift.from_month is not None:
        result.append((drift, month >= plan.month_index(drift.from_month)))
    if experiment.from_month is not None:
        result.append((experiment, treated & (month >= plan.month_index(experiment.from_month))))
    return result
