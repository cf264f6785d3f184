"""A small log of decisions by hand, and one of a made world, to value policies by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pozytywka_spark.config.bandits import Bandits
from tests.bandits.message_logs import MessageWorld

ANY = Bandits(min_effective=1)
ONLY_B = {"kind": "fixed", "probabilities": {"": {"a": 0.0, "b": 1.0}}}
WORLD = MessageWorld.drawn(1)
BY = WORLD.policy(5)


def log(lines: Sequence[tuple[int, str, float, float | None]], **more: Any) -> pl.DataFrame:
    """Decisions between a and b: user, chosen, its probability, reward; an hour apart."""
    at = [datetime(2024, 3, 1 + place // 24, place % 24, tzinfo=UTC) for place in range(len(lines))]
    rows = pl.DataFrame(lines, schema=["user_id", "chosen", "probability", "reward"], orient="row")
    return rows.with_columns(
        decided_at=pl.Series(at),
        group=pl.lit("g"),
        eligible=pl.lit(["a", "b"], pl.List(pl.String)),
        days_since=pl.lit([None, None], pl.List(pl.Float64)),
        **{name: pl.lit(value) for name, value in more.items()},
    )


SMALL = log(
    [
        (1, "a", 0.5, 0.0),
        (1, "b", 0.5, 1.0),
        (2, "b", 0.25, 0.0),
        (3, "b", 0.5, 1.0),
        (3, "a", 0.8, 1.0),
        (4, "b", 0.4, 0.0),
    ]
)
