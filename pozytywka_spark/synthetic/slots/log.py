"""Lines of a slot's log, as `bandits take-in` takes them, and what each arm was worth there."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.plan import Plan

POLICY = "world"  # what the log names as its policy


@dataclass(frozen=True)
class Choices:
    """One entry a session in which something was chosen (but for `arms`); most are sessions × arms."""

    arms: list[str]
    session: Array  # index into the sessions
    eligible: Array
    probabilities: Array  # 0 where not eligible
    chosen: Array  # index into the arms
    explored: Array  # drawn uniformly, not by the log's preferences

    def __len__(self) -> int:
        return len(self.session)


def drawn(
    plan: Plan, key: tuple[int, ...], arms: list[str], session: Array, eligible: Array, preference: Array
) -> Choices:
    """An arm for each entry: by `preference` among the eligible, a share of the draws uniformly."""
    explore = plan.world.slots.explore
    weight = eligible * preference
    by_preference = weight / weight.sum(axis=1, keepdims=True)
    uniform = eligible / eligible.sum(axis=1, keepdims=True)
    rng = plan.rng(*key)
    explored = rng.random(len(session)) < explore
    cumulative = np.cumsum(np.where(explored[:, None], uniform, by_preference), axis=1)
    draw = rng.random(len(session)) * cumulative[:, -1]
    chosen = (cumulative <= draw[:, None]).sum(axis=1)
    probabilities = explore * uniform + (1 - explore) * by_preference
    return Choices(arms, session, eligible, probabilities, chosen, explored)


@dataclass(frozen=True)
class Entries:
    """One entry a delivered decision, as `Choices` has them."""

    slot: str
    choices: Choices
    user_id: Array
    time_ms: Array
    session_id: Array
    group: Array
    values: Array  # entries × arms: the chance of a reward, had that arm been chosen
    days_since: Array | None = None  # entries × arms, nan: never shown
    reward: Array | None = None  # where the log carries it


def lines(entries: Entries) -> list[str]:
    """A JSON line a decision."""
    times = entries.time_ms.astype("datetime64[ms]")
    return [
        json.dumps(
            {
                "decision_id": _decision_id(entries, row),
                "slot": entries.slot,
                "user_id": int(entries.user_id[row]),
                "decided_at": str(times[row]),
                "group": str(entries.group[row]),
                **_of_arms(entries, row),
                "policy": POLICY,
                "stream": "explore" if entries.choices.explored[row] else "policy",
                **({} if entries.reward is None else {"reward": float(entries.reward[row])}),
            },
            ensure_ascii=False,
        )
        for row in range(len(entries.choices))
    ]


def truth_lines(entries: Entries) -> list[str]:
    """A JSON line a decision: `values` in the order of the log's `eligible`."""
    return [
        json.dumps(
            {
                "decision_id": _decision_id(entries, row),
                "values": entries.values[row, entries.choices.eligible[row]].tolist(),
            }
        )
        for row in range(len(entries.choices))
    ]


def _decision_id(entries: Entries, row: int) -> str:
    return f"{entries.slot}-{entries.session_id[row]}"


def _of_arms(entries: Entries, row: int) -> dict[str, object]:
    choices = entries.choices
    here = np.flatnonzero(choices.eligible[row])
    fields: dict[str, object] = {
        "eligible": [choices.arms[arm] for arm in here],
        "chosen": choices.arms[choices.chosen[row]],
        "probability": float(choices.probabilities[row, choices.chosen[row]]),
        "probabilities": choices.probabilities[row, here].tolist(),
    }
    if entries.days_since is not None:
        days = entries.days_since[row, here].tolist()
        fields["days_since"] = [None if value != value else value for value in days]
    return fields
