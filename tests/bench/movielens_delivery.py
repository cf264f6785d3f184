"""MovieLens 100k written as a delivery: a rating is a play, 4 and 5 also a like, a film its own artist.

Each person's ratings are spread evenly over 280 days in their order (ties by SHA-256 of `user/item`), so that
80% lie before `CUT_OFF`.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

BEGIN, DAYS, HORIZON = date(2022, 1, 1), 280, 56
CUT_OFF = BEGIN + timedelta(days=DAYS - HORIZON)


def write(folder: Path, out: Path) -> None:
    """From RecBole's files in `folder`; nothing but what the files say goes into the delivery."""
    rated, films = ratings(folder), _films(folder)
    plays = rated.select(
        timestamp=pl.lit(datetime(BEGIN.year, BEGIN.month, BEGIN.day))
        + pl.duration(microseconds=(pl.col("day") * 86_400_000_000).cast(pl.Int64)),
        user_id="user",
        track_id=_film_id(pl.col("item")),
        event_type=pl.lit("PLAY"),
        session_id=pl.int_range(pl.len()) + 1,
        rating="rating",
    )
    likes = plays.filter(pl.col("rating") >= 4).with_columns(
        pl.col("timestamp") + pl.duration(seconds=1), event_type=pl.lit("LIKE")
    )
    events = pl.concat([plays, likes]).sort("timestamp", "session_id", maintain_order=True)
    users = rated.select(user_id=pl.col("user").unique().sort())
    named = films.select(id=_film_id(pl.col("item")), name="title", id_artist=_maker(pl.col("item")))
    tracks = named.with_columns(
        release_date=films["year"], popularity=0, duration_ms=5_400_000, explicit=0, key=0,
        **{name: pl.lit(0.5) for name in ("danceability", "energy", "speechiness", "acousticness")},
        **{name: pl.lit(0.5) for name in ("instrumentalness", "liveness", "valence")},
        loudness=-10.0, tempo=100.0,
    )  # fmt: skip
    artists = films.select(id=_maker(pl.col("item")), name="title", genres=pl.col("genres").str.split(" "))
    nobody = users.with_columns(
        name=pl.lit("Nobody"), city=pl.lit("Nowhere"), street=pl.lit("None"), premium_user=False,
        favourite_genres=pl.lit([], dtype=pl.List(pl.String)),
    )  # fmt: skip
    _put(out / "sessions.jsonl", events.drop("rating").with_columns(_text(pl.col("timestamp"))))
    for name, rows in (("users", nobody), ("tracks", tracks), ("artists", artists)):
        _put(out / f"{name}.jsonl", rows)


def ratings(folder: Path) -> pl.DataFrame:
    """user, item, rating, day; in the order of people and of their time."""
    table = pl.read_csv(
        folder / "ml-100k.inter", separator="\t", new_columns=["user", "item", "rating", "time"]
    )
    digest = pl.format("{}/{}", "user", "item").map_elements(
        lambda text: hashlib.sha256(text.encode()).hexdigest(), return_dtype=pl.String
    )
    place = pl.int_range(pl.len()).over("user")
    return (
        table.with_columns(digest=digest)
        .sort("user", "time", "digest")
        .with_columns(day=place * float(DAYS) / pl.len().over("user"))
    )


def _films(folder: Path) -> pl.DataFrame:
    """item, title, year (null: nobody says), genres."""
    table = pl.read_csv(
        folder / "ml-100k.item",
        separator="\t",
        new_columns=["item", "title", "year", "genres"],
        quote_char=None,
        infer_schema=False,
    )
    digits = pl.col("year").str.contains(r"^\d{4}$")
    return table.with_columns(
        pl.col("item").cast(pl.Int64),
        pl.when(digits).then("year").alias("year"),
        pl.col("genres").fill_null(""),
        pl.coalesce("title", pl.format("film {}", "item")).alias("title"),
    )


def _film_id(item: pl.Expr) -> pl.Expr:
    return pl.format("film{}", item.cast(pl.String).str.zfill(5))


def _maker(item: pl.Expr) -> pl.Expr:
    return pl.format("maker{}", item.cast(pl.String).str.zfill(5))


def _text(moment: pl.Expr) -> pl.Expr:
    return moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")


def _put(path: Path, rows: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.write_ndjson(path)
