"""Small catalogues, events as table literals, and a plan of a few measures of each level."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from pozytywka_spark.features.build.contents import READ
from pozytywka_spark.features.build.dimensions import (
    Dimensions,
    track_dimension,
    user_dimension,
    vocabulary_of,
)
from pozytywka_spark.features.build.plan import CataloguePlan, Named
from pozytywka_spark.names import AUDIO_FEATURES

MARCH = date(2023, 3, 1)
EVENTS = pl.Schema(
    {
        "user_id": pl.Int64(),
        "event_time": pl.Datetime("us", "UTC"),
        "event_type": pl.String(),
        "session_id": pl.Int64(),
        "track_id": pl.String(),
    }
)
KINDS = {"S": "SKIP", "A": "ADVERTISEMENT", "B": "BUY_PREMIUM", "P": "PLAY", "L": "LIKE"}


def micros(time: str) -> int:
    """`2023-03-31 23:59:50` in microseconds since 1970."""
    return int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()) * 1_000_000


def events(text: str) -> pl.DataFrame:
    """A line an event: user, day, time, the kind's first letter, session, track; `-` is null."""
    rows = []
    for line in text.strip().splitlines():
        user, day, time, kind, session, track = line.split()
        rows.append(
            {
                "user_id": None if user == "-" else int(user),
                "event_time": datetime.fromisoformat(f"{day} {time}+00:00"),
                "event_type": KINDS[kind],
                "session_id": None if session == "-" else int(session),
                "track_id": None if track == "-" else track,
            }
        )
    return pl.DataFrame(rows, schema=EVENTS)


def bought(*purchases: tuple[int, str]) -> pl.DataFrame:
    """User and time of each purchase."""
    rows = [(user, micros(time)) for user, time in purchases]
    return pl.DataFrame(rows, schema={"user_id": pl.Int64, "purchased_at": pl.Int64}, orient="row")


def catalogue() -> dict[str, pl.DataFrame]:
    """Tables as features read them: three tracks of two artists, one of nobody."""
    audio = dict.fromkeys(AUDIO_FEATURES, 0.5)
    tracks = [
        ("t1", "Ala", 10, 60_000, True, "a1", date(1970, 1, 2), *audio.values()),
        ("t2", "Żółw🎵", 20, 100_000, False, "a2", date(1969, 12, 31), *audio.values()),
        ("t3", None, None, None, None, None, None, *([None] * len(audio))),
    ]
    return {
        "tracks": pl.DataFrame(tracks, schema=READ["tracks"], orient="row"),
        "artists": pl.DataFrame(
            {"id": ["a1", "a2"], "genres": [["rock", "jazz"], ["polka"]]}, schema=READ["artists"]
        ),
        "track_storage": pl.DataFrame(
            {"track_id": ["t1"], "storage_class": ["FAST"], "daily_cost": [0.25]},
            schema=READ["track_storage"],
        ),
        "users": pl.DataFrame(
            {"user_id": [1, 2, 3], "favourite_genres": [["jazz", "rock"], ["polka", None], None]},
            schema=READ["users"],
        ),
    }


def dimensions(tables: dict[str, pl.DataFrame] | None = None) -> Dimensions:
    """Of `catalogue`."""
    found = tables or catalogue()
    words = vocabulary_of(found["users"])
    return Dimensions(
        track_dimension(found["tracks"], found["artists"], found["track_storage"], words),
        user_dimension(found["users"], words),
    )


def plan(*measures: Named) -> CataloguePlan:
    """Of measures only."""
    return CataloguePlan(
        tuple(Named(each.name, each.made.cast(pl.Int64), each.level) for each in measures), (), ()
    )


def counted(name: str, kind: int) -> Named:
    """How many events of a kind."""
    return Named(name, (pl.col("kind") == kind).sum(), "event")


# one or more measures of each level, plain ones
PLAN = plan(
    counted("skips", 0),
    counted("ads", 1),
    counted("plays", 3),
    counted("likes", 4),
    Named("duration_ms_total", pl.col("duration_ms").sum(), "event"),
    Named("duration_ms_known", pl.col("duration_ms").count(), "event"),
    Named("favourites", pl.col("favourite_matches").sum(), "event"),
    Named("last_event_us", pl.col("at").max(), "event"),
    Named("late", (pl.col("at") >= pl.col("cut_off") - 86_400_000_000).sum(), "event"),
    Named("longest_ad_run", pl.col("advert_run").max(), "gap"),
    Named("listened_us", pl.col("listened").sum(), "gap"),
    Named("listened_known", pl.col("listened").count(), "gap"),
    Named("listened_ms", pl.when(pl.col("listened").is_not_null()).then("duration_ms").sum(), "gap"),
    Named("timed_skips", pl.col("since_play").count(), "gap"),
    Named("skip_delay_us", pl.col("since_play").sum(), "gap"),
    Named("sessions", pl.col("length").count(), "session"),
    Named("session_us", pl.col("length").sum(), "session"),
)
