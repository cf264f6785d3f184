"""Popularity without discounted plays."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.moderation.popularity_work import SHOWN, corrected


def plays(**of_tracks: int) -> pl.DataFrame:
    return pl.DataFrame({"track_id": list(of_tracks), "plays": list(of_tracks.values())})


def test_ranks_with_and_without_what_cheats_played() -> None:
    found = corrected(plays(a=100, b=60, c=50, d=10), plays(a=70, c=1))
    assert found.rows() == [("a", 100, 70, 30, 1, 3), ("c", 50, 1, 49, 3, 2)]


def test_only_the_most_discounted_are_shown() -> None:
    many = {f"t{number:02}": 100 for number in range(SHOWN + 5)}
    found = corrected(plays(**many), plays(**{name: 10 + place for place, name in enumerate(many)}))
    assert found.height == SHOWN
    assert found["track"].to_list() == sorted(many, reverse=True)[:SHOWN]
