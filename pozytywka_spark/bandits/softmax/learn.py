"""From sums of days to the document of a policy: scores, penalty, temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from pozytywka_spark.bandits.policy import ANY_GROUP, FORMAT, SOFTMAX, parse_policy
from pozytywka_spark.bandits.rules import parse_rules
from pozytywka_spark.bandits.softmax.cells import Cells, Floats, cells_of
from pozytywka_spark.bandits.softmax.compared import compared
from pozytywka_spark.bandits.softmax.effects import Effects, estimate_effects
from pozytywka_spark.bandits.softmax.published import published_scores
from pozytywka_spark.bandits.softmax.window import days_needed
from pozytywka_spark.errors import DataError

BONUS = 1.0  # deviations that a score is raised by: an arm little known is shown more, until it is known
# Temperature by how unsure scores are; .0025, as published, where deviations are .01, about as they are
# after a month of 10,000 decisions a day and arm; colder as more is known, but for a floor
TEMPERATURE_BY_DEVIATION = 0.25
COLDEST = 2e-4


@dataclass(frozen=True)
class Settings:
    """How to learn; a number given is taken, None is estimated.

    `window`: so many of the latest days, `all`, or `auto`: as many as precision needs.
    `explore`: share of decisions that is uniform. `bonus`: deviations that scores are raised by; of a
    published shrinkage there are no deviations, and no bonus.
    """

    shrinkage: float | None = None
    gamma: float | None = None
    half_life_days: float | None = None
    temperature: float | None = None
    window: int | Literal["auto", "all"] = "auto"
    explore: float = 0.05
    bonus: float = BONUS


PUBLISHED = Settings(shrinkage=1e5, gamma=0.017, half_life_days=15.0, temperature=0.0025, window=15)


@dataclass(frozen=True)
class Learnt:
    """What was learnt. Of published scores `effects` are those that γ, half-life or temperature came from."""

    cells: Cells
    scores: Floats
    of_arms: Floats
    gamma: float
    half_life_days: float
    temperature: float
    effects: Effects | None


def learn(
    sums: pl.DataFrame,
    slot: str,
    settings: Settings,
    *,
    arms: Sequence[str] = (),
    rules: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    salt: str = "",
    version: str = "",
) -> dict[str, Any]:
    """The document of the slot's policy, from rows of `bandit_days`; those of other slots are passed over.

    `arms`: those that there are, also if never logged; none: those logged. Raises `DataError` if there is
    nothing to learn from (a log without `probabilities` has no sums), or an arm isn't among `arms`.
    """
    learnt = estimate(sums, slot, settings, arms=arms)
    cells = learnt.cells
    scores = {
        arm: {ANY_GROUP: float(of_arm)}
        | {group: float(score) for group, score in zip(cells.groups, of_groups, strict=True) if group}
        for arm, of_arm, of_groups in zip(cells.arms, learnt.of_arms, learnt.scores, strict=True)
    }
    document: dict[str, Any] = {
        "format": FORMAT,
        "kind": SOFTMAX,
        "slot": slot,
        "version": version,
        "arms": list(cells.arms),
        "scores": scores,
        "recency": {"gamma": learnt.gamma, "half_life_days": learnt.half_life_days},
        "temperature": learnt.temperature,
        "explore": settings.explore,
        "salt": salt,
        "trained_days": [str(cells.days[0]), str(cells.days[-1])],
        "rules": {arm: [dict(rule) for rule in of_arm] for arm, of_arm in (rules or {}).items()},
    }
    parse_rules(document["rules"])
    parse_policy(document, f"the policy learnt of slot {slot}")
    return document


def estimate(sums: pl.DataFrame, slot: str, settings: Settings, *, arms: Sequence[str] = ()) -> Learnt:
    """As `learn`, with what the page shows."""
    of_slot = sums.filter(pl.col("slot") == slot)
    if of_slot.is_empty():
        raise DataError(
            f"slot {slot}: bandit_days has no mature decision; expected some, logged with `probabilities`"
        )
    cells = cells_of(of_slot, arms)
    numbers = (settings.shrinkage, settings.gamma, settings.half_life_days, settings.temperature)
    if settings.window == "auto":
        cells = cells.latest(days_needed(compared(cells)))
    elif settings.window != "all":
        cells = cells.latest(settings.window)
    effects = None
    if None in numbers:
        effects = estimate_effects(compared(cells), settings.gamma, settings.half_life_days)
    if settings.shrinkage is not None:
        scores, of_arms = published_scores(cells, settings.shrinkage)
    else:
        assert effects is not None
        scores = effects.scores + settings.bonus * effects.deviations
        of_arms = effects.of_arms + settings.bonus * effects.of_arms_deviations
    return Learnt(
        cells=cells,
        scores=scores,
        of_arms=of_arms,
        gamma=_given(settings.gamma, effects.gamma if effects else None),
        half_life_days=_given(settings.half_life_days, effects.half_life_days if effects else None),
        temperature=_given(settings.temperature, temperature(effects) if effects else None),
        effects=effects,
    )


def temperature(effects: Effects) -> float:
    """That suits how unsure the scores are."""
    return max(TEMPERATURE_BY_DEVIATION * float(np.median(effects.deviations)), COLDEST)


def _given(number: float | None, estimated: float | None) -> float:
    value = estimated if number is None else number
    assert value is not None
    return value
