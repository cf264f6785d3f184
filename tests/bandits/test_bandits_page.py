"""The page of a slot: what it says and draws, from what was counted and estimated."""

from __future__ import annotations

import base64
import re
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.bandits.offpolicy.shard_work import AsLogged, Bucket
from pozytywka_spark.bandits.page import Shown, render
from pozytywka_spark.bandits.page_charts import calendar_chart, rate_rows
from pozytywka_spark.bandits.penalty import Effect, Faded, Measured, measured
from pozytywka_spark.bandits.policy import parse_policy
from pozytywka_spark.bandits.report_work import BY_DAY, BY_GROUP, CountShown
from pozytywka_spark.bandits.sums import round_sums
from tests.bandits.message_logs import MessageWorld, drawn_log
from tests.in_memory import MemoryTasks

DAY = date(2024, 3, 1)


def counted(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    tasks = MemoryTasks()
    file = tasks.files.put_file(rows, {"day": DAY, "user_bucket": 0})
    work = CountShown(AsLogged("prompt"))
    done = tasks.run([Bucket(0, (file,), (DAY,))], work, weight=lambda _: 1, named=lambda _: "bucket")
    by_day, by_group = (tasks.fetch(done.of(kind)) for kind in (BY_DAY, BY_GROUP))
    return by_day, by_group


def test_what_was_shown_is_counted_by_day_stream_and_group() -> None:
    world = MessageWorld.drawn(1)
    rows = drawn_log(world, world.policy(5), 200, 3, days=3)
    by_day, by_group = counted(rows)
    day = pl.col("decided_at").dt.date().alias("day")
    sums = [
        pl.len().cast(pl.Int64).alias("rounds"),
        pl.col("reward").sum(),
        pl.col("reward").sum().alias("square"),  # of rewards 0 and 1
    ]
    arm = pl.col("chosen").alias("arm")
    assert by_day.equals(rows.group_by(day, "stream", arm).agg(sums).sort("day", "stream", "arm"))
    assert by_group.equals(rows.group_by("group", arm).agg(sums).sort("group", "arm"))


@pytest.mark.thorough
def test_the_penalty_curve_s_points_lie_on_what_the_world_does() -> None:
    world = MessageWorld.drawn(1, spread=0.02)
    world = MessageWorld(world.effects, rare=0, base=0.3, novelty=0.3, half_life=5.0)
    uniform = parse_policy({"kind": "uniform"})
    rows = drawn_log(world, uniform, 30_000, 3, days=1, even=True)
    sums = round_sums(rows, 0.005, "recovering_softmax")
    found = measured(sums.with_columns(slot=pl.lit("prompt"), day=pl.lit(DAY)))
    assert len(found.effects) == 8 * 5
    assert len(found.faded) > 6
    inside = 0
    for point in found.faded:
        true = -0.3 * 0.5 ** (point.days / 5.0)
        assert point.low < point.value < point.high
        assert abs(point.value - true) < 2 * (point.high - point.low) / 2
        inside += point.low <= true <= point.high
    assert inside >= len(found.faded) - 2
    assert found.faded[0].high < -0.2


BY_DAY_ROWS = pl.DataFrame(
    [
        {
            "day": DAY + timedelta(days=n),
            "stream": stream,
            "arm": arm,
            "rounds": 50,
            "reward": 5.0 + n,
            "square": 6.0,
        }
        for n in range(3)
        for stream in ("explore", "policy")
        for arm in ("discount", "trial")
    ]
)
BY_GROUP_ROWS = pl.DataFrame(
    {
        "group": ["warsaw", "warsaw"],
        "arm": ["discount", "trial"],
        "rounds": [300, 310],
        "reward": [36.0, 40.0],
        "square": [36.0, 40.0],
    }
)
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "kind": "recovering_softmax",
    "slot": "prompt",
    "version": "7",
    "arms": ["trial", "discount"],
    "scores": {"trial": {"": 0.01, "warsaw": 0.02}, "discount": {"": 0.0, "warsaw": 0.0}},
    "recency": {"gamma": 0.017, "half_life_days": 15.0},
    "temperature": 0.02,
    "explore": 0.1,
    "salt": "s",
    "trained_days": ["2024-02-01", "2024-02-20"],
    "rules": {"discount": [{"column": "sessions", "op": "ge", "value": 3}]},
}
EVALUATION = {
    "slot": "prompt",
    "policy": "7",
    "first_day": DAY,
    "last_day": DAY,
    "estimator": "dr",
    "value": 0.13,
    "low": 0.12,
    "high": 0.14,
    "effective_sample": 5000.0,
    "largest_weight_share": 0.001,
    "mean_weight": 1.01,
    "decisions": 9000,
    "against": "",
    "inputs": "x",
}
SEASONS = [
    {
        "genre": "carols",
        "season": "year",
        "first": "16 November",
        "last": "5 January",
        "factor": 1.9,
        "low": 1.7,
        "high": 2.1,
        "p_value": 0.0,
        "years": 2,
    },
    {
        "genre": "rock",
        "season": "weekday",
        "first": "Saturday",
        "last": "Sunday",
        "factor": 1.2,
        "low": 1.1,
        "high": 1.3,
        "p_value": 0.0,
        "years": 2,
    },
]


