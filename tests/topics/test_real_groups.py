"""Groups of the real genres: they tell of artists that weren't there, and hardly move."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pozytywka_spark.config.topics import Topics
from pozytywka_spark.topics.artists_work import artist_groups
from pozytywka_spark.topics.counts import count_genres
from pozytywka_spark.topics.fit import fit_groups
from pozytywka_spark.topics.groups import grouped
from tests.topics import judge


@pytest.fixture(scope="module")
def artists(dirty: Path) -> pl.DataFrame:
    return judge.real_artists()


def test_the_judges_settings_are_the_defaults() -> None:
    topics, how = Topics(), judge.HOW
    assert (topics.resolution, topics.rounds, topics.seed) == (
        how.search.resolution,
        how.search.rounds,
        how.search.seed,
    )
    assert (topics.smallest, topics.smallest_subgroup) == (how.smallest, how.smallest_subgroup)
    assert topics.words_confidence == how.words_confidence


@pytest.mark.thorough
def test_a_quick_search_tells_of_artists_held_back(artists: pl.DataFrame) -> None:
    tested, trained = judge.drawn(artists, 10, 0.2)
    quick = replace(judge.HOW, search=replace(judge.HOW.search, rounds=5))
    assert judge.agreement(tested, judge.fitted(trained, how=quick)) >= 0.8


def test_groups_tell_of_artists_held_back_and_hardly_move(artists: pl.DataFrame) -> None:
    tested, trained = judge.drawn(artists, 10, 0.2)
    rows = fit_groups(count_genres(trained), judge.HOW)
    groups = judge.as_labels(rows)
    count, largest = judge.sizes(tested, groups)
    assert judge.agreement(tested, groups) >= 0.82
    assert 15 <= count <= 60
    assert largest <= 0.25
    named = grouped(rows, None, "fit")
    held = artist_groups(trained, named).drop_nulls("group_id").get_column("group_id")
    assert (held != "other").mean() >= 0.99  # type: ignore[operator] a number
    subgroups = named.filter(pl.col("group_id") != "other").get_column("subgroup_id").n_unique()
    assert 100 <= subgroups <= 200
    one, other = (judge.fitted(judge.bootstrap(artists, seed)) for seed in (0, 1))
    assert judge.steadiness(artists, one, other) >= 0.75
    _, first = judge.drawn(artists, 30, 1 / 6)
    before = judge.fitted(first)
    after = judge.fitted(artists, {genre: str(group) for genre, group in before.items()})
    assert judge.moved(artists, before, after) <= 0.1


def test_the_judge_itself() -> None:
    frame = pl.DataFrame({"genres": [["a", "b"], ["c", "d"], ["a"], None]})
    assert judge.agreement(frame, {"a": 1, "b": 1, "c": 2, "d": 2}) == 1
    assert judge.agreement(frame, {"a": 1, "b": 2, "c": 1, "d": 2}) == -1
    assert judge.sizes(frame, {"a": 1, "b": 1, "c": 2}) == (2, pytest.approx(0.6))
    assert judge.steadiness(frame, {"a": 1, "b": 2, "c": 3}, {"a": 9, "b": 8, "c": 7}) == 1
    assert judge.moved(frame, {"a": 1, "b": 1, "c": 2}, {"a": "x", "b": "y", "c": "y", "d": "y"}) == 0.25
    assert judge.share_right([("a", "a"), (None, "b"), ("c", "b"), ("d", "d")]) == (0.75, 2 / 3)
