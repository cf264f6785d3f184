"""A small world that never changes: silver rows in plain Python, the fixed input of recorded values.

It knows neither the generator nor ingest, and draws with `random.random` alone, which Python keeps the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from pozytywka_spark.names import AUDIO_FEATURES

Row = dict[str, Any]
Item = TypeVar("Item")
GENRES = ("rock", "jazz", "folk", "polka", "techno", "ambient")
FIRST = (2021, 2)
MONTHS, USERS, TRACKS, ARTISTS = 14, 16, 40, 11
BUYERS = {3: 6, 7: 9, 12: 12}  # user: the month's number in which they buy


class Draw:
    """Choices from one stream of numbers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, number: int) -> int:
        return int(self._random.random() * number)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def of(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]


def month_start(number: int) -> datetime:
    months = FIRST[0] * 12 + FIRST[1] - 1 + number
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def catalogue() -> dict[str, list[Row]]:
    """Users, artists, tracks and their storage, each with unknown values."""
    draw = Draw(1)
    users = [
        {
            "user_id": user,
            "city": "Radom",
            "favourite_genres": None if user == 5 else [draw.of(GENRES), GENRES[user % 6]],
            "premium_user": user in BUYERS,
        }
        for user in range(1, USERS + 1)
    ]
    artists = [
        {
            "id": f"a{artist}",
            "name": f"artist {artist}",
            "genres": None if artist == 0 else [GENRES[(artist + k) % 6] for k in range(artist % 4)],
        }
        for artist in range(ARTISTS)
    ]
    tracks = [_track(number, draw) for number in range(TRACKS)]
    storage = [
        {
            "track_id": f"t{number}",
            "storage_class": ("SLOW", "SLOW", "MEDIUM", "FAST")[number % 4],
            "daily_cost": 0.0001 * (1 + draw.below(90)),
        }
        for number in range(TRACKS)
        if number % 9
    ]
    return {"users": users, "artists": artists, "tracks": tracks, "track_storage": storage}


def _track(number: int, draw: Draw) -> Row:
    unknown = number % 13 == 4
    audio = {name: None if unknown else draw.below(10_000) / 10_000 for name in AUDIO_FEATURES}
    return {
        "id": f"t{number}",
        "name": "x" * (1 + draw.below(30)),
        "popularity": None if number == 7 else draw.below(101),
        "duration_ms": None if number == 8 else 60_000 + draw.below(200_000),
        "explicit": None if number == 9 else draw.chance(0.3),
        "id_artist": None if number == 10 else f"a{draw.below(ARTISTS)}",
        "release_date": None if number == 11 else date(1960 + draw.below(60), 1 + draw.below(12), 1),
        "release_date_precision": "month",
        "key": draw.below(12),
        **audio,
    }


def events() -> list[Row]:
    """Every user's sessions: months left out, sessions over a month's end, ties, a track nobody knows."""
    draw, found, session = Draw(2), [], 0
    for user in range(1, USERS + 1):
        for month in range(MONTHS):
            if not draw.chance(0.8) or (user == 6 and month < 5):
                continue
            length = (month_start(month + 1) - month_start(month)).total_seconds()
            for _ in range(1 + draw.below(3)):
                session += 1
                start = month_start(month) + timedelta(seconds=draw.below(int(length)))
                found += list(_session(draw, user, session, start))
        if user in BUYERS:
            at = month_start(BUYERS[user]) + timedelta(days=11, seconds=user)
            found.append(_event(at, "BUY_PREMIUM", user, 1000 + user, None))
    return [row | {"event_id": f"e{place:05}".encode()} for place, row in enumerate(found)]


def _session(draw: Draw, user: int, session: int, start: datetime) -> Iterator[Row]:
    at = start
    for _ in range(2 + draw.below(7)):
        while draw.chance(0.25):
            yield _event(at, "ADVERTISEMENT", user, session, None)
            at += timedelta(milliseconds=draw.below(30_000))
        track = "lost" if draw.chance(0.03) else f"t{draw.below(1 + draw.below(TRACKS))}"
        yield _event(at, "PLAY", user, session, track)
        if draw.chance(0.3):
            yield _event(at + timedelta(seconds=draw.below(20)), "LIKE", user, session, track)
        at += timedelta(milliseconds=20_000 + draw.below(250_000))
        if draw.chance(0.35):
            yield _event(at, "SKIP", user, session, track)
            at += timedelta(milliseconds=draw.below(2) * draw.below(5_000))


def _event(at: datetime, kind: str, user: int, session: int, track: str | None) -> Row:
    return {
        "event_time": at,
        "event_type": kind,
        "user_id": user,
        "session_id": session,
        "track_id": track,
        "repaired": False,
        "repair_reason": None,
        "event_month": date(at.year, at.month, 1),
        "user_bucket": 0,
    }