def _pictures(html: str) -> str:
    return "".join(base64.b64decode(each).decode() for each in re.findall(r"svg\+xml;base64,([^\"]+)", html))


def test_the_page_of_a_softmax_shows_what_was_asked_for() -> None:
    effects = (Effect("trial", "warsaw", 0.02, 0.01, 0.03), Effect("discount", "warsaw", -0.02, -0.03, -0.01))
    shown = Shown(
        "prompt",
        "champion",
        parse_policy(DOCUMENT),
        BY_DAY_ROWS,
        BY_GROUP_ROWS,
        Measured(effects, (Faded(0.5, -0.017, -0.02, -0.01), Faded(30.0, -0.004, -0.01, 0.0))),
        [EVALUATION],
    )
    html = render(shown)
    for title in (
        "Scores",
        "Who sees what",
        "Novelty",
        "What policies would have brought",
        "Both streams",
        "Exposure",
    ):
        assert title in html
    assert "champion 7; decisions of 2024-03-01 to 2024-03-03" in html
    assert "sessions ge 3" in html
    assert "Single decisions are valued" in html
    assert "Season calendar" not in html
    trial = 100 * (0.05 + 0.9 * np.exp(1) / (1 + np.exp(1)))
    assert f"{trial:.1f}" in html  # of who lives in Warsaw, with the share of exploring
    drawn = _pictures(html)
    assert all(word in drawn for word in ("trial", "discount", "explore", "measured", "7, 2024-03-01"))
    assert render(shown) == html


def test_the_page_of_a_seasonal_slot_has_a_calendar() -> None:
    policy = parse_policy({"kind": "seasonal", "table": {"": {"a1": 0.75, "a2": 0.25}}, "version": "3"})
    html = render(Shown("spotlight", "challenger", policy, BY_DAY_ROWS, BY_GROUP_ROWS, seasons=SEASONS))
    assert "Season calendar" in html
    assert "16 November" in html
    assert "Novelty" not in html
    chart = calendar_chart(SEASONS)
    assert chart is not None
    assert [(bar.left, bar.right) for bar in chart.bars] == [(320, 366), (0, 5)]  # over the turn of the year
    assert calendar_chart(SEASONS[1:]) is None


def test_a_slot_without_policy_or_decision_has_a_page_too() -> None:
    html = render(Shown("prompt", None, None, BY_DAY_ROWS.clear(), BY_GROUP_ROWS.clear(), seasons=[]))
    assert "no policy learnt yet; no mature decision" in html
    assert "Nothing was evaluated yet" in html
    assert "No genre rises in any season." in html


def test_rates_have_intervals_and_stand_in_order() -> None:
    rows = rate_rows(BY_GROUP_ROWS, 30)
    reach = 1.96 * np.sqrt(40 / 310 * (1 - 40 / 310) / 310)
    assert rows[0] == pytest.approx(("trial", 40 / 310, 40 / 310 - reach, 40 / 310 + reach))
    assert [name for name, *_ in rows] == ["trial", "discount"]
    assert [name for name, *_ in rate_rows(BY_GROUP_ROWS, 1)] == ["trial"]
