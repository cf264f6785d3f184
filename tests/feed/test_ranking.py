"""Everybody's page from a small lake, through all tasks: partitions, deliveries, planted tracks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.inputs import Lists
from pozytywka_spark.feed.model import Model
from pozytywka_spark.feed.prepare import prepare, slice_events
from pozytywka_spark.feed.rank_work import RankUsers
from pozytywka_spark.feed.stage import look_of
from pozytywka_spark.feed.stages import Counts, counts_told
from tests.feed.small_world import DAY, Event, MemoryLake, PlainRanker, at, events, lake_of, tables, track

MODEL = Model("pozytywka-feed", "1", "run", PlainRanker(), np.array([1.0, -1.0, 2.0, 1.0]))
NO_LISTS = Lists((), ())
SET = ("feed.light=200", "feed.candidates=250", "feed.page=20")


@pytest.fixture(scope="module")
def chosen() -> Settings:
    return load_settings("local", SET)


def _ranked(
    settings: Settings, lake: MemoryLake, lists: Lists = NO_LISTS, *, only_free: bool = False
) -> tuple[pl.DataFrame, Counts]:
    blobs.forget()
    tasks = lake.tasks
    sliced = slice_events(lake, tasks, DAY)  # type: ignore[arg-type] as much of a lake as it asks for
    prepared = prepare(settings, tasks, sliced, DAY)
    look = look_of(settings, lake, tasks, DAY, sliced, prepared, MODEL, lists)  # type: ignore[arg-type]
    work = RankUsers(look, only_free, 3, "1", "id")
    done = tasks.run(prepared.listeners, work, weight=lambda _: 1, named=str)
    rows = pl.concat([tasks.rows(one) for one in done.written]).sort("user_id", "position")
    return rows, counts_told(done.results)


def _listed(rows: pl.DataFrame, user: int) -> list[str]:
    return rows.filter(pl.col("user_id") == user).get_column("track_id").to_list()


@pytest.mark.thorough
def test_pages_do_not_depend_on_partitions_or_on_what_comes_later(chosen: Settings) -> None:
    lived = events()
    rows, counts = _ranked(chosen, lake_of(lived))
    later: list[Event] = [
        (100, 9_999_999, at(-0.0001), "PLAY", track(250)),
        (101, 9_999_998, at(-30), "LIKE", track(251)),
    ]
    other, _ = _ranked(chosen, lake_of([*later, *reversed(lived)], buckets=5))
    assert rows.equals(other)
    assert rows.get_column("user_id").n_unique() == 40  # newcomers too
    assert rows.group_by("user_id").len().get_column("len").unique().to_list() == [20]
    whole = {stage: count for (stage, rule), count in counts.items() if not rule}
    assert whole["inventory"].tracks_out == whole["integrity"].tracks_in
    assert whole["light"].tracks_out == whole["page"].tracks_in
    assert whole["page"].tracks_out == rows.height
    removed = sum(count.tracks_in for (stage, rule), count in counts.items() if stage == "integrity" and rule)
    assert whole["integrity"].tracks_in - removed == whole["integrity"].tracks_out


@pytest.mark.thorough
def test_the_blocked_and_the_rejected_never_come(chosen: Settings) -> None:
    lived = events()
    rows, _ = _ranked(chosen, lake_of(lived))
    first = _listed(rows, 100)[0]
    # the user skips it twice, another one once
    skips: list[Event] = []
    for user, number, days in ((100, 1, 0.02), (100, 2, 0.01), (101, 3, 0.01)):
        skips.append((user, 9_000_000 + number, at(days), "PLAY", first))
        skips.append((user, 9_000_000 + number, at(days - 0.001), "SKIP", first))
    after, counts = _ranked(chosen, lake_of([*lived, *skips]))
    assert first not in _listed(after, 100)
    assert counts["integrity", "rejected"].tracks_in >= 1
    blocked, counts = _ranked(chosen, lake_of(lived), Lists((first,), ()))
    assert first not in blocked.get_column("track_id").to_list()
    assert counts["integrity", "blocked"].tracks_in > 0


@pytest.mark.thorough
def test_farmed_tracks_reach_nobody() -> None:
    settings = load_settings("local", [*SET, "feed.farmed_plays=20"])
    farm: list[Event] = [
        (100, 8_000_000 + number, at(0.01 + number / 50), "PLAY", track(290)) for number in range(900)
    ]
    # one account of forty is more than 1% of them
    rows, counts = _ranked(settings, lake_of([*events(), *farm]))
    assert counts["integrity", "farmed"].tracks_in == 0
    assert track(290) in _listed(rows, 105)
    crowd: list[Event] = [(500 + number, number, at(5), "PLAY", track(1)) for number in range(100)]
    lake = lake_of([*events(), *farm, *crowd])
    more = pl.DataFrame({"user_id": range(500, 600)}).select(
        "user_id", city=pl.lit("Kraków"), favourite_genres=pl.lit(["pop"])
    )
    lake.put("users", [({}, tables()["users"]), ({}, more)])
    rows, counts = _ranked(settings, lake)
    assert counts["integrity", "farmed"].tracks_in > 0
    assert track(290) not in rows.get_column("track_id").to_list()


@pytest.mark.thorough
def test_what_was_passed_over_sinks_and_what_was_not_seen_comes_back(chosen: Settings) -> None:
    settings = load_settings("local", [*SET, "feed.explore=0"])
    lived = [*events(), *((100, 5_000_000 + n, at(n + 0.5), "ADVERTISEMENT", None) for n in range(3))]
    rows, _ = _ranked(settings, lake_of(lived))
    top, unread = _listed(rows, 100)[0], track(299)
    earlier = pl.DataFrame(
        [(100, 1, top), (100, 15, unread)],
        schema={"user_id": pl.Int64, "position": pl.Int32, "track_id": pl.String},
        orient="row",
    )
    lake = lake_of([one for one in lived if (one[0], one[4]) != (100, top) or one[2] < at(4)])
    plain, _ = _ranked(settings, lake)
    assert top in _listed(plain, 100)[:3]
    days: Sequence[date] = [DAY - timedelta(days=number) for number in (1, 2, 3)]
    lake.put("feed", [({"feed_date": day, "user_bucket": 0}, earlier) for day in days])
    after, counts = _ranked(settings, lake)
    assert top not in _listed(after, 100)  # three times twenty places down
    assert counts["page", "passed over"].tracks_in == 1
    assert counts["inventory", "unread"].tracks_out >= 1


@pytest.mark.thorough
def test_only_free_users_get_pages(chosen: Settings) -> None:
    lived = [*events(), (103, 1, at(3), "BUY_PREMIUM", None), (104, 1, at(-3), "BUY_PREMIUM", None)]
    rows, _ = _ranked(chosen, lake_of(lived), only_free=True)
    users = rows.get_column("user_id").unique().to_list()
    assert 103 not in users
    assert 104 in users
    whole, _ = _ranked(chosen, lake_of(lived))
    assert whole.filter(pl.col("user_id") != 103).equals(rows)
