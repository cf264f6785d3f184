"""Plain, slow code beside the feed's kernels: a loop a user and track."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from pozytywka_spark.feed.listening import DAY_US, Listeners
from pozytywka_spark.feed.track_side import Catalogue
from tests.feed.made_listening import drawn

CUT_OFF = 60 * DAY_US
USERS, TRACKS, ARTISTS, GENRES = 12, 15, 6, 4


@cache  # to look at: nobody changes it
def made(seed: int = 1) -> tuple[Listeners, Catalogue, pd.DataFrame]:
    """Users and tracks, and the plays as a table; some of it after `CUT_OFF`."""
    rng = np.random.default_rng(seed)
    listening, table = drawn(seed, USERS, TRACKS)
    genres = np.stack([rng.integers(0, GENRES, TRACKS), rng.integers(-1, GENRES, TRACKS)], axis=1)
    catalogue = Catalogue(
        track_id=np.array([f"t{number:03d}" for number in range(TRACKS)]),
        artist=np.arange(TRACKS) % ARTISTS,
        artist_id=np.array([f"a{number}" for number in range(ARTISTS)]),
        song=np.arange(TRACKS),
        genres=genres,
        genre=np.array([f"g{number}" for number in range(GENRES)]),
        released_day=np.array([-5000] * (TRACKS - 3) + [50, 59, 61]),
        city=np.array(["Gdańsk", "Kraków"]),
    )
    favourites = np.stack([rng.integers(0, GENRES, USERS), rng.integers(-1, GENRES, USERS)], axis=1)
    listeners = Listeners(np.arange(100, 100 + USERS), rng.integers(-1, 2, USERS), favourites, listening)
    return listeners, catalogue, table


def ages(table: pd.DataFrame) -> pd.DataFrame:
    """Plays before the cut-off, how many days ago each was, and how many plays from it on its user made."""
    past = table[table.us < CUT_OFF].copy()
    past["age"] = (CUT_OFF - past.us) / DAY_US
    past["since"] = past.groupby("user").cumcount(ascending=False) + 1
    return past
