"""An invented future: where it lies, what it is made of, and dice that any engine can throw."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from hashlib import md5

import polars as pl
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.month_events import COLUMNS
from pozytywka_spark.features.build.parcels import BOUGHT
from pozytywka_spark.features.guards.invent import (
    INVENTED,
    SAMPLED,
    InventFutures,
    PastShard,
    invent,
)
from pozytywka_spark.features.guards.sample import Sample
from pozytywka_spark.features.guards.worlds import World
from tests.in_memory import MemoryTasks

FIRST, CUT_OFF = datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 2, 1, tzinfo=UTC)
WORLD = World(date(2023, 1, 1), "scrambled")
_WRAP = (1 << 64) - 1


def events(rows: int = 4_000, users: int = 40) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "event_id": [md5(str(n).encode()).digest() for n in range(rows)],
            "event_time": [FIRST + timedelta(seconds=660 * n) for n in range(rows)],
            "event_type": ["PLAY"] * rows,
            "user_id": [n % users for n in range(rows)],
            "session_id": [n // 10 for n in range(rows)],
            "track_id": [f"t{n % 7}" for n in range(rows)],
        },
        schema_overrides={"event_time": pl.Datetime("us", "UTC")},
    )


def splitmix(number: int) -> int:
    z = (number + 0x9E3779B97F4A7C15) & _WRAP
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WRAP
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WRAP
    return z ^ (z >> 31)


def test_dice_are_stated() -> None:
    """In plain Python, as any engine could throw them."""
    past = events(60)
    future = invent(past, CUT_OFF.date(), seed=7)
    for before, after in zip(past.rows(named=True), future.rows(named=True), strict=True):
        thrown = splitmix(splitmix(7) ^ int.from_bytes(before["event_id"][:8], "little"))
        later = timedelta(microseconds=(thrown >> 8) % (100 * 86_400_000_000))
        assert after["event_time"] == CUT_OFF + (later if thrown % 4 else timedelta(0))
        kind = ("PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM")[(thrown >> 4) % 5]
        buys = splitmix(splitmix(7) ^ before["user_id"]) % 2 == 0
        assert after["event_type"] == ("PLAY" if kind == "BUY_PREMIUM" and not buys else kind)


def test_an_invented_future_lies_on_the_cut_off_and_after_it() -> None:
    past = events()
    future = invent(past, CUT_OFF.date(), seed=7)
    assert future.schema == past.schema
    assert_frame_equal(
        future.drop("event_time", "event_type"), past.drop("event_time", "event_type"), check_exact=True
    )
    times = future["event_time"].to_list()
    assert min(times) == CUT_OFF
    assert max(times) < CUT_OFF + timedelta(days=100)
    assert 0.22 < times.count(CUT_OFF) / len(times) < 0.28
    kinds = Counter(future["event_type"])
    assert {name: 0.05 < number / past.height < 0.35 for name, number in kinds.items()} == dict.fromkeys(
        ("PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"), True
    )
    buyers = set(future.filter(pl.col("event_type") == "BUY_PREMIUM")["user_id"])
    assert buyers == {user for user in range(40) if splitmix(splitmix(7) ^ user) % 2 == 0}


def test_a_future_depends_on_the_seed_and_not_on_the_order() -> None:
    past = events(200)
    future = invent(past, CUT_OFF.date(), seed=7)
    assert_frame_equal(invent(past.reverse(), CUT_OFF.date(), seed=7).reverse(), future)
    assert not invent(past, CUT_OFF.date(), seed=8).equals(future)


def test_futures_are_put_down_by_month_with_their_first_purchases() -> None:
    tasks, past = MemoryTasks(), events()
    halves = [
        tasks.files.put_file(part, {"event_month": FIRST.date(), "user_bucket": 0})
        for part in (past[:2_000], past[2_000:])
    ]
    shard = PastShard(FIRST.date(), 0, tuple(halves), (WORLD,))
    done = tasks.run(
        [shard],
        InventFutures(Sample(1), 7, rows_at_once=1_500),
        weight=lambda each: each.size,
        named=lambda each: "past",
    )
    by_month = tasks.files.staged(INVENTED)
    assert sorted(by_month) == [("2023-01 scrambled", f"2023-{month:02}-01", 0) for month in (2, 3, 4, 5)]
    expected = invent(past, CUT_OFF.date(), 7).select(COLUMNS)
    for (_, month, _), rows in by_month.items():
        assert_frame_equal(
            rows,
            expected.filter(pl.col("event_time").dt.strftime("%Y-%m-01") == month),
            check_row_order=False,
        )
    bought = pl.concat(tasks.files.staged(BOUGHT).values())
    assert_frame_equal(
        bought.group_by("user_id", "month").agg(pl.col("purchased_at").min()),
        expected.filter(pl.col("event_type") == "BUY_PREMIUM")
        .group_by("user_id", pl.col("event_time").dt.truncate("1mo").dt.date().alias("month"))
        .agg(pl.col("event_time").min().dt.epoch("us").alias("purchased_at")),
        check_row_order=False,
    )
    assert set(tasks.files.staged(BOUGHT)) == {key[:2] for key in by_month}
    assert done.of(SAMPLED) == []


def test_of_a_sample_only_its_users_are_there() -> None:
    tasks, past = MemoryTasks(), events()
    file = tasks.files.put_file(past, {"event_month": FIRST.date(), "user_bucket": 0})
    shard = PastShard(FIRST.date(), 0, (file,), (WORLD,))
    tasks.run([shard], InventFutures(Sample(1, 4), 7), weight=lambda each: 1, named=lambda each: "past")
    sampled = tasks.files.staged(SAMPLED)[("2023-01-01", 0)]
    mine = set(sampled["user_id"])
    assert 4 <= len(mine) <= 20
    assert_frame_equal(sampled, past.filter(pl.col("user_id").is_in(sorted(mine))).select(COLUMNS))
    assert set(pl.concat(tasks.files.staged(INVENTED).values())["user_id"]) == mine
