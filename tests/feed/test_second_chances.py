"""Planted pairs through the job: unread and stirred tracks all come back, farmed and rejected never do."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.jobs import feed
from tests.feed.silver import put_events, silver
from tests.feed.small_world import DAY, Event, at, tables, track

pytestmark = pytest.mark.system  # a whole training and rankings
USERS, FARMER = 120, 219
# when the earlier feed was made; nobody has a session afterwards but who is planted
SHOWN = DAY - timedelta(days=5)
FARMED, PLANTED = track(299), 250  # tracks from there on are played by nobody else
TRAIN = ("feed.light=250", "feed.candidates=290", "feed.min_recall=0", "feed.rounds=5", "data.end=2023-05-02")
WHOLE = ("feed.light=290", "feed.page=290", "feed.arrange=false", "feed.explore=0", "feed.new_artists=0")
Pair = tuple[int, str]


def plays(user: int, which: str, days: float, end: str | None = None) -> Iterator[Event]:
    """A play, and what follows it."""
    session = user * 100_000 + int(days * 100)
    yield user, session, at(days), "PLAY", which
    if end:
        yield user, session, at(days) + timedelta(seconds=30), end, which


def before() -> list[Event]:
    """Of everybody, older than the earlier feed."""
    rng = np.random.default_rng(5)
    found: list[Event] = []
    for user in range(100, 100 + USERS):
        for _ in range(25):
            which = track(int(PLANTED * rng.beta(1, 3)))
            end = rng.choice(["", "SKIP", "LIKE"], p=[0.6, 0.2, 0.2])
            found += plays(user, which, float(rng.uniform(6, 100)), str(end) or None)
    for day in range(60):  # a loop of one account, and somebody who came across it
        found += plays(FARMER, FARMED, 6 + day * 0.3)
    found += [*plays(130, FARMED, 20), *plays(130, FARMED, 10, "LIKE")]
    # skipped twice; skipped, then heard; skipped twice, long ago
    found += [*plays(120, track(280), 10, "SKIP"), *plays(120, track(280), 8, "SKIP")]
    found += [*plays(121, track(280), 10, "SKIP"), *plays(121, track(280), 8)]
    # heard by users of one favourite genre
    for user, which in ((110, 260), (116, 261), (122, 262)):
        found += plays(user, track(which), 30)
    return found


def after(pages: dict[int, list[str]]) -> list[Event]:
    """What the planted do after the earlier feed."""
    found = [*plays(100, pages[100][3], 2)]  # played since: read
    for user in (128, 134, 140):
        found += plays(user, track(260), 3, "LIKE")  # three who share the genre: stirred
        found += plays(user + 1, track(262), 3, "LIKE")  # three who don't
    for user in (128, 134):
        found += plays(user, track(261), 3, "LIKE")  # two
    return found


def stirred(rows: list[Event], heard_by: set[Pair]) -> set[Pair]:
    """By the words of the rule."""
    users = tables(USERS)["users"]
    genres = dict(zip(users["user_id"], users["favourite_genres"].to_list(), strict=True))
    last: dict[Pair, datetime] = {}
    likes: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
    for user, _, moment, kind, which in rows:
        if kind == "PLAY" and which:
            last[user, which] = max(moment, last.get((user, which), moment))
        if kind == "LIKE" and which and moment >= at(14):
            likes[which].append((user, moment))
    found = set()
    for user, which in heard_by:
        others = {
            other
            for other, moment in likes[which]
            if other != user and moment > last[user, which] and set(genres[other]) & set(genres[user])
        }
        if len(others) >= 3:
            found.add((user, which))
    return found


def rejected(rows: list[Event]) -> set[Pair]:
    """By the words of the rule."""
    ends: dict[Pair, list[bool]] = defaultdict(list)
    ordered = sorted(rows, key=lambda row: (row[2], row[3] != "PLAY"))
    skips = {(user, session, which) for user, session, _, kind, which in ordered if kind == "SKIP"}
    for user, session, _, kind, which in ordered:
        if kind == "PLAY" and which:
            ends[user, which].append((user, session, which) in skips)
    return {pair for pair, skipped in ends.items() if any(pairwise(skipped)) and all(skipped[-2:])}


def test_planted_second_chances(tmp_path: Path) -> None:
    settings = load_settings("local", [f"home={tmp_path}", *TRAIN])
    rows = before()
    lake = silver(settings, rows, USERS)

    def run(*argv: str, more: tuple[str, ...] = ()) -> None:
        sets = [part for one in (f"home={tmp_path}", *TRAIN, *more) for part in ("--set", one)]
        assert feed.main([*argv, *sets]) == 0

    run("train", "--at", str(SHOWN))
    run("rank", "--at", str(SHOWN), more=("feed.page=30",))
    earlier = pl.from_arrow(lake.rows("feed"))
    assert isinstance(earlier, pl.DataFrame)
    pages = {
        user: part.sort("position")["track_id"].to_list()
        for (user,), part in earlier.group_by("user_id")
        if isinstance(user, int)
    }
    assert len(pages) == USERS
    seen = tmp_path / "seen.jsonl"
    line = {"user_id": 101, "track_id": pages[101][0], "seen_at": f"{SHOWN}T10:00:00", "position": 1}
    seen.write_text(json.dumps(line) + "\n", encoding="utf-8")
    run("take-in", "--seen", str(seen))
    more = after(pages)
    put_events(lake, more, first=10**6)
    run("rank", "--at", str(DAY), more=WHOLE)

    found = pl.from_arrow(lake.rows("feed", partitions=[{"feed_date": DAY}]))
    assert isinstance(found, pl.DataFrame)
    of: dict[str, set[Pair]] = defaultdict(set)
    for user, which, sources in found.select("user_id", "track_id", "sources").iter_rows():
        for source in sources:
            of[source].add((user, which))
    rows += more
    gone = rejected(rows)
    read = {(100, pages[100][3]), (101, pages[101][0])}
    shown = {(user, which) for user, page in pages.items() for which in page}
    played_since = {(row[0], row[4]) for row in more if row[3] == "PLAY" and row[4]}
    assert read <= shown
    assert of["unread"] == shown - read - played_since - gone
    heard = {(row[0], row[4]) for row in rows if row[3] == "PLAY" and row[4]}
    planted = stirred(rows, heard)
    assert (110, track(260)) in planted
    assert not {(116, track(261)), (122, track(262))} & planted
    assert of["stirred"] == planted - gone
    pairs = set().union(*of.values())
    assert (120, track(280)) in gone
    assert not gone & pairs
    assert (121, track(280)) in pairs
    assert FARMED not in {which for _, which in pairs}
