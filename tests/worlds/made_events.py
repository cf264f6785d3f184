"""Events by dice, of every oddity: ties, strays, nulls, sessions that end with the month."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import polars as pl

from pozytywka_spark.features.build.contents import READ
from pozytywka_spark.names import AUDIO_FEATURES
from tests.worlds.month_world import EVENTS, KINDS, micros

GENRES = ("ambient", "folk", "jazz", "polka", "rock", "techno")
WEIGHTS = {"P": 8, "S": 3, "L": 3, "A": 3, "B": 0.05}


def made_catalogue(seed: int = 1, users: int = 30) -> dict[str, pl.DataFrame]:
    """Tables as features read them, with unknown values; tracks `t00` to `t19`."""
    dice = random.Random(seed)
    some = lambda value: None if dice.random() < 0.15 else value  # noqa: E731 used for each column
    tracks = [
        (
            f"t{number:02}",
            some("x" * dice.randrange(1, 9)),
            some(dice.randrange(101)),
            some(dice.randrange(1_000, 300_000)),
            some(dice.random() < 0.5),
            some(f"a{dice.randrange(7)}"),
            some(date(1990, 1, 1) + timedelta(days=dice.randrange(9_000))),
            *(some(round(dice.random(), 6)) for _ in AUDIO_FEATURES),
        )
        for number in range(20)
    ]
    genres = lambda most: some(dice.sample(GENRES, dice.randrange(most)))  # noqa: E731 used twice
    return {
        "tracks": pl.DataFrame(tracks, schema=READ["tracks"], orient="row"),
        "artists": pl.DataFrame(
            {"id": [f"a{n}" for n in range(6)], "genres": [genres(4) for _ in range(6)]},
            schema=READ["artists"],
        ),
        "track_storage": pl.DataFrame(
            [(f"t{n:02}", dice.choice(["SLOW", "MEDIUM", "FAST"]), dice.random()) for n in range(0, 20, 2)],
            schema=READ["track_storage"],
            orient="row",
        ),
        "users": pl.DataFrame(
            {"user_id": range(users), "favourite_genres": [genres(5) for _ in range(users)]},
            schema=READ["users"],
        ),
    }


def made_events(month: date, number: int, seed: int, users: int = 30) -> pl.DataFrame:
    """So many events of a month, in no order; a few in the last seconds before its cut-off."""
    dice, start = random.Random(seed), datetime(month.year, month.month, 1, tzinfo=UTC)
    end = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
    kinds = dice.choices([KINDS[letter] for letter in WEIGHTS], list(WEIGHTS.values()), k=number)
    rows = []
    for kind in kinds:
        user = dice.randrange(users)
        session = user * 10 + dice.randrange(4)
        # sessions of a few minutes, so that many events share a second
        at = start + timedelta(days=session % 28, seconds=dice.randrange(600))
        if dice.random() < 0.03:
            at = end - timedelta(seconds=dice.randrange(1, 20))
        track = dice.choice([f"t{dice.randrange(20):02}"] * 12 + ["lost", "gone", None])
        rows.append(
            (
                None if dice.random() < 0.02 else user,
                at,
                kind,
                None if dice.random() < 0.02 else session,
                None if kind in (KINDS["A"], KINDS["B"]) else track,
            )
        )
    return pl.DataFrame(rows, schema=EVENTS, orient="row")


def purchases_of(events: pl.DataFrame) -> pl.DataFrame:
    """user_id and purchased_at of every purchase; user 3 bought long ago, user 4 right after March."""
    bought = events.filter((pl.col("event_type") == KINDS["B"]) & ~pl.col("user_id").is_in([3, 4]))
    others = [(3, micros("2020-01-01 00:00:00")), (4, micros("2023-04-01 00:00:00")), (None, 0)]
    told = bought.select("user_id", purchased_at=pl.col("event_time").dt.epoch("us"))
    return pl.concat([told, pl.DataFrame(others, schema=told.schema, orient="row")])
