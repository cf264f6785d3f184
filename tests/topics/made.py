"""A small catalogue whose families are known: each has genres that its artists mix, and a few stray ones."""

from __future__ import annotations

import numpy as np
import polars as pl

FAMILIES = {
    "metal": ["metal", "black metal", "doom metal", "power metal", "thrash"],
    "samba": ["samba", "pagode", "bossa nova", "mpb", "forro"],
    "techno": ["techno", "minimal techno", "dub techno", "acid", "trance"],
    "jazz": ["jazz", "cool jazz", "bebop", "swing", "stride"],
}
STRAY = {"nordic metal": 6, "quiet hum": 5}  # never beside another; by its words one is a metal
SCHEMA = {"id": pl.String, "genres": pl.List(pl.String)}


def family_of(genre: str) -> str | None:
    return next((family for family, genres in FAMILIES.items() if genre in genres), None)


def artists(each: int = 120, seed: int = 7, mixed: float = 0.03) -> pl.DataFrame:
    """So many artists a family with one to three genres of it, now and then one of another family."""
    dice = np.random.default_rng(seed)
    everything = [genre for genres in FAMILIES.values() for genre in genres]
    rows = []
    for family, genres in FAMILIES.items():
        for number in range(each):
            held = dice.choice(genres, dice.integers(1, 4), replace=False).tolist()
            if dice.random() < mixed:
                held.append(str(dice.choice(everything)))
            rows.append((f"{family}-{number:04}", held))
    rows += [(f"{genre}-{n}", [genre]) for genre, count in STRAY.items() for n in range(count)]
    return pl.DataFrame(rows, SCHEMA, orient="row")
