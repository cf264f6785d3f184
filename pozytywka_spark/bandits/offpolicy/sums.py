"""Sums over users from which every estimate and its interval follow; those of several shards are added up.

Of each user the components of `Sums.names` are added up over their decisions, a vector z; kept are the sum
of z, and of z with itself (every pair), for variances clustered by user. Components: `rounds` and `reward`;
both of the streams `explore` and `policy`; and of policy number i, with w = its probability of the chosen
arm over the log's, q the reward model: `weight:i` w, `weighted:i` w r, `gap:i` Σ_a π(a) q(a) - w q(chosen).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.bandits.offpolicy.blocks import Block, Floats, Names
from pozytywka_spark.bandits.offpolicy.reward_model import RewardModel
from pozytywka_spark.bandits.offpolicy.target import Target
from pozytywka_spark.bandits.policy import Policy

STREAMS = ("explore", "policy")
_COMMON = ("rounds", "reward", *(f"{stream}_{what}" for stream in STREAMS for what in ("rounds", "reward")))
_USERS_AT_ONCE = 400_000
OF_POLICY = ("weight", "weighted", "gap")


def components(policies: int) -> tuple[str, ...]:
    """The components of z, in their order."""
    return _COMMON + tuple(f"{what}:{number}" for number in range(policies) for what in OF_POLICY)


@dataclass
class Sums:
    """What decisions of whole users come to.

    `squares`, `largest`: of the weights of each policy's decisions; `mass` by policy and arm: the sum of its
    probabilities; `chosen` by arm: how often the log chose it; `by_day`: rounds and reward by day and stream.
    """

    names: tuple[str, ...]
    total: Floats
    cross: Floats
    users: int = 0
    squares: Floats = field(default_factory=lambda: np.zeros(0))
    largest: Floats = field(default_factory=lambda: np.zeros(0))
    mass: list[dict[str, float]] = field(default_factory=list)
    chosen: dict[str, int] = field(default_factory=dict)
    by_day: dict[str, tuple[int, float]] = field(default_factory=dict)

    @classmethod
    def nothing(cls, policies: int) -> Sums:
        """Of no decision."""
        names = components(policies)
        zeros = np.zeros(policies)
        empty = [dict[str, float]() for _ in range(policies)]
        return cls(names, np.zeros(len(names)), np.zeros((len(names),) * 2), 0, zeros, zeros.copy(), empty)

    def place(self, name: str) -> int:
        """Where a component stands."""
        return self.names.index(name)

    def of(self, name: str) -> float:
        """The sum of a component."""
        return float(self.total[self.place(name)])

    @property
    def days(self) -> list[date]:
        """The days that decisions are of."""
        return sorted({date.fromisoformat(key.partition(" ")[0]) for key in self.by_day})

    def add(self, other: Sums) -> None:
        """Those of other users."""
        self.total += other.total
        self.cross += other.cross
        self.users += other.users
        self.squares += other.squares
        np.maximum(self.largest, other.largest, out=self.largest)
        for mine, more in zip(self.mass, other.mass, strict=True):
            _add_up(mine, more)
        for arm, count in other.chosen.items():
            self.chosen[arm] = self.chosen.get(arm, 0) + count
        for key, (rounds, reward) in other.by_day.items():
            so_far = self.by_day.get(key, (0, 0.0))
            self.by_day[key] = (so_far[0] + rounds, so_far[1] + reward)

    def facts(self) -> dict[str, Any]:
        """As JSON-like values, for what a task tells."""
        return {
            "names": list(self.names), "total": self.total.tolist(), "cross": self.cross.tolist(),
            "users": self.users, "squares": self.squares.tolist(), "largest": self.largest.tolist(),
            "mass": self.mass, "chosen": self.chosen,
            "by_day": {key: list(values) for key, values in self.by_day.items()},
        }  # fmt: skip

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> Sums:
        """From `facts`."""
        return cls(
            tuple(facts["names"]), np.array(facts["total"]), np.array(facts["cross"]), facts["users"],
            np.array(facts["squares"]), np.array(facts["largest"]), [dict(one) for one in facts["mass"]],
            dict(facts["chosen"]), {key: (int(n), float(r)) for key, (n, r) in facts["by_day"].items()},
        )  # fmt: skip


def _add_up(into: dict[str, float], more: Mapping[str, float]) -> None:
    for key, value in more.items():
        into[key] = into.get(key, 0.0) + value


def _by_user(users: pl.Series, columns: Mapping[str, Floats]) -> pl.DataFrame:
    """Sums of rows that follow each other and are of one user; files are sorted by user."""
    user = users.to_numpy()
    begins = np.flatnonzero(np.concatenate([[True], user[1:] != user[:-1]]))
    summed = {name: np.add.reduceat(values, begins) for name, values in columns.items()}
    return pl.DataFrame({"user_id": user[begins], **summed})


def _together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """A row a user."""
    return pl.concat(frames).group_by("user_id").sum()


class Summing:
    """Adds up decisions of some users, block by block; `done` when all of theirs were given."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = tuple(policies)
        self._sums = Sums.nothing(len(policies))
        self._users: list[pl.DataFrame] = []

    def add(self, blocks: Iterable[Block], names: Names, model: RewardModel) -> None:
        """Decisions with these names; `model` laid out by them."""
        targets = [Target(policy, names) for policy in self._policies]
        mass = np.zeros((len(targets), len(names.arms)))
        chosen = np.zeros(len(names.arms), np.int64)
        for block in blocks:
            columns = self._common(block)
            expected = model.expected(block)
            rate = 1.0 / block.rows.get_column("probability").to_numpy()
            reward = columns["reward"]
            flat_arms = block.arms.ravel()
            for number, target in enumerate(targets):
                probabilities = target.probabilities(block)
                weight = block.of_chosen(probabilities) * rate
                columns[f"weight:{number}"] = weight
                columns[f"weighted:{number}"] = weight * reward
                mean = np.einsum("ij,ij->i", probabilities, expected)
                columns[f"gap:{number}"] = mean - weight * block.of_chosen(expected)
                mass[number] += np.bincount(flat_arms, probabilities.ravel(), minlength=len(names.arms))
                self._sums.squares[number] += np.square(weight).sum()
                self._sums.largest[number] = max(self._sums.largest[number], weight.max(initial=0.0))
            chosen += np.bincount(block.of_chosen(block.arms), minlength=len(names.arms))
            self._users.append(_by_user(block.rows.get_column("user_id"), columns))
            self._count_days(block.rows)
        for number, of_policy in enumerate(mass):
            _add_up(self._sums.mass[number], dict(zip(names.arms, of_policy.tolist(), strict=True)))
        for arm, count in zip(names.arms, chosen.tolist(), strict=True):
            self._sums.chosen[arm] = self._sums.chosen.get(arm, 0) + count
        if sum(frame.height for frame in self._users) > _USERS_AT_ONCE:
            self._users = [_together(self._users)]

    def done(self) -> Sums:
        """Of all that was added."""
        if self._users:
            by_user = _together(self._users).sort("user_id").select(self._sums.names).to_numpy()
            self._sums.total = by_user.sum(axis=0)
            self._sums.cross = by_user.T @ by_user
            self._sums.users = len(by_user)
        return self._sums

    def _common(self, block: Block) -> dict[str, Floats]:
        reward = block.rows.get_column("reward").cast(pl.Float64).to_numpy()
        columns = {"rounds": np.ones(len(reward)), "reward": reward}
        stream = block.rows.get_column("stream") if "stream" in block.rows.columns else None
        for name in STREAMS:
            mine = np.zeros(len(reward)) if stream is None else (
                (stream == name).fill_null(value=False).cast(pl.Float64).to_numpy()
            )  # fmt: skip
            columns |= {f"{name}_rounds": mine, f"{name}_reward": mine * reward}
        return columns

    def _count_days(self, rows: pl.DataFrame) -> None:
        stream = pl.col("stream") if "stream" in rows.columns else pl.lit("")
        counted = rows.group_by(day=pl.col("decided_at").dt.date(), stream=stream.fill_null("")).agg(
            rounds=pl.len(), reward=pl.col("reward").sum()
        )
        for day, name, rounds, reward in counted.sort("day", "stream").iter_rows():
            so_far = self._sums.by_day.get(f"{day} {name}", (0, 0.0))
            self._sums.by_day[f"{day} {name}"] = (so_far[0] + rounds, so_far[1] + float(reward))
