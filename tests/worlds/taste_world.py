"""A world with taste in memory, as it is after ingest: what the feed's kernels take, and the true chances."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pozytywka_spark.config import Synthetic
from pozytywka_spark.feed.catalogue import catalogue_of
from pozytywka_spark.feed.listening import Listeners
from pozytywka_spark.feed.reading import KINDS, OTHER, SMALL, listeners_of
from pozytywka_spark.feed.track_side import Catalogue
from pozytywka_spark.months import start_micros
from pozytywka_spark.names import EVENT_TYPES
from pozytywka_spark.synthetic import catalogue as made
from pozytywka_spark.synthetic.events import events_of
from pozytywka_spark.synthetic.life import life_of, plan_of
from pozytywka_spark.synthetic.people import passports
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.taste.chances import NAMES, chances_of


@dataclass(frozen=True)
class TasteWorld:
    """Users in the order of their ids; events as `reading.SMALL` has them."""

    plan: Plan
    catalogue: Catalogue
    users: pl.DataFrame
    events: pl.DataFrame

    def listeners(self, until: date) -> Listeners:
        """All users, with their events before midnight of the day."""
        return listeners_of(
            self.events.filter(pl.col("time_us") < start_micros(until)), self.users, self.catalogue
        )

    def chances(self, cut_off: date) -> dict[str, np.ndarray]:
        """By name, users × tracks (float32): the true chances, 0 where none was told."""
        taste = self.plan.world.taste.model_copy(update={"cut_off": cut_off})
        plan = Plan(self.plan.world.model_copy(update={"taste": taste}), self.plan.behaviour, self.plan.level)
        ids = made.catalogue_of(plan).tracks["id"]
        index = np.searchsorted(self.catalogue.track_id.astype(str), ids)
        user_id = self.users.get_column("user_id").to_numpy()
        found = {name: np.zeros((len(user_id), len(ids)), dtype=np.float32) for name in NAMES}
        for chunk in range(plan.chunks):
            told = chances_of(plan, chunk)
            row, column = np.searchsorted(user_id, told["user_id"]), index[told["track"]]
            for name in NAMES:
                found[name][row, column] = told[name]
        return found


def taste_world(world: Synthetic) -> TasteWorld:
    """Made chunk by chunk, as `synthesize` does; nothing is written."""
    plan = plan_of(world)
    catalogue = made.catalogue_of(plan)
    tracks = pl.DataFrame(
        {
            "id": catalogue.tracks["id"],
            "name": catalogue.tracks["name"],
            "id_artist": catalogue.tracks["id_artist"],
            "release_date": _dates(catalogue.tracks["release_date"]),
        }
    )
    genres = [[str(catalogue.genres[one]) for one in row[::-1] if one >= 0] for row in catalogue.genre_of]
    artists = pl.DataFrame({"id": catalogue.artists["id"], "genres": genres})
    parts = [_chunk(plan, chunk, catalogue) for chunk in range(plan.chunks)]
    users, events = pl.concat([part[0] for part in parts]), pl.concat([part[1] for part in parts])
    favourites = sorted({one for row in users.get_column("favourite_genres").to_list() for one in row})
    arrays = catalogue_of(tracks, artists, users.get_column("city").unique().to_list(), favourites)
    place = pl.DataFrame({"track_id": arrays.track_id}, schema={"track_id": pl.String}).with_row_index(
        "track"
    )
    indexed = events.join(place, on="track_id", how="left", maintain_order="left")
    small = indexed.with_columns(pl.col("track").fill_null(-1)).select(SMALL.names()).cast(dict(SMALL))
    return TasteWorld(plan, arrays, users, small)


def _chunk(plan: Plan, chunk: int, catalogue: made.Catalogue) -> tuple[pl.DataFrame, pl.DataFrame]:
    life = life_of(plan, chunk)
    events = events_of(plan, life)
    ids = np.append(catalogue.tracks["id"], "")  # index -1: no track
    kinds = np.array([KINDS.get(name, OTHER) for name in EVENT_TYPES])
    users = pl.DataFrame(
        {
            "user_id": life.people.user_id,
            "city": passports(plan, chunk)["city"],
            "favourite_genres": catalogue.genres[life.people.favourites].tolist(),
        }
    )
    return users, pl.DataFrame(
        {
            "user_id": life.people.user_id[events.user],
            "session_id": events.session_id,
            "time_us": events.time_ms * 1000,
            "kind": kinds[events.kind],
            "track_id": ids[events.track],
        }
    )


def _dates(texts: np.ndarray) -> pl.Series:
    """`YYYY` and `YYYY-MM` as the first day that they can mean, as ingest takes them."""
    return pl.Series([f"{text}-01-01"[:10] for text in texts.tolist()]).str.to_date("%Y-%m-%d")
