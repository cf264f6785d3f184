"""Which plays are far more than popularity and taste explain: by hand, and against pandas and scipy."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pozytywka_spark.fraud.rings.excess import (
    HIT_LISTENERS,
    TASTE_TRACKS,
    Far,
    far_more,
    pairs_of,
    surprise,
    tastes_of,
    together,
    weights_of,
    with_hits,
)

NO_TASTES = pl.DataFrame(schema={"track_id": pl.String(), "taste": pl.String()})


def pairs(*rows: tuple[int, str, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=["user_id", "track_id", "plays"], orient="row")


def crowd(accounts: int, tracks: int, first: int = 1000) -> list[tuple[int, str, int]]:
    """Each account plays each track once."""
    return [(first + user, f"t{track}", 1) for user in range(accounts) for track in range(tracks)]


def test_plays_beyond_popularity_alone() -> None:
    """One of 40 accounts plays a track 20 times; a popular one as often is no wonder to who plays it most."""
    table = pairs(*crowd(40, 50), (1, "t0", 20), (1, "t1", 3), *((1, f"t{n}", 1) for n in range(2, 30)))
    weights = weights_of(table)
    found = far_more(table, weights, NO_TASTES, Far())
    assert found.select("user_id", "track_id", "plays").rows() == [(1, "t0", 20)]
    weight = 40 + np.log2(21)
    share = weight / (40 * 50 + np.log2(21) + 2 + 28)
    assert found["expected"][0] == pytest.approx(51 * share, rel=1e-7)
    n, expected = 20, found["expected"][0]
    assert surprise(found)[0] == pytest.approx(n * np.log(n / expected) - (n - expected))


def test_a_taste_explains_the_artists_other_tracks() -> None:
    tracks = pl.DataFrame(
        {"id": [f"t{n}" for n in range(50)], "id_artist": ["a"] * 5 + [f"b{n}" for n in range(45)]}
    )
    artists = pl.DataFrame({"id": ["a"], "genres": [["polka", None]]})
    tastes = tastes_of(tracks, artists)
    fan = [(1, f"t{n}", 10) for n in range(5)]
    ring = [(2, f"t{n}", 10) for n in range(10, 15)]
    table = pairs(*crowd(40, 50), *fan, *ring)
    found = far_more(table, weights_of(table), tastes, Far())
    assert found["user_id"].unique().to_list() == [2]
    without = far_more(table, weights_of(table), NO_TASTES, Far())
    assert without["user_id"].unique().sort().to_list() == [1, 2]


def test_one_other_track_of_an_artist_is_no_taste() -> None:
    tracks = pl.DataFrame({"id": ["t0", "t1"], "id_artist": ["a", "a"]})
    tastes = tastes_of(tracks, pl.DataFrame(schema={"id": pl.String(), "genres": pl.List(pl.String())}))
    table = pairs(*crowd(40, 50), (1, "t0", 30), (1, "t1", 3))
    assert far_more(table, weights_of(table), tastes, Far())["track_id"].to_list() == ["t0"]


def test_tastes_of_a_catalogue() -> None:
    tracks = pl.DataFrame({"id": ["x", "y", "z"], "id_artist": ["a", None, "b"]})
    artists = pl.DataFrame({"id": ["a", "b"], "genres": [["polka", "punk"], None]})
    assert tastes_of(tracks, artists).sort("track_id", "taste").rows() == [
        ("x", "artist a"), ("x", "genre polka"), ("x", "genre punk"), ("z", "artist b")
    ]  # fmt: skip


def test_hits_are_what_many_play() -> None:
    table = pairs(*crowd(400, 2), *crowd(20, 30, first=5000))
    hits = with_hits(NO_TASTES, weights_of(table)).sort("track_id").rows()
    assert hits == [("t0", "hits"), ("t1", "hits")]
    assert not with_hits(NO_TASTES, weights_of(pairs(*crowd(HIT_LISTENERS - 1, 1)))).height
    assert not with_hits(NO_TASTES, weights_of(table).clear()).height


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    users, tracks = draw(st.integers(3, 30)), draw(st.integers(4, 40))
    rows = {
        (int(u), f"t{t}"): int(n)
        for u, t, n in zip(
            rng.integers(0, users, 400), rng.integers(0, tracks, 400), rng.geometric(0.3, 400), strict=True
        )
    }
    rows |= {(0, f"t{t}"): 25 for t in range(3)}
    return pairs(*((user, track, plays) for (user, track), plays in rows.items()))


@pytest.mark.thorough
@settings(max_examples=12, deadline=None)
@given(tables(), st.sampled_from([1.5, 3.0]), st.sampled_from([1e-2, 1e-4]), st.integers(1, 4))
def test_it_is_what_the_definition_says(
    table: pl.DataFrame, times: float, chance: float, artists: int
) -> None:
    names = sorted(set(table["track_id"]))
    tastes = pl.DataFrame({"track_id": names, "taste": [f"a{hash_of(name) % artists}" for name in names]})
    weights = weights_of(table)
    found = far_more(table, weights, with_hits(tastes, weights), Far(3, times, chance))
    expected = by_definition(table.to_pandas(), with_hits(tastes, weights).to_pandas(), times, chance)
    got = found.to_pandas()
    assert list(zip(got.user_id, got.track_id, strict=True)) == list(
        zip(expected.user_id, expected.track_id, strict=True)
    )
    np.testing.assert_allclose(got.expected, expected.expected.astype(float), rtol=1e-7)


@pytest.mark.thorough
@settings(max_examples=10, deadline=None)
@given(tables(), st.integers(2, 4))
def test_accounts_may_lie_in_any_buckets(table: pl.DataFrame, buckets: int) -> None:
    whole = far_more(table, weights_of(table), NO_TASTES, Far())
    parts = [table.filter(pl.col("user_id") % buckets == number) for number in range(buckets)]
    weights = together(pl.concat([weights_of(part) for part in reversed(parts)]))
    some = pl.concat([far_more(part, weights, NO_TASTES, Far()) for part in parts])
    assert some.sort("user_id", "track_id").drop("expected").equals(whole.drop("expected"))
    halves = pl.concat(
        [table.with_columns(plays=pl.col("plays") - 1), table.with_columns(plays=pl.lit(1, pl.Int64))]
    )
    assert pairs_of(halves).sort(pl.all()).equals(table.sort(pl.all()))


def hash_of(name: str) -> int:
    return int(name[1:]) * 7


def by_definition(table: pd.DataFrame, tastes: pd.DataFrame, times: float, chance: float) -> pd.DataFrame:
    """The same in plain loops."""
    weight = np.log2(1 + table.plays).groupby(table.track_id).sum()
    rows = []
    for user, mine in table.groupby("user_id"):
        plays = mine.set_index("track_id").plays
        for track, n in plays.items():
            expected = plays.sum() * weight[track] / weight.sum()
            by_taste = [0.0]
            for taste in tastes.taste[tastes.track_id == track]:
                others = set(tastes.track_id[tastes.taste == taste]) - {track}
                heard = plays[plays.index.isin(others)]
                if len(heard):
                    ratio = weight[track] / weight[list(others)].sum()
                    by_taste.append(min(len(heard) / TASTE_TRACKS, 1) * heard.sum() * ratio)
            expected += max(by_taste)
            if n >= 3 and n >= times * expected and stats.poisson.sf(n - 1, expected) <= chance:
                rows.append((user, track, expected))
    return pd.DataFrame(rows, columns=["user_id", "track_id", "expected"]).sort_values(
        ["user_id", "track_id"]
    )
