"""How long a decision takes in plain Python, and whether the twin for frames takes the same ones.

    python -m tests.bench.bench_decide [DECISIONS]

Twelve arms of which ten are eligible on average, five groups, days since shown of most.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import polars as pl

from pozytywka_spark.bandits.decide import decide
from pozytywka_spark.bandits.plan_work import with_decisions
from pozytywka_spark.bandits.policy import Policy, parse_policy

ARMS = [f"arm{arm:02}" for arm in range(12)]
GROUPS = [f"g{group}" for group in range(5)]


def main() -> None:
    """Microseconds of each, and how many decisions agree."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    policy, asked = made_policy(), made_decisions(count)
    start = time.process_time()
    decided = with_decisions(policy, asked)
    of_twin = time.process_time() - start
    users = [
        (user, group, eligible, dict(zip(eligible, days, strict=True)), key)
        for user, group, eligible, days, key in asked.iter_rows()
    ]
    start, began = time.process_time(), time.perf_counter()
    plain = [
        decide(policy, user_id=user, group=group, eligible=eligible, days_since=days, key=key)
        for user, group, eligible, days, key in users
    ]
    of_plain, waited = time.process_time() - start, time.perf_counter() - began
    arms = sum(arm == each.arm for arm, each in zip(decided["chosen"], plain, strict=True))
    streams = sum(stream == each.stream for stream, each in zip(decided["stream"], plain, strict=True))
    flat = np.array([p for each in plain for p in each.probabilities.values()])
    apart = np.abs(decided["probabilities"].explode().to_numpy() - flat).max()
    print(f"{arms:,} of {count:,} arms and {streams:,} streams agree; probabilities within {apart:.1e}")
    print(f"plain Python {of_plain / count * 1e6:.1f} µs a decision, {waited / count * 1e6:.1f} by the clock")
    print(f"the twin {of_twin / count * 1e6:.2f} µs (both: of the processor)")


def made_policy() -> Policy:
    """A softmax whose arms are close to each other."""
    random = np.random.default_rng(1)
    scores = {arm: {group: float(random.normal(0, 0.01)) for group in ["", *GROUPS]} for arm in ARMS}
    return parse_policy(
        {
            "kind": "recovering_softmax",
            "slot": "premium_prompt",
            "arms": ARMS,
            "scores": scores,
            "recency": {"gamma": 0.017, "half_life_days": 15.0},
            "temperature": 0.0025,
            "explore": 0.05,
            "salt": "salt",
        }
    )


def made_decisions(count: int) -> pl.DataFrame:
    """What is asked."""
    random = np.random.default_rng(2)
    eligible = random.random((count, len(ARMS))) < 10 / 12
    eligible[:, 0] = True
    row, arm = np.nonzero(eligible)
    days = np.round(random.exponential(20, len(row)), 3)
    lists = (
        pl.DataFrame({"row": row, "eligible": pl.Series(ARMS).gather(arm), "days_since": days})
        .with_columns(days_since=pl.when(pl.Series(random.random(len(row)) < 0.8)).then("days_since"))
        .group_by("row", maintain_order=True)
        .agg("eligible", "days_since")
    )
    return pl.DataFrame(
        {
            "user_id": np.arange(count) * 7919 + 1_000_000_007,
            "group": pl.Series(GROUPS).gather(random.integers(len(GROUPS), size=count)),
            "eligible": lists["eligible"],
            "days_since": lists["days_since"],
            "key": pl.repeat("2023-05-16", count, eager=True),
        }
    )


if __name__ == "__main__":
    main()
